"""A look into a file before it is imported: how it is written, its first rows, what they become."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pyarrow as pa

from user360.imports import suggest
from user360.imports.files import Batch, Dialect, Opened, open_file
from user360.imports.suggest import Suggestion
from user360.records.properties import Catalogue

ROWS = 20
PROBLEMS = 20


class Trouble(msgspec.Struct, frozen=True, rename="camel"):
    """Something the sender should know; `line` is None for what is about the whole file."""

    line: int | None
    code: str
    message: str


class Preview(msgspec.Struct, frozen=True, rename="camel"):
    """What a file holds. `rows` are texts, None where a cell is missing; `lines` their lines.

    `estimated_rows` is exact for what is read to its end, else reckoned from the share that is.
    """

    format: str
    dialect: Dialect
    size: int
    headers: tuple[str, ...]
    rows: list[list[str | None]]
    lines: list[int]
    estimated_rows: int
    suggestions: list[Suggestion]
    problems: list[Trouble]


def preview(
    path: Path,
    name: str,
    catalogue: Catalogue,
    remembered: Mapping[str, str],
    dialect: Dialect | None = None,
) -> Preview:
    """Look into the file at `path`, which its sender called `name`. Raises `Invalid`."""
    opened = open_file(path, name, dialect=dialect, whole=False)
    first = next(opened.batches(), None)
    return Preview(
        format=opened.format,
        dialect=opened.dialect,
        size=opened.size,
        headers=opened.headers,
        rows=_rows(first),
        lines=[] if first is None else first.lines[:ROWS].to_pylist(),
        estimated_rows=estimated(opened, first),
        suggestions=suggest.suggest(opened, catalogue, remembered, first),
        problems=_problems(opened, first),
    )


def estimated(opened: Opened, first: Batch | None) -> int:
    """How many rows a file has, about."""
    if opened.count is not None:
        return opened.count
    if first is None:
        return 0
    return round(first.next_row / first.at) if first.at else first.next_row


def _rows(first: Batch | None) -> list[list[str | None]]:
    if first is None:
        return []
    columns = [_texts(column[:ROWS]) for column in first.rows.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _texts(column: pa.Array) -> list[str | None]:
    return [None if value is None else suggest.shown(value) for value in column.to_pylist()]


def _problems(opened: Opened, first: Batch | None) -> list[Trouble]:
    bad = first.bad if first is not None else ()
    notes = [Trouble(None, note.code, note.message) for note in opened.notes]
    return [*notes, *(Trouble(row.line, row.code, row.message) for row in bad)][:PROBLEMS]
