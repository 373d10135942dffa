"""XLSX: the first sheet that holds rows, and those after it that go on with the same header."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar
from xml.parsers import expat

from user360.errors import Invalid
from user360.imports.files import batching, columns, headings, styles
from user360.imports.files import cells as reading
from user360.imports.files.batching import Part, Row
from user360.imports.files.cells import Cell, Texts
from user360.imports.files.opened import ROWS, BadRow, Batch, Dialect, Note, told

# What a workbook may unpack to: so much at all, and, once it is not small, so many times its size.
MOST_BYTES = 8 << 30
MOST_UNPACKED = 150
UNSUSPICIOUS = 100 << 20
LARGEST_PART = 64 << 20  # of those that are read whole: styles, the list of sheets

NO_WORKBOOK = "The file is no XLSX workbook that can be read: {}"
BOMB = "The workbook unpacks to {:,} MB, which no list of people does"
TOO_MANY = "the row has a cell in column {}, but the header names {} columns"
LONG_CELL = f"a cell holds more than {reading.LONGEST_CELL:,} characters"
BROKEN_CELL = "a cell holds no number, or refers to a text that the workbook does not have"
BROKEN = "\0\0"  # stands for such a cell; no XML can hold it
DAMAGED = "the sheet is damaged from here on: {}"


class Workbook:
    """An opened workbook. All cells come as texts: numbers with the 15 digits that Excel shows,
    days as `YYYY-MM-DD`, times with a date as `YYYY-MM-DD hh:mm:ss`.

    A row's line is its row in the sheet; sheets that go on count on.
    """

    format: ClassVar[str] = "xlsx"
    count: int | None = None

    def __init__(self, path: Path, size: int) -> None:
        self.path, self.size = path, size
        self.dialect = Dialect()
        with self._book() as book:
            self._sheets = [sheet for sheet in book.sheets if book.first(sheet)]
            if not self._sheets:
                raise Invalid("The workbook has no rows, not even a header")
            start = book.first(self._sheets[0])
            others = [book.first(sheet)[:1] for sheet in self._sheets[1:]]
        named = headings.of([row for _, row in start])
        self.headers = named.headers
        self._header = None if named.invented else _stripped(start[0][1])
        goes_on = [rows and _stripped(rows[0][1]) == self._header for rows in others]
        left = [s for s, on in zip(self._sheets[1:], goes_on, strict=True) if not on]
        self._sheets = [s for s in self._sheets if s not in left]
        self.notes = (*named.notes, *_left_out(left))

    def batches(
        self, rows: int = ROWS, skip: int = 0, columns: Collection[str] | None = None
    ) -> Iterator[Batch]:
        """See `opened.Opened.batches`."""
        want = batching.wanted(self.headers, columns, _texts)
        with self._book() as book:
            yield from batching.batched(self._parts(book), want, rows, skip)

    def _parts(self, book: _Book) -> Iterator[Part]:
        whole = sum(book.size(sheet) for sheet in self._sheets)
        above = before = 0
        for sheet in self._sheets:
            header, line = self._header is not None, 0
            try:
                for found, done in book.rows(sheet):
                    rows, lines, weight = list[Row | BadRow](), list[int](), 0
                    for line, row in found:
                        weight += sum(map(len, filter(None, row)))
                        if not any(row):
                            continue
                        if header:
                            header = False
                            continue
                        rows.append(self._settled(row, above + line))
                        lines.append(above + line)
                    yield Part(rows, lines, (before + done) / max(1, whole), weight)
            except _UNREADABLE as error:
                broken = told(above + line + 1, "", "damaged", DAMAGED.format(error))
                yield Part([broken], [above + line + 1], 1.0, 0)
            above += line
            before += book.size(sheet)

    def _settled(self, row: list[str | None], line: int) -> Row | BadRow:
        width = len(self.headers)
        if reading.TOO_LONG in row:
            return told(line, _shown(row), "cellTooLong", LONG_CELL)
        if BROKEN in row:
            return told(line, _shown(row), "damaged", BROKEN_CELL)
        if len(row) > width:
            place = next((i for i, cell in enumerate(row[width:], width + 1) if cell), 0)
            if place:
                return told(line, _shown(row), "ragged", TOO_MANY.format(place, width))
        if len(row) > 1 and _stripped(row) == self._header:
            return told(line, _shown(row), "repeatedHeader", "the header, once more")
        return [*row[:width], *[None] * (width - len(row))]

    @contextmanager
    def _book(self) -> Iterator[_Book]:
        try:
            with _Archive(self.path) as archive, closing(Texts()) as texts:
                yield _Book(archive, texts)
        except Invalid:
            raise
        except _UNREADABLE as error:
            raise Invalid(NO_WORKBOOK.format(str(error)[:200])) from None


class _Archive(zipfile.ZipFile):
    """A workbook's archive, refused before anything of it is unpacked when it grows too large."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        parts = self.infolist()
        unpacked = sum(part.file_size for part in parts)
        packed = max(1, path.stat().st_size)
        allowed = min(MOST_BYTES, max(UNSUSPICIOUS, MOST_UNPACKED * packed))
        if unpacked > allowed:
            self.close()
            raise Invalid(BOMB.format(unpacked >> 20))
        if any(part.flag_bits & 1 for part in parts):
            self.close()
            raise Invalid("The workbook is protected by a password; save it without one")

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:
        if self.getinfo(name).file_size > LARGEST_PART:
            raise Invalid(NO_WORKBOOK.format(f"{name} is too large"))
        return super().read(name, pwd)


class _Book:
    """The sheets of an open archive, and what their cells mean."""

    def __init__(self, archive: _Archive, texts: Texts) -> None:
        self._archive = archive
        self._texts = texts
        self._styles, self._paths, shared = styles.workbook(archive)
        if shared:
            with archive.open(shared) as source:
                reading.texts(source, self._texts)

    @property
    def sheets(self) -> list[str]:
        """The names of the visible sheets, in order."""
        return list(self._paths)

    def size(self, sheet: str) -> int:
        return self._archive.getinfo(self._paths[sheet]).file_size

    def rows(self, sheet: str) -> Iterator[tuple[list[tuple[int, list[str | None]]], int]]:
        with self._archive.open(self._paths[sheet]) as source:
            for found, done in reading.rows(source):
                yield [(number, self._row(cells)) for number, cells in found], done

    def first(self, sheet: str) -> list[tuple[int, list[str | None]]]:
        """The first rows that are not blank."""
        found: list[tuple[int, list[str | None]]] = []
        try:
            for some, _ in self.rows(sheet):
                found += [(number, row) for number, row in some if any(row)]
                if len(found) >= headings.LOOKED_AT:
                    break
        except _UNREADABLE:
            if not found:
                raise
        return found[: headings.LOOKED_AT]

    def _row(self, cells: list[Cell]) -> list[str | None]:
        if not cells:
            return []
        row: list[str | None] = [None] * (max(cell[0] for cell in cells) + 1)
        for place, kind, style, value in cells:
            try:
                row[place] = self._text(kind, style, value)
            except (LookupError, ValueError):
                row[place] = BROKEN
        return row

    def _text(self, kind: str, style: str, value: str) -> str:
        if kind == "s":
            return styles.unescaped(self._texts[int(value)])
        return self._styles.text(kind, style, value)


_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    Invalid,
)


def _left_out(sheets: list[str]) -> list[Note]:
    message = "the sheet {} has another header and is not read; import it as a file of its own"
    return [Note("otherSheet", message.format(sheet)) for sheet in sheets]


def _stripped(row: list[str | None]) -> list[str]:
    cells = [(cell or "").strip() for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _shown(row: list[str | None]) -> str:
    shown = io.StringIO()
    csv.writer(shown).writerow([(cell or "")[:1000] for cell in row[:200]])
    return shown.getvalue()


def _texts(values: Any) -> Any:
    return columns.texts(values)
