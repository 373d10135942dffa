"""The kinds of files there are, one row each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa

from user360.exports.columns import Column
from user360.exports.formats import lines, parquet, xlsx

Select = Callable[[Sequence[Column]], str]
Encode = Callable[[Sequence[Column], Iterable[pa.RecordBatch]], Iterator[bytes]]


class Format(NamedTuple):
    """A kind of file: `select` says what the engine is to select, `encode` makes it bytes."""

    name: str
    media_type: str
    select: Select
    encode: Encode


CSV = Format("csv", "text/csv", lines.csv, lines.csv_bytes)
JSONL = Format("jsonl", "application/x-ndjson", lines.json, lines.json_bytes)
XLSX = Format(
    "xlsx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    xlsx.select,
    xlsx.encode,
)
PARQUET = Format("parquet", "application/vnd.apache.parquet", parquet.select, parquet.encode)
FORMATS = {each.name: each for each in (CSV, JSONL, XLSX, PARQUET)}
GZIP = "application/gzip"
