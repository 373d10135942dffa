"""Rows gathered into batches that are bounded in rows, cells and characters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import msgspec
import pyarrow as pa

from user360.imports.files.opened import BadRow, Batch

CELLS = 600_000
CHARACTERS = 8_000_000

Row = Sequence[Any]
Column = Callable[[Sequence[Any]], pa.Array]


class Part(msgspec.Struct, frozen=True):
    """Rows as a reader finds them, as wide as the header, and bad ones between them.

    `lines` is as long as `rows`; `weight` is about how many characters they hold.
    """

    rows: list[Row | BadRow]
    lines: list[int]
    at: float
    weight: int


class Wanted(msgspec.Struct, frozen=True):
    """Which columns are read, under which names, and what makes an array of one."""

    headers: tuple[str, ...]
    places: tuple[int, ...]
    column: Column


def wanted(headers: Sequence[str], columns: Collection[str] | None, column: Column) -> Wanted:
    """Those of `headers` that `columns` names; None is all."""
    chosen = [i for i, name in enumerate(headers) if columns is None or name in columns]
    return Wanted(tuple(headers[i] for i in chosen), tuple(chosen), column)


def batched(parts: Iterable[Part], want: Wanted, rows: int, skip: int) -> Iterator[Batch]:
    """The rows of `parts` in batches of at most `rows`, without the first `skip`."""
    limit = max(1, min(rows, CELLS // max(1, len(want.places))))
    held: list[Row | BadRow] = []
    lines: list[int] = []
    first, weight, at = skip, 0, 0.0
    for part in parts:
        before, at = at, part.at
        passed = min(skip, len(part.rows))
        skip -= passed
        held += part.rows[passed:]
        lines += part.lines[passed:]
        weight += part.weight
        while len(held) >= limit or (held and weight > CHARACTERS):
            left = max(0, len(held) - limit) / max(1, len(part.rows))
            yield _batch(held[:limit], lines[:limit], first, want, at - (at - before) * left)
            first += len(held[:limit])
            del held[:limit], lines[:limit]
            weight = 0 if not held else weight // 2
    if held:
        yield _batch(held, lines, first, want, at)


def _batch(
    held: list[Row | BadRow], lines: list[int], first: int, want: Wanted, at: float
) -> Batch:
    bad = tuple(row for row in held if isinstance(row, BadRow))
    good = [row for row in held if not isinstance(row, BadRow)]
    if bad:
        both = zip(held, lines, strict=True)
        lines = [line for row, line in both if not isinstance(row, BadRow)]
    # A column at a time, so that nobody waits long for the interpreter.
    arrays = [want.column(list(map(itemgetter(place), good))) for place in want.places]
    table = _table(arrays, want.headers, len(good))
    return Batch(first, table, pa.array(lines, pa.int64()), bad, at)


def _table(arrays: list[pa.Array], names: tuple[str, ...], count: int) -> pa.RecordBatch:
    if arrays:
        return pa.RecordBatch.from_arrays(arrays, list(names))
    return pa.RecordBatch.from_struct_array(pa.array([{}] * count, pa.struct([])))
