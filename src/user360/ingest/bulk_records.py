"""Bulk loading of records: columns become cells, and each record tells of its creation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from user360 import ids
from user360.access import workspaces
from user360.access.workspaces import Workspace
from user360.errors import Conflict, Fault, Invalid, PersonErased
from user360.events import chunk, event
from user360.events import store as event_store
from user360.ingest import store
from user360.ingest.batch import Position
from user360.records import values
from user360.records.properties import READ_ONLY, Catalogue, Property, Type
from user360.storage.ledger import Connection, Dialect

CHUNK = 10_000  # entries in one chunk of the log
MOMENTS = {Type.DATE, Type.DATETIME, Type.TIME}
# Types whose columns can hold one value in several forms; the others are trusted as they stand.
PARSED = {*MOMENTS, Type.NUMBER, Type.LIST}
Texts = list[str | None]


class Origin(msgspec.Struct, frozen=True):
    """Where loaded data came from, as its provenance and its events tell."""

    source: str
    ref: str


class Pen(msgspec.Struct):
    """What a load writes with, inside one transaction of the writer."""

    connection: Connection
    dialect: Dialect
    workspace: Workspace
    position: Position
    now: int
    origin: Origin

    def append(self, kind: int, told: dict[str, Any]) -> None:
        """Append entries to the log; `told` has a column for record, name, at, id, properties."""
        count = len(told["record"])
        constant = {
            "kind": kind,
            "received": self.now,
            "source": self.origin.source,
            "channel": "",
            "ref": self.origin.ref,
        }
        first = self.position.last + 1
        given = {"seq": pa.array(range(first, first + count), pa.int64()), **told}
        given |= {n: pa.repeat(pa.scalar(v, _kind(n)), count) for n, v in constant.items()}
        entries = pa.RecordBatch.from_arrays(
            [given[n] for n in chunk.SCHEMA.names], chunk.SCHEMA.names
        )
        for start in range(0, count, CHUNK):
            part = entries.slice(start, CHUNK)
            event_store.append_columns(self.connection, self.workspace.id, first + start, part)
        self.position.last += count


def _kind(name: str) -> pa.DataType:
    return chunk.SCHEMA.field(name).type


class Columns(msgspec.Struct, frozen=True):
    """Records made ready outside the transaction: userIds, and each property's JSON texts."""

    user_ids: Texts
    texts: dict[str, Texts]

    @classmethod
    def of(cls, rows: pa.RecordBatch, catalogue: Catalogue) -> Columns:
        """Raises `Invalid` naming every column that is no property."""
        names = [n for n in rows.schema.names if n != "user_id"]
        faults = [_fault(name) for name in names if not _writable(catalogue.get(name))]
        if faults or "user_id" not in rows.schema.names:
            detail = "The columns must be user_id and declared properties"
            raise Invalid(detail, faults=faults or [_fault("user_id")])
        texts = {n: _texts(rows[n], catalogue.by_name[n]) for n in names}
        return cls(rows["user_id"].to_pylist(), texts)


def _writable(declared: Property | None) -> bool:
    return declared is not None and declared.name not in ("userId", *READ_ONLY)


def _fault(name: str) -> Fault:
    return Fault(name, "invalidProperty", f"{name[:64]!r} is not a column that can be loaded")


def write(pen: Pen, columns: Columns) -> None:
    """Insert these records.

    Raises `Conflict` naming the rows whose userId exists, `PersonErased` those whose person was
    erased.
    """
    _refuse_erased(pen, columns.user_ids)
    _refuse_known(pen, columns.user_ids)
    cells, told = _written(columns, pen)
    create(pen, columns.user_ids, cells, pa.array(told, pa.string()), pen.now)


def create(pen: Pen, user_ids: Texts, cells: Sequence[str], told: pa.StringArray, at: int) -> range:
    """Make records that nobody has yet, each with its cells (JSON text); returns their numbers.

    `told` is the rest of a record's whole state behind its id, `"userId":"x",...}`, as its creation
    at time `at` tells it.
    """
    first, count = pen.workspace.next_record, len(cells)
    numbers = range(*(ids.record_number(pen.workspace.id, n) for n in (first, first + count)))
    rows = list(zip(numbers, user_ids, cells, strict=True))
    store.insert_people(pen.connection, pen.dialect, pen.workspace.id, rows, pen.now)
    named = pa.array(range(first, first + count)).cast(pa.string())
    states = pc.binary_join_element_wise('{"id":"r', named, '",', told, "")
    _tell(pen, numbers, states, at)
    pen.workspace.next_record += count
    workspaces.save_counters(pen.connection, pen.workspace)
    return numbers


def _refuse_erased(pen: Pen, user_ids: Texts) -> None:
    gone = pen.workspace.erased.among({u for u in user_ids if u is not None})
    if gone:
        places = [place for place, user_id in enumerate(user_ids) if user_id in gone]
        message = "the person of this userId was erased"
        faults = [Fault(f"records.{p}.user_id", "erased", message) for p in places[:100]]
        raise PersonErased(f"{len(places)} of these people were erased", faults=faults)


def _refuse_known(pen: Pen, user_ids: Texts) -> None:
    given = [u for u in user_ids if u is not None]
    known = store.numbers_of(pen.connection, pen.dialect, pen.workspace.id, set(given))
    seen: set[str] = set()
    faults = []
    for place, user_id in enumerate(user_ids):
        if user_id is not None and (user_id in known or user_id in seen):
            message = "a record of this userId exists already"
            faults.append(Fault(f"records.{place}.user_id", "conflict", message))
        elif user_id is not None:
            seen.add(user_id)
    if faults:
        raise Conflict(f"{len(faults)} of these userIds exist already", faults=faults[:100])


def _written(columns: Columns, pen: Pen) -> tuple[list[str], list[str]]:
    """For each record its cells and its state behind its id, both as JSON text."""
    origin = [pen.now, "bulk", pen.now, pen.origin.source, pen.origin.ref, None]
    after = "," + event.encode(origin).decode()[1:]
    heads = [(f"{event.encode(name).decode()}:", texts) for name, texts in columns.texts.items()]
    user_ids = [event.encode(u).decode() for u in columns.user_ids]
    cells, states = [], []
    for place, user_id in enumerate(user_ids):
        held = [(head, text) for head, texts in heads if (text := texts[place]) is not None]
        cells.append("{" + ",".join([f"{head}[{text}{after}" for head, text in held]) + "}")
        states.append(",".join([f'"userId":{user_id}', *[h + t for h, t in held]]) + "}")
    return cells, states


def _tell(pen: Pen, numbers: Sequence[int], states: pa.StringArray, at: int) -> None:
    count = len(states)
    first = pen.position.last + 1
    told = {
        "record": pa.array(numbers, pa.int64()),
        "name": pa.repeat(event.USER_CREATE, count),
        "at": pa.repeat(pa.scalar(at, pa.timestamp("us")), count),
        "id": pa.array([f"s{seq}" for seq in range(first, first + count)]),
        "properties": states,
    }
    pen.append(event.SYSTEM, told)


def create_empty(pen: Pen, user_ids: Sequence[str]) -> None:
    """Make the records that events name and nobody knows."""
    write(pen, Columns(list(user_ids), {}))


def _texts(column: pa.Array, declared: Property) -> Texts:
    """A column's canonical values as JSON texts; None where there is no value."""
    kind = declared.type
    if kind is Type.TIME and not pa.types.is_string(column.type):
        column = column.cast(pa.time32("s"), safe=False)
    given = (column.cast(pa.string()) if kind in MOMENTS else column).to_pylist()
    try:
        kept = [values.parse(kind, v, UTC) for v in given] if kind in PARSED else given
    except values.BadValue as bad:
        raise Invalid.at(declared.name, bad.message, "invalidDataType") from bad
    encode = event.encode
    return [None if v is None or v == "" else encode(v).decode() for v in kept]
