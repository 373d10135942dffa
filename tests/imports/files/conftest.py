"""Files made in a test, and what is read of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from user360.imports.files import BadRow, Dialect, Opened, open_file

Opening = Callable[..., Opened]


@pytest.fixture
def opening(tmp_path: Path) -> Opening:
    """Writes bytes to a file and opens it."""

    def write_and_open(
        data: bytes, name: str = "people.csv", dialect: Dialect | None = None, whole: bool = True
    ) -> Opened:
        path = tmp_path / "upload"
        path.write_bytes(data)
        return open_file(path, name, dialect=dialect, whole=whole)

    return write_and_open


class Everything:
    """All that a file holds: rows with their lines, and bad ones."""

    def __init__(self, opened: Opened, rows: int = 20_000, skip: int = 0) -> None:
        self.rows: list[list[Any]] = []
        self.lines: list[int] = []
        self.bad: list[BadRow] = []
        self.shares: list[float] = []
        self.sizes: list[int] = []
        for batch in opened.batches(rows, skip):
            found = batch.rows.to_pydict()
            columns = [found[name] for name in opened.headers]
            self.rows += [list(row) for row in zip(*columns, strict=True)]
            self.lines += batch.lines.to_pylist()
            self.bad += batch.bad
            self.shares.append(batch.at)
            self.sizes.append(batch.next_row - batch.first_row)

    @property
    def codes(self) -> list[tuple[int, str]]:
        return [(row.line, row.code) for row in self.bad]


@pytest.fixture
def everything() -> type[Everything]:
    """Reads a file to its end."""
    return Everything


@pytest.fixture
def workbook() -> Callable[..., bytes]:
    """Makes an XLSX workbook of one sheet from rows, or of several from rows by name."""

    def make(*rows: Sequence[object], **sheets: Sequence[Sequence[object]]) -> bytes:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, held in ({"People": rows} | sheets).items():
            sheet = book.create_sheet(name)
            for row in held:
                sheet.append(list(row))
        data = io.BytesIO()
        book.save(data)
        return data.getvalue()

    return make


@pytest.fixture
def changed() -> Callable[[bytes, str, Callable[[bytes], bytes]], bytes]:
    """A zip archive with one part of it changed."""

    def change(archive: bytes, part: str, by: Callable[[bytes], bytes]) -> bytes:
        data = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(archive)) as old,
            zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as new,
        ):
            for name in old.namelist():
                held = old.read(name)
                new.writestr(name, by(held) if name == part else held)
        return data.getvalue()

    return change
