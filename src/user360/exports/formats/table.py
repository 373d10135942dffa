"""The kinds of files there are, one row each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa

from user360.exports.columns import Column
from user360.exports.formats import lines, parquet, xlsx
from user360.exports.formats.lines import Lines

Encode = Callable[[Sequence[Column], Iterable[pa.RecordBatch]], Iterator[bytes]]


class Format(NamedTuple):
    """A kind of file: `lines` says what its lines are made of, `encode` makes it bytes.

    Without lines the rows are typed columns.
    """

    name: str
    media_type: str
    lines: Callable[[Sequence[Column]], Lines] | None
    encode: Encode


CSV = Format("csv", "text/csv", lines.csv, lines.csv_bytes)
JSONL = Format("jsonl", "application/x-ndjson", lines.json, lines.json_bytes)
XLSX = Format(
    "xlsx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    xlsx.rows,
    xlsx.encode,
)
PARQUET = Format("parquet", "application/vnd.apache.parquet", None, parquet.encode)
FORMATS = {each.name: each for each in (CSV, JSONL, XLSX, PARQUET)}
GZIP = "application/gzip"
