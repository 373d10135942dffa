"""Parquet: typed columns, moments in UTC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa

from user360.exports.columns import Column, Kind
from user360.sink import Sink

GROUP_ROWS = 100_000
GROUP_BYTES = 32_000_000

TYPES: Mapping[Kind, pa.DataType] = {
    Kind.TEXT: pa.string(),
    Kind.PLAIN: pa.string(),
    Kind.JSON: pa.string(),
    Kind.NUMBER: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.MOMENT: pa.timestamp("us", tz="UTC"),
    Kind.TIME: pa.time64("us"),
    Kind.LIST: pa.list_(pa.string()),
}


def encode(columns: Sequence[Column], batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """The file, a group of rows at a time."""
    import pyarrow.parquet as pq

    schema = pa.schema([(column.name, TYPES[column.kind]) for column in columns])
    sink = Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd", compression_level=1) as writer:
        for group in _groups(batches):
            writer.write_table(_shaped(group, schema), row_group_size=GROUP_ROWS)
            yield sink.taken()
    yield sink.taken()


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Batches in groups that are neither small nor more than memory should hold."""
    group: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        group.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            yield group
            group, rows, size = [], 0, 0
    if group:
        yield group


def _shaped(group: list[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    """The engine's moments have no zone, for they are all in UTC."""
    table = pa.Table.from_batches(group)
    arrays = [column.cast(field.type) for column, field in zip(table.columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
