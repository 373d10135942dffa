"""A few people apart: their rows and events copied aside, to be asked the same compiled questions.

Over a million people a condition is one scan; for some of them it is cheaper to fetch these first.
The relations are temporary, as one view of the warehouse shows them, and gone when it is left.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import msgspec
from pyroaring import BitMap64

from user360.access.workspaces import Workspace
from user360.records.properties import Catalogue
from user360.segments.compiler import compile as compiler
from user360.segments.compiler import questions
from user360.segments.language import reading, sql
from user360.segments.language.nodes import Node, PropertyTest
from user360.storage.warehouse import Rows, Snapshot, Warehouse, schema_of

SCHEMA = "temp"
EVENT_COLUMNS = 'seq, record_id, name, "at", id, properties'
BARE_COLUMNS = 'seq, record_id, name, "at", NULL::VARCHAR AS id, NULL::VARCHAR AS properties'
# Where nobody asks what events hold, but which they are.
NAMED_COLUMNS = 'seq, record_id, name, "at", id, NULL::VARCHAR AS properties'
# Relations without a row, which are not worth looking up.
_NO_MERGED = "(record_id BIGINT, survivor_id BIGINT)"
_NO_MEMBERS = "(segment_id BIGINT, record_id BIGINT, since TIMESTAMP)"
_NO_EVENTS = (
    '(seq BIGINT, record_id BIGINT, name VARCHAR, "at" TIMESTAMP, id VARCHAR, properties VARCHAR)'
)
# So many are named in the statement, where zone maps see them; more are joined.
_NAMED = 16


class People(msgspec.Struct, frozen=True):
    """Some people apart: `frame` to compile conditions for, `numbers` the living among them.

    `position` is how far in the log the view was. What the relations are is what `Warehouse` says
    of a workspace's, with the events' columns cut to `EVENT_COLUMNS`.
    """

    frame: compiler.Frame
    numbers: BitMap64
    position: int
    view: Snapshot

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run one statement over the relations of `frame.schema`, or over any others."""
        return self.view.query(statement, parameters)


@contextlib.contextmanager
def people(
    warehouse: Warehouse,
    workspace: Workspace,
    numbers: Collection[int],
    names: Collection[str] | None,
    now: int,
    segments: Collection[int] | None = None,
    held: Collection[str] | None = None,
    *,
    columns: Collection[str] | None = None,
    identified: bool = False,
) -> Iterator[People]:
    """The people behind these records, merged-away ones among them, with all that was merged in.

    Only events of these `names` and stored members of these `segments` are fetched, and what an
    event holds only for the names in `held`, and of records only these `columns` beside the id;
    None is all of them. Events that are not in `held` have an id only if `identified`. Asked as of
    `now`, in microseconds.
    """
    whole = questions.frame(warehouse, workspace, now)
    with warehouse.snapshot() as view:
        schema = schema_of(workspace.id)
        merged = _merged(view, schema, numbers)
        away = {record for record, _ in merged}
        roots = (set(numbers) - away) | {survivor for _, survivor in merged}
        records = _among(view, "roots", roots)
        anybody = _among(view, "anybody", {*roots, *away}) if away else records
        count = _copy_records(view, f"FROM {schema}.records WHERE id IN {records}", columns)
        below = f"SELECT * FROM {schema}.merged WHERE survivor_id IN {records}"
        if away:
            _table(view, "merged", below)
        else:
            _empty(view, "merged", _NO_MERGED)
        _copy_members(view, f"FROM {schema}.members WHERE record_id IN {anybody}", segments)
        bare = NAMED_COLUMNS if identified else BARE_COLUMNS
        source = f"FROM {schema}.events WHERE record_id IN {anybody}"
        _copy_events(view, source, names, held, bare)
        living = BitMap64(roots) if count == len(roots) else _living(view)
        frame = msgspec.structs.replace(whole, schema=SCHEMA, mapped=bool(away))
        yield People(frame, living, view.position, view)


def columns_of(leaves: Iterable[Node], catalogue: Catalogue) -> frozenset[str]:
    """The columns of records that these single conditions look at."""
    asked = (leaf.property for leaf in leaves if isinstance(leaf, PropertyTest))
    found = (reading.property_of(name, catalogue) for name in asked)
    return frozenset(compiler.column_of(each) for each in found if each is not None)


def _merged(view: Snapshot, schema: str, numbers: Collection[int]) -> list[tuple[int, int]]:
    """The map of merges below everybody who is behind these records."""
    among = _listed(numbers) if len(numbers) <= _NAMED else "(SELECT unnest($1::BIGINT[]))"
    given = [] if len(numbers) <= _NAMED else [list(numbers)]
    rows = view.query(
        f"SELECT record_id, survivor_id FROM {schema}.merged"
        f" WHERE survivor_id IN {among} OR record_id IN {among}",
        given,
    ).rows
    found = {record: survivor for record, survivor in rows}  # noqa: C416 - for the types
    others = set(found.values()) - set(numbers)
    if others:  # somebody merged away was asked for: whoever lives on has others below, perhaps
        found |= dict(_merged(view, schema, others))
    return list(found.items())


def _copy_records(view: Snapshot, source: str, columns: Collection[str] | None) -> int:
    """The records; how many there are."""
    listed = "*" if columns is None else ", ".join(["id", *sorted({*columns} - {"id"})])
    return _table(view, "records", f"SELECT {listed} {source}")


def _living(view: Snapshot) -> BitMap64:
    return BitMap64(row[0] for row in view.query(f"SELECT id FROM {SCHEMA}.records").rows)


def _copy_members(view: Snapshot, source: str, segments: Collection[int] | None) -> None:
    """The stored members of the segments."""
    if segments is not None and not segments:
        _empty(view, "members", _NO_MEMBERS)
        return
    chosen = "" if segments is None else f" AND segment_id IN {_listed(segments)}"
    _table(view, "members", f"SELECT * {source}{chosen}")


def _copy_events(
    view: Snapshot,
    source: str,
    names: Collection[str] | None,
    held: Collection[str] | None,
    bare: str,
) -> None:
    """The events; what they hold is most of their bytes, and few questions look into it."""
    if names is None:
        _table(view, "events", f"SELECT {EVENT_COLUMNS} {source}")
        return
    whole = set(names) if held is None else set(names) & set(held)
    parts = [(bare, set(names) - whole), (EVENT_COLUMNS, whole)]
    selects = [
        f"SELECT {columns} {source} AND name IN {_texts(some)}" for columns, some in parts if some
    ]
    if not selects:
        _empty(view, "events", _NO_EVENTS)
        return
    _table(view, "events", selects[0])
    for select in selects[1:]:
        view.query(f"INSERT INTO {SCHEMA}.events {select}")


def _listed(numbers: Collection[int]) -> str:
    return f"({', '.join(str(int(number)) for number in numbers) or 'NULL'})"


def _texts(values: Collection[str]) -> str:
    # Written out, for with parameters zone maps are of no help.
    return f"({', '.join(compiler.to_sql(sql.text(value)) for value in sorted(values))})"


def _among(view: Snapshot, name: str, numbers: Collection[int]) -> str:
    """What a column is compared with that holds one of these numbers: a list, or a select."""
    if len(numbers) <= _NAMED:
        return _listed(numbers)
    _table(view, name, "SELECT unnest($1::BIGINT[]) AS id", [list(numbers)])
    return f"(SELECT id FROM {SCHEMA}.{name})"


def _table(view: Snapshot, name: str, select: str, given: Sequence[Any] = ()) -> int:
    """Make a temporary relation; how many rows it has."""
    return int(view.query(f"CREATE TEMP TABLE {name} AS {select}", given).rows[0][0])


def _empty(view: Snapshot, name: str, columns: str) -> None:
    """Make a temporary relation without a row."""
    view.query(f"CREATE TEMP TABLE {name} {columns}")
