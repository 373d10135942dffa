"""What the doctor finds: kinds of differences, counted, each with a few examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

EXAMPLES = 20


class Finding(msgspec.Struct, frozen=True):
    """One kind of difference. `workspace` is a name, empty for the whole directory.

    `examples` are record ids, positions and names of columns, never anybody's values.
    """

    workspace: str
    part: str
    what: str
    count: int
    examples: tuple[str, ...] = ()


class Tally:
    """Counts differences of one workspace by part and kind."""

    def __init__(self, workspace: str) -> None:
        self.workspace = workspace
        self._counts: dict[tuple[str, str], int] = {}
        self._examples: dict[tuple[str, str], list[str]] = {}

    def add(self, part: str, what: str, examples: Sequence[object] = (), count: int = 0) -> None:
        """Count `count` more, or as many as there are examples."""
        more = count or len(examples)
        if not more:
            return
        kind = (part, what)
        self._counts[kind] = self._counts.get(kind, 0) + more
        held = self._examples.setdefault(kind, [])
        held.extend(str(e) for e in examples[: EXAMPLES - len(held)])

    def findings(self) -> list[Finding]:
        """All that was counted, in the order it was met."""
        return [
            Finding(self.workspace, part, what, count, tuple(self._examples[part, what]))
            for (part, what), count in self._counts.items()
        ]


class Told(msgspec.Struct, frozen=True):
    """How differences of a table are told: part, key column, what a row and a column is called."""

    part: str
    key: str
    row: Callable[[int], str]
    column: Callable[[str], str]


def differences(expected: pa.Table, held: pa.Table, told: Told, tally: Tally) -> None:
    """Count what differs between two pieces of a table, found by their key."""
    if held.num_rows == expected.num_rows:
        held = held.sort_by(told.key)
        expected = expected.sort_by(told.key)
        if held.equals(expected):
            return
    _twice(held, told, tally)
    left, right = expected[told.key], held[told.key]
    missing = left.filter(pc.invert(pc.is_in(left, right)))
    extra = right.filter(pc.invert(pc.is_in(right, left)))
    tally.add(told.part, "are missing from the warehouse", _rows(missing, told))
    tally.add(told.part, "are only in the warehouse", _rows(extra, told))
    _unlike(expected, held, told, tally)


def _twice(held: pa.Table, told: Told, tally: Tally) -> None:
    counts = held[told.key].value_counts()
    twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    tally.add(told.part, "stand in the warehouse more than once", _rows(twice, told))


def _unlike(expected: pa.Table, held: pa.Table, told: Told, tally: Tally) -> None:
    """Compare the rows both have, column by column."""
    key = told.key
    places = pc.index_in(expected[key], held[key].combine_chunks())
    both = expected.filter(pc.is_valid(places))
    other = held.take(places.drop_null())
    for name in expected.schema.names:
        ours, theirs = both[name], other[name]
        if not ours.equals(theirs):
            pairs = zip(both[key].to_pylist(), ours.to_pylist(), theirs.to_pylist(), strict=True)
            unlike = [told.row(n) for n, a, b in pairs if a != b]
            tally.add(told.part, f"differ in {told.column(name)}", unlike)


def _rows(numbers: pa.ChunkedArray | pa.Array, told: Told) -> list[str]:
    return [told.row(n) for n in numbers.to_pylist()]
