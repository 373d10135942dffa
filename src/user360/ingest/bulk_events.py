"""Bulk loading of events: people found, ids remembered, definitions counted, columns appended."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from user360 import ids
from user360.errors import Invalid
from user360.events import definitions, event
from user360.events import store as event_store
from user360.ingest import bulk_records, store
from user360.ingest.bulk_records import Pen

COLUMNS = ("user_id", "name", "at", "id", "properties")


class Events(msgspec.Struct, frozen=True):
    """Events made ready outside the transaction; `digests` beside the rows, None without an id."""

    rows: pa.RecordBatch
    digests: list[str | None]
    seen: list[definitions.Seen]
    repeated: int

    @classmethod
    def of(cls, given: pa.RecordBatch, workspace: int) -> Events:
        """Raises `Invalid` for missing columns and for properties that are no JSON object."""
        if missing := [n for n in COLUMNS if n not in given.schema.names]:
            raise Invalid(f"The columns must be {', '.join(COLUMNS)}; {missing[0]} is missing")
        digests = [None if i is None else ids.digest(workspace, i) for i in given["id"].to_pylist()]
        rows, kept = _without(given, digests, repeated(digests))
        return cls(_canonical(rows), kept, _seen(rows), given.num_rows - rows.num_rows)


def repeated(digests: Sequence[str | None]) -> set[int]:
    """The places of ids that stood before among these."""
    if len(set(digests) - {None}) == sum(d is not None for d in digests):
        return set()
    met: set[str] = set()
    places = set()
    for place, digest in enumerate(digests):
        if digest is not None and digest in met:
            places.add(place)
        elif digest is not None:
            met.add(digest)
    return places


def _without(
    rows: pa.RecordBatch, digests: list[str | None], places: Collection[int]
) -> tuple[pa.RecordBatch, list[str | None]]:
    if not places:
        return rows, digests
    kept = [place for place in range(len(digests)) if place not in places]
    return rows.take(pa.array(kept, pa.int64())), [digests[place] for place in kept]


def _canonical(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The columns in order and in the types of the log; fresh ids where none were given."""
    names = rows["id"]
    if names.null_count:
        names = pa.array([ids.new_id() if i is None else i for i in names.to_pylist()])
    columns = [
        rows["user_id"].cast(pa.string()),
        rows["name"].cast(pa.string()),
        rows["at"].cast(pa.timestamp("us")),
        names.cast(pa.string()),
        pc.fill_null(rows["properties"].cast(pa.string()), "{}"),
    ]
    return pa.RecordBatch.from_arrays(columns, list(COLUMNS))


def _seen(rows: pa.RecordBatch) -> list[definitions.Seen]:
    """What these events add to their definitions."""
    found: dict[str, definitions.Seen] = {}
    decode = msgspec.json.Decoder(dict).decode
    moments = rows["at"].cast(pa.timestamp("us")).cast(pa.int64()).to_pylist()
    told = zip(rows["name"].to_pylist(), moments, rows["properties"].to_pylist(), strict=True)
    try:
        for name, at, properties in told:
            if name not in found:
                found[name] = definitions.Seen(definitions.Definition(name))
            found[name].add(at, decode(properties) if properties else {})
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid.at("properties", "properties must be JSON objects") from error
    return list(found.values())


def write(pen: Pen, events: Events) -> int:
    """Append those of these events that are new; returns how many were stored before."""
    known = _remember(pen, events.digests)
    if known:
        places = {place for place, d in enumerate(events.digests) if d in known}
        rows, _ = _without(events.rows, events.digests, places)
        seen = _seen(rows)
    else:
        rows, seen = events.rows, events.seen
    _append(pen, rows)
    event_store.save_seen(pen.connection, pen.workspace.id, [_joined(pen, s) for s in seen])
    return int(events.rows.num_rows - rows.num_rows)


def _remember(pen: Pen, digests: Collection[str | None]) -> set[str]:
    """Remember these; returns those that were remembered before."""
    given = [d for d in digests if d is not None]
    if store.remember_if_new(pen.connection, pen.dialect, given):
        return set()
    known = event_store.remembered(pen.connection, pen.dialect, given)
    event_store.remember(pen.connection, pen.dialect, set(given) - known)
    return known


def _append(pen: Pen, rows: pa.RecordBatch) -> None:
    if not rows.num_rows:
        return
    people = rows["user_id"].dictionary_encode()
    user_ids = people.dictionary.to_pylist()
    numbers = _numbers(pen, user_ids)
    of_person = pa.array([numbers[u] for u in user_ids], pa.int64())
    told = {name: rows[name] for name in ("name", "at", "id", "properties")}
    pen.append(event.CUSTOM, {"record": of_person.take(people.indices), **told})


def _numbers(pen: Pen, user_ids: list[str]) -> dict[str, int]:
    """The records behind these userIds; those that nobody knows are made."""
    where = (pen.connection, pen.dialect, pen.workspace.id)
    numbers = store.numbers_of(*where, user_ids)
    unknown = [u for u in user_ids if u not in numbers]
    if unknown:
        bulk_records.create_empty(pen, unknown)
        numbers |= store.numbers_of(*where, unknown)
    return numbers


def _joined(pen: Pen, seen: definitions.Seen) -> definitions.Seen:
    """What was seen, put into the definition that the workspace holds."""
    known = pen.workspace.definitions
    name = seen.definition.name
    definition = known.setdefault(name, definitions.Definition(name))
    for path, kinds in seen.definition.properties.items():
        held = definition.properties.get(path, [])
        if held or len(definition.properties) < definitions.MAX_PROPERTIES:
            definition.properties[path] = [*held, *(k for k in kinds if k not in held)]
    joined = definitions.Seen(definition)
    joined.count, joined.first, joined.last = seen.count, seen.first, seen.last
    return joined
