"""CSV and its relatives: rows of a text file, each readable or told with its reason.

Python's own reader does the reading, strictly, so that an odd quote is an error of its row. A quote
that never closes is one too: the row where it opened is told, and reading goes on at its next line.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec
import pyarrow as pa

from user360.errors import Invalid
from user360.imports.files import batching, bytes_of, columns, dialects, headings, text
from user360.imports.files.batching import Part, Row
from user360.imports.files.opened import ROWS, BadRow, Batch, Dialect, told
from user360.imports.files.text import Lines

LONGEST_CELL = 1_000_000
# How many lines a quoted cell may run on before its quote is held to be one that never closes. It
# is halved each time, so that a file of nothing but such quotes does not take for ever.
PATIENCE = 1_000
LEAST_PATIENCE = 8

NEVER_CLOSED = "a quote opens here and is never closed"
ODD_QUOTE = "a closing quote is followed by other text than a delimiter"
LONG_CELL = f"a cell holds more than {LONGEST_CELL:,} characters"
LONG_ROW = f"the row holds more than {text.LONGEST_LINE:,} characters"
TOO_MANY = "the row has {} cells, but the header names {} columns"
UNREADABLE = "the row holds zero bytes, or bytes that are not of the file's encoding ({})"
AGAIN = "the header, once more"


class Separated:
    """An opened file of delimited text."""

    format: ClassVar[str] = "csv"
    count: int | None = None

    def __init__(self, path: Path, size: int, dialect: Dialect) -> None:
        self.path, self.size, self.dialect = path, size, dialect
        csv.field_size_limit(LONGEST_CELL)
        first = self._first_rows()
        if not first.rows:
            raise Invalid(first.refused or "The file has no rows, not even a header")
        named = headings.of(first.rows)
        self.headers, self.notes = named.headers, named.notes
        self._skipped = 0 if named.invented else 1
        self._given = () if named.invented else tuple(first.rows[0])
        if first.told_apart:
            self._skipped += 1

    def batches(
        self, rows: int = ROWS, skip: int = 0, columns: Collection[str] | None = None
    ) -> Iterator[Batch]:
        """See `opened.Opened.batches`."""
        want = batching.wanted(self.headers, columns, _texts)
        reading = Reading(self.dialect, len(self.headers), self._given)
        yield from batching.batched(self._data(reading), want, rows, skip)

    def _data(self, reading: Reading) -> Iterator[Part]:
        """The rows below the header."""
        above = self._skipped
        for part in reading.parts(self._lines()):
            if above and part.rows:
                below = min(above, len(part.rows))
                above -= below
                part = Part(part.rows[below:], part.lines[below:], part.at, part.weight)
            yield part

    def _lines(self) -> Iterator[Lines]:
        found = bytes_of.blocks(self.path, self.size, self.dialect.compression)
        return text.lines(found, self.dialect.encoding)

    def _first_rows(self) -> _First:
        reading = Reading(self.dialect, 0, ())
        first = _First([])
        for part in reading.parts(self._lines()):
            for row in part.rows:
                if isinstance(row, BadRow):
                    if not first.rows:
                        return _First([], f"The header cannot be read: {row.message}")
                    continue
                first.rows.append([str(cell) for cell in row])
            if len(first.rows) >= headings.LOOKED_AT:
                break
        if first.rows and dialects.tells_delimiter(first.rows[0], self.dialect):
            return _First(first.rows[1:], told_apart=True)
        return first


class _First(msgspec.Struct, frozen=True):
    """The first rows, the header being one of them, or why there is none.

    `told_apart`: a line above the header names the delimiter.
    """

    rows: list[list[str]]
    refused: str = ""
    told_apart: bool = False


class Reading:
    """One pass over the lines of a file. With a width of 0, rows are as wide as they are."""

    def __init__(self, dialect: Dialect, width: int, header: tuple[str, ...]) -> None:
        self._dialect = dialect
        self._width = width
        self._repeats = _repeats(header)
        self._patience = PATIENCE
        self._unreadable = text.unreadable(dialect.encoding)

    def parts(self, blocks: Iterable[Lines]) -> Iterator[Part]:
        """All rows in order, blank lines left out."""
        pending, first, doubtful = list[str](), 1, False
        for block in blocks:
            if block.cut:
                left = [self._bad(first, pending[:1], "quote", NEVER_CLOSED)] if pending else []
                lines = [first] * len(left)
                row = told(block.first, block.lines[0], "rowTooLong", LONG_ROW)
                yield Part([*left, row], [*lines, block.first], block.at, block.weight)
                pending, first, doubtful = [], block.first + 1, False
                continue
            first = first if pending else block.first
            pending += block.lines
            doubtful = doubtful or block.doubtful
            while pending:
                rows, lines, used = self._read(pending, first, doubtful, block.last)
                if rows:
                    yield Part(rows, lines, block.at, block.weight)
                pending = pending[used:]
                first += used
                if not used:
                    break
            doubtful = doubtful and bool(pending)
            if block.fault:
                row = told(block.first, "", "cutOff", block.fault)
                yield Part([row], [block.first], 1.0, 0)

    def _read(
        self, pending: list[str], first: int, doubtful: bool, last: bool
    ) -> tuple[list[Row | BadRow], list[int], int]:
        """Rows of `pending`, the line where each begins, and how many lines they used.

        No line used means that the row under way needs more of them.
        """
        found, ends, error = self._parsed(pending)
        used = ends[-1] if ends else 0
        rows, lines = self._settled(found, ends, pending, first, doubtful)
        if not error or (not last and self._may_go_on(error, pending, used)):
            return rows, lines, used
        code, message = _reason(error)
        if code == "quote" and message == NEVER_CLOSED:
            self._patience = max(LEAST_PATIENCE, self._patience // 2)
        rows.append(self._bad(first + used, pending[used : used + 1], code, message))
        return rows, [*lines, first + used], used + 1

    def _parsed(self, pending: list[str]) -> tuple[list[list[str]], list[int], str]:
        reader = csv.reader(
            pending, delimiter=self._dialect.delimiter, quotechar=self._dialect.quote, strict=True
        )
        rows, ends = list[list[str]](), list[int]()
        try:
            for row in reader:
                rows.append(row)
                ends.append(reader.line_num)
        except csv.Error as error:
            return rows, ends, str(error)
        return rows, ends, ""

    def _may_go_on(self, error: str, pending: list[str], used: int) -> bool:
        """Whether a row that the lines so far do not finish may be finished by more of them."""
        return (
            _unfinished(error)
            and len(pending) - used <= self._patience
            and sum(map(len, pending[used:])) <= text.LONGEST_LINE
        )

    def _settled(
        self,
        found: list[list[str]],
        ends: list[int],
        pending: list[str],
        first: int,
        doubtful: bool,
    ) -> tuple[list[Row | BadRow], list[int]]:
        """Each row as wide as the header, or bad; most need nothing."""
        starts = [first, *(first + end for end in ends[:-1])] if ends else []
        widths = set(map(len, found))
        if self._width and widths <= {self._width} and not doubtful and not self._repeated(found):
            return list(found), starts
        rows, lines, before = list[Row | BadRow](), list[int](), 0
        for row, start, end in zip(found, starts, ends, strict=True):
            if row:
                rows.append(self._one(row, start, pending[before:end], doubtful))
                lines.append(start)
            before = end
        return rows, lines

    def _repeated(self, found: list[list[str]]) -> bool:
        return any(header in found for header in self._repeats)

    def _one(self, row: list[str], line: int, given: list[str], doubtful: bool) -> Row | BadRow:
        if doubtful and any(map(self._unreadable.search, row)):
            message = UNREADABLE.format(self._dialect.encoding)
            return self._bad(line, given, "encoding", message)
        if not self._width:
            return row
        if row in self._repeats and line > 1:
            return self._bad(line, given, "repeatedHeader", AGAIN)
        if len(row) < self._width:
            return [*row, *[None] * (self._width - len(row))]
        if any(row[self._width :]):
            message = TOO_MANY.format(len(row), self._width)
            return self._bad(line, given, "ragged", message)
        return row[: self._width]

    def _bad(self, line: int, given: list[str], code: str, message: str) -> BadRow:
        return told(line, "".join(given), code, message)


def _texts(values: Sequence[str | None]) -> pa.Array:
    return columns.texts(values)


def _repeats(header: tuple[str, ...]) -> list[list[str]]:
    """The header as a row, and as it looks where files were put together.

    Of a single column it may as well be a value.
    """
    if len(header) < 2:
        return []
    return [list(header), ["\ufeff" + header[0], *header[1:]]]


def _unfinished(error: str) -> bool:
    return "unexpected end" in error


def _reason(error: str) -> tuple[str, str]:
    if _unfinished(error):
        return "quote", NEVER_CLOSED
    if "field limit" in error:
        return "cellTooLong", LONG_CELL
    return "quote", ODD_QUOTE
