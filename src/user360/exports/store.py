"""The SQL of exports: whose rows they are, in what parts they are read, the rows of each part.

A part is a stretch of records, or of the log, that the engine can put in order in little memory.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from user360.exports import cells
from user360.exports.columns import Column
from user360.exports.formats.lines import Lines
from user360.storage.warehouse import Snapshot

# Tables made beside the view; gone with it.
CHOSEN = "exported_people"
SAID = "exported_talks"
HELD = "exported_segments"
# What is counted together is at least so much of the order.
RECORD_BITS, EVENT_BITS, TALK_BITS = 14, 17, 12
CELLS = 2_500_000  # of a part
EVENT_BYTES = 96_000_000


class Part(NamedTuple):
    """The rows from `first` up to, but not including, `end`."""

    first: int
    end: int


class Rows(NamedTuple):
    """What a file has as rows: where they are, by what they are in order, which of them."""

    source: str
    order: str
    where: str
    given: tuple[Any, ...] = ()


def choose(view: Snapshot, selects: Sequence[str]) -> None:
    """Note the people whom each of these selections of `id` names."""
    among = " INTERSECT ".join(f"SELECT id FROM ({select}) AS found" for select in selects)
    view.query(f"CREATE TEMP TABLE {CHOSEN} AS SELECT DISTINCT id FROM ({among}) AS chosen")


def named(schema: str, numbers: Sequence[int]) -> str:
    """SQL that selects the `id` of those of these records that are there."""
    among = ", ".join(str(number) for number in numbers) or "NULL"
    return f"SELECT id FROM {schema}.records WHERE id IN ({among})"


def hold(view: Snapshot, members: str, names: Mapping[int, str]) -> None:
    """Note the names of the segments that each record is in; `members` selects segment and id."""
    view.query(
        f"CREATE TEMP TABLE {HELD} AS SELECT id, list(name ORDER BY name) AS segments"
        f" FROM ({members}) AS held JOIN (SELECT unnest(?::BIGINT[]) AS segment_id,"
        " unnest(?::VARCHAR[]) AS name) AS named USING (segment_id) GROUP BY id",
        [list(names), list(names.values())],
    )


def mapped(view: Snapshot, schema: str) -> bool:
    """Whether any record was merged away."""
    return bool(view.query(f"SELECT 1 FROM {schema}.merged LIMIT 1").rows)


def records(schema: str, chosen: bool, held: bool) -> Rows:
    """The rows of a file of records."""
    segments = f" LEFT JOIN {HELD} AS h ON h.id = r.id" if held else ""
    among = f"r.id IN (SELECT id FROM {CHOSEN})" if chosen else "true"
    return Rows(f"{schema}.records AS r{segments}", "r.id", among)


def events(
    schema: str, chosen: bool, names: Sequence[str], since: int | None, until: int | None
) -> Rows:
    """The rows of a file of events; `since` and `until` in microseconds, the second not included.

    Of everybody's events these are all, those too that tell of who was deleted.
    """
    source = (
        f"{schema}.events AS e LEFT JOIN {schema}.merged AS m ON m.record_id = e.record_id"
        f" LEFT JOIN {schema}.records AS r ON r.id = coalesce(m.survivor_id, e.record_id)"
    )
    where, given = ["true"], list[Any]()
    if chosen:
        where.append(f"coalesce(m.survivor_id, e.record_id) IN (SELECT id FROM {CHOSEN})")
    if names:
        where.append(f"e.name IN ({', '.join('?' * len(names))})")
        given += names
    for comparison, moment in ((">=", since), ("<", until)):
        if moment is not None:
            where.append(f'e."at" {comparison} make_timestamp(?)')
            given.append(moment)
    return Rows(source, "e.seq", " AND ".join(where), tuple(given))


def talks(schema: str, chosen: bool) -> Rows:
    """The rows of a file of conversations or messages: those that `SAID` holds."""
    source = (
        f"{SAID} AS c LEFT JOIN {schema}.merged AS m ON m.record_id = c.record_id"
        f" LEFT JOIN {schema}.records AS r ON r.id = coalesce(m.survivor_id, c.record_id)"
    )
    among = f"coalesce(m.survivor_id, c.record_id) IN (SELECT id FROM {CHOSEN})"
    return Rows(source, "c.id", among if chosen else "true")


def record_parts(view: Snapshot, rows: Rows, columns: int) -> tuple[int, list[Part]]:
    """How many records there are, and the parts to read them in."""
    counted = view.query(
        f"SELECT r.id >> {RECORD_BITS} AS bucket, count(*), count(*) * {columns}"
        f" FROM {rows.source} WHERE {rows.where} GROUP BY bucket ORDER BY bucket",
        rows.given,
    ).rows
    return sum(count for _, count, _ in counted), _parts(counted, RECORD_BITS, CELLS)


def event_parts(view: Snapshot, rows: Rows) -> tuple[int, list[Part]]:
    """How many events there are, and the parts to read them in."""
    return _long_parts(view, rows, "e.properties", EVENT_BITS)


def talk_parts(view: Snapshot, rows: Rows) -> tuple[int, list[Part]]:
    """How many conversations or messages there are, and the parts to read them in."""
    return _long_parts(view, rows, "c.text", TALK_BITS)


def _long_parts(view: Snapshot, rows: Rows, text: str, bits: int) -> tuple[int, list[Part]]:
    counted = view.query(
        f"SELECT {rows.order} >> {bits} AS bucket, count(*),"
        f" sum(strlen({text}) + 100)::BIGINT"
        f" FROM {rows.source} WHERE {rows.where} GROUP BY bucket ORDER BY bucket",
        rows.given,
    ).rows
    return sum(count for _, count, _ in counted), _parts(counted, bits, EVENT_BYTES)


def _parts(counted: Sequence[tuple[int, int, int]], bits: int, most: int) -> list[Part]:
    """Buckets, each with its size, put together as long as they are not too much."""
    parts: list[Part] = []
    filled = most
    for bucket, _, size in counted:
        if filled + size > most:
            parts.append(Part(bucket << bits, bucket << bits))
            filled = 0
        parts[-1] = Part(parts[-1].first, (bucket + 1) << bits)
        filled += size
    return parts


def read(
    view: Snapshot, rows: Rows, part: Part, columns: Sequence[Column], lines: Lines | None
) -> Generator[pa.RecordBatch, None, None]:
    """The rows of one part in their order, as they are found: typed columns, or lines."""
    if lines is None:
        typed = ", ".join(f"{column.sql} AS c{i}" for i, column in enumerate(columns))
        yield from view.batches(_select(rows, part, typed), rows.given)
        return
    selects = [_select(rows, part, select) for select in lines.selects()]
    if len(selects) == 1:
        yield from view.batches(selects[0], rows.given)
    else:
        found = [view.table(select, rows.given).column(0) for select in selects]
        yield lines.together(found)


def _select(rows: Rows, part: Part, select: str) -> str:
    return f"SELECT {select} FROM {rows.source} WHERE {_inside(rows, part)} ORDER BY {rows.order}"


def longer(
    view: Snapshot, rows: Rows, part: Part, columns: Sequence[Column], most: int
) -> tuple[int, str] | None:
    """The first row of a part with a cell of more characters than `most`, and its column."""
    long = [f"length({cells.text(column)}) > {most}" for column in columns]
    if not long:
        return None
    named = " ".join(
        f"WHEN {test} THEN {cells.literal(column.name)}"
        for test, column in zip(long, columns, strict=True)
    )
    found = view.query(
        f"SELECT {rows.order}, CASE {named} END FROM {rows.source}"
        f" WHERE {_inside(rows, part)} AND ({' OR '.join(long)}) ORDER BY 1 LIMIT 1",
        rows.given,
    ).rows
    return (found[0][0], found[0][1]) if found else None


def _inside(rows: Rows, part: Part) -> str:
    return f"{rows.order} >= {part.first} AND {rows.order} < {part.end} AND {rows.where}"
