"""CSV and JSON lines: the engine writes each line, and its bytes are handed on as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from user360.exports import cells
from user360.exports.columns import Column

BREAK = "chr(10)"


def csv(columns: Sequence[Column]) -> str:
    """What to select for CSV."""
    values = [cells.csv(column) for column in columns]
    if len(values) == 1:  # an empty line would be no row
        values = [f"coalesce({values[0]}, '\"\"')"]
    between = ", ',', ".join(values)
    return f"concat({between}, {BREAK}) AS line"


def csv_bytes(columns: Sequence[Column], batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """A header with the names of the columns, then the lines."""
    yield ",".join(column.name for column in columns).encode() + b"\n"
    yield from _bytes(batches)


def json(columns: Sequence[Column]) -> str:
    """What to select for JSON lines: objects without what is not known."""
    pairs = [f"'\"{column.name}\":' || {cells.json(column)}" for column in columns]
    return f"concat('{{', concat_ws(',', {', '.join(pairs)}), '}}', {BREAK}) AS line"


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
