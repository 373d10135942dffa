"""Files of lines: the engine writes each line, and its bytes are handed on as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from user360.exports import cells
from user360.exports.columns import Column

# So many cells the engine writes in one statement: it holds room for every step of each.
AT_ONCE = 48


class Lines(NamedTuple):
    """How a line is made of its cells (SQL), with `begin`, `between` and `end` round them.

    In a sparse one cells that are NULL are left out.
    """

    cells: Sequence[str]
    begin: str = ""
    between: str = ""
    end: str = ""
    sparse: bool = False

    def selects(self) -> list[str]:
        """What to select: whole lines, or where there are many cells the parts of them."""
        if len(self.cells) <= AT_ONCE:
            return [f"{self._line(self._joined(self.cells))} AS line"]
        groups = [self.cells[i : i + AT_ONCE] for i in range(0, len(self.cells), AT_ONCE)]
        return [f"nullif({self._joined(group)}, '') AS line" for group in groups]

    def _joined(self, group: Sequence[str]) -> str:
        if self.sparse:
            return f"concat_ws({cells.literal(self.between)}, {', '.join(group)})"
        between = f", {cells.literal(self.between)}, " if self.between else ", "
        return f"concat({between.join(group)})"

    def _line(self, joined: str) -> str:
        return f"concat({cells.literal(self.begin)}, {joined}, {cells.literal(self.end)})"

    def together(self, parts: Sequence[pa.ChunkedArray]) -> pa.RecordBatch:
        """Whole lines from what each of several selects found, in the same order of rows."""
        whole = [part.combine_chunks() for part in parts]
        how = "skip" if self.sparse else "replace"
        joined = pc.binary_join_element_wise(*whole, self.between, null_handling=how)
        lines = pc.binary_join_element_wise(self.begin, joined, self.end, "")
        return pa.record_batch([lines], ["line"])


def csv(columns: Sequence[Column]) -> Lines:
    """Lines of CSV."""
    values = [cells.csv(column) for column in columns]
    if len(values) == 1:  # an empty line would be no row
        values = [f"coalesce({values[0]}, '\"\"')"]
    return Lines(values, between=",", end="\n")


def csv_bytes(columns: Sequence[Column], batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """A header with the names of the columns, then the lines."""
    yield ",".join(column.name for column in columns).encode() + b"\n"
    yield from _bytes(batches)


def json(columns: Sequence[Column]) -> Lines:
    """Lines of JSON: objects without what is not known."""
    pairs = [f"'\"{column.name}\":' || {cells.json(column)}" for column in columns]
    return Lines(pairs, "{", ",", "}\n", sparse=True)


def json_bytes(_columns: Sequence[Column], batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """The lines."""
    return _bytes(batches)


def _bytes(batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    return (joined(batch.column(0)) for batch in batches if batch.num_rows)


def joined(texts: pa.Array) -> bytes:
    """The texts of an array one after another, which is how Arrow holds them."""
    _, offsets, data = texts.buffers()
    ends = pa.Array.from_buffers(pa.int32(), len(texts) + 1, [None, offsets], offset=texts.offset)
    first, last = ends[0].as_py(), ends[-1].as_py()
    return bytes(data.slice(first, last - first))
