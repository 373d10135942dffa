"""A piece of a batch: as many rows as one short transaction writes, made ready outside of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from user360.events.event import encode
from user360.imports.failures import Failed
from user360.imports.plan import TAGS, Plan
from user360.imports.rows import Ready
from user360.imports.singly import Row, message_id
from user360.imports.sorting import Sorted, Way

# About how long the rows of each way take to write, and how much of that a transaction holds: some
# hundred milliseconds, for everybody else's calls wait behind it.
COSTS = {Way.NEW: 1.0, Way.SAME: 0.02, Way.SKIP: 0.02, Way.SINGLY: 8.0}
BUDGET = 4_000.0


class New(msgspec.Struct, frozen=True):
    """Records to be made: which rows they are, and what is written of them."""

    rows: list[int]
    user_ids: list[str | None]
    cells: list[str]
    told: pa.StringArray


class Piece(msgspec.Struct, frozen=True):
    """The rows of the file whose numbers lie in `start <= n < end`; `now` is when it is written."""

    start: int
    end: int
    now: int
    ready: Ready
    new: New
    singly: list[int]
    same: list[int]  # the records of rows that change nothing
    skipped: int
    failed: list[Failed]
    empty: int


def row_of(ready: Ready, row: int) -> Row:
    """A row as it is written singly."""
    held = {name: column[row] for name, column in ready.texts.items() if column[row].is_valid}
    properties = {name: msgspec.json.decode(text.as_py()) for name, text in held.items()}
    return Row(ready.places[row], ready.user_ids[row], properties)


def extents(ready: Ready, ways: Sequence[Way]) -> Iterator[tuple[int, int]]:
    """Where the pieces of a batch begin and end."""
    start, cost = ready.batch.first_row, 0.0
    for row, way in enumerate(ways):
        cost += COSTS[way]
        if cost > BUDGET and ready.places[row] > start:
            yield start, ready.places[row]
            start, cost = ready.places[row], COSTS[way]
    yield start, ready.batch.next_row


def cut(
    ready: Ready, found: Sorted, plan: Plan, job: str, extent: tuple[int, int], now: int
) -> Piece:
    """The rows of one extent, made ready to be written at time `now`."""
    start, end = extent
    rows = ready.between(start, end)
    by_way: dict[Way, list[int]] = {way: [] for way in Way}
    for row in rows:
        by_way[found.ways[row]].append(row)
    return Piece(
        start,
        end,
        now,
        ready,
        made_ready(ready, by_way[Way.NEW], plan, job, start, now),
        by_way[Way.SINGLY],
        [found.records[row] for row in by_way[Way.SAME]],
        len(by_way[Way.SKIP]),
        [failed for place, failed in ready.failed if start <= place < end],
        sum(start <= place < end for place in ready.empty),
    )


def made_ready(ready: Ready, rows: list[int], plan: Plan, job: str, start: int, now: int) -> New:
    """The cells and states of new records, composed for all of them at once."""
    places = pa.array(rows, pa.int64())
    texts = {name: column.take(places) for name, column in ready.texts.items() if name != TAGS}
    tags = _tags(ready, places, plan)
    if tags is not None:
        texts[TAGS] = tags
    provenance = encode([plan.at, message_id(start), now, "csv", job, None]).decode()
    cells, told = [], [_joined(',"userId":', pc.fill_null(ready.named.take(places), "null"), "")]
    for name, column in texts.items():
        head = f",{encode(name).decode()}:"
        cells.append(_joined(f"{head}[", column, f",{provenance[1:]}"))
        told.append(_joined(head, column, ""))
    return New(
        rows,
        [ready.user_ids[row] for row in rows],
        _together(cells, len(rows), "{", "}").to_pylist(),
        _together(told, len(rows), "", "}"),
    )


def _joined(before: str, column: pa.StringArray, after: str) -> pa.StringArray:
    return pc.binary_join_element_wise(before, column, after, "")


def _together(
    columns: Sequence[pa.StringArray], count: int, before: str, after: str
) -> pa.StringArray:
    """What columns hold of each row, all of which begin with a comma, the first one without."""
    if not columns:
        return pa.array([before + after] * count, pa.string())
    # Nulls are replaced rather than skipped: rows of nothing but nulls would be left out.
    held = pc.binary_join_element_wise(*columns, "", null_handling="replace", null_replacement="")
    return _joined("", pc.binary_replace_slice(held, 0, 1, before), after)


def _tags(ready: Ready, places: pa.Array, plan: Plan) -> pa.StringArray | None:
    """The tags of new records: their own and those of the import; None where nobody has any."""
    own, more = ready.texts.get(TAGS), plan.all_tags
    if own is None and not more:
        return None
    if own is None:
        return pa.array([encode(more).decode()] * len(places), pa.string())
    taken = own.take(places)
    if not more:
        return taken
    encoded = pc.fill_null(taken, "[]").dictionary_encode()
    united = [_united(text, more) for text in encoded.dictionary.to_pylist()]
    return pa.array(united, pa.string()).take(encoded.indices)


def _united(text: str, more: Sequence[str]) -> str:
    own: list[Any] = msgspec.json.decode(text)
    return encode(list(dict.fromkeys([*own, *more]))).decode()


def without(new: New, dropped: set[int]) -> New:
    """The same without some rows, which turned out not to be new."""
    kept = [place for place, row in enumerate(new.rows) if row not in dropped]
    return New(
        [new.rows[place] for place in kept],
        [new.user_ids[place] for place in kept],
        [new.cells[place] for place in kept],
        new.told.take(pa.array(kept, pa.int64())),
    )
