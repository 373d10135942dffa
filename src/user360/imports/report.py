"""What became of an import, row by row: for programs as JSON, for people as CSV and XLSX.

All of them are written as they are read, so that a report of a million rows needs no memory. Cells
that a spreadsheet would run are made harmless, and reading them back gives the original.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import msgspec

from user360.exports.harmless import harmless
from user360.imports.failures import Failed
from user360.records import values

FIELDS = ("line", "column", "property", "code", "message", "row")
# What a spreadsheet can hold: rows of a sheet (its heading is one), characters of a cell.
SHEET_ROWS = 1_048_575
CELL = 32_767


def as_json(target: BinaryIO, summary: Mapping[str, Any], failed: Iterable[Failed]) -> None:
    """`{"summary": {...}, "failed": [{"line", "row", "errors"}]}`.

    A row that could not be read has no cells: its `text` is there as it was given.
    """
    target.write(b'{"summary": ' + msgspec.json.encode(summary) + b', "failed": [')
    for number, each in enumerate(failed):
        target.write((b",\n" if number else b"\n") + msgspec.json.encode(each))
    target.write(b"\n]}\n")


def as_csv(target: BinaryIO, failed: Iterable[Failed]) -> None:
    """A line for each error; `row` is the row as it was given, in JSON."""
    with _lines(target) as write:
        write.writerow(FIELDS)
        for each in failed:
            write.writerows([_text(cell) for cell in cells] for cells in _errors(each))


def as_xlsx(target: BinaryIO, summary: Mapping[str, Any], failed: Iterable[Failed]) -> None:
    """A workbook: the summary, and a row for each error, on as many sheets as that needs."""
    import xlsxwriter

    with xlsxwriter.Workbook(target, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("Summary")
        for place, (name, value) in enumerate(summary.items()):
            _write(sheet, place, 0, name)
            _write(sheet, place, 1, value)
        sheets = 1
        sheet, place = _sheet(book, "Failed"), 1
        for cells in (cells for each in failed for cells in _errors(each)):
            if place > SHEET_ROWS:
                sheets += 1
                sheet, place = _sheet(book, f"Failed {sheets}"), 1
            for column, value in enumerate(cells):
                _write(sheet, place, column, value)
            place += 1


def to_mend(target: BinaryIO, headers: Sequence[str], failed: Iterable[Failed]) -> None:
    """The failed rows as they were given, under the headings of their file.

    What could not be read as a row stands as it was given in the first cell.
    """
    with _lines(target) as write:
        write.writerow([_text(name) for name in headers])
        for each in failed:
            cells = each.row or {headers[0]: each.text}
            write.writerow([_text(_given(cells.get(name))) for name in headers])


def headings(known: Sequence[str], failed: Iterable[Failed]) -> list[str]:
    """The headings of a file, and those of failed rows that only later lines have."""
    found = dict.fromkeys(known)
    for each in failed:
        found |= dict.fromkeys(each.row)
    return list(found)


@contextlib.contextmanager
def _lines(target: BinaryIO) -> Iterator[Any]:
    """A writer of CSV in UTF-8 onto a file of bytes, which stays open."""
    text = io.TextIOWrapper(target, "utf-8", errors="replace", newline="")
    yield csv.writer(text, lineterminator="\r\n")
    text.flush()
    text.detach()


def _sheet(book: Any, name: str) -> Any:
    sheet = book.add_worksheet(name)
    for column, field in enumerate(FIELDS):
        sheet.write_string(0, column, field)
    return sheet


def _write(sheet: Any, row: int, column: int, value: Any) -> None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, _text(value)[:CELL])


def _errors(failed: Failed) -> Iterator[tuple[Any, ...]]:
    """A failed row as rows of a table: one for each of its errors."""
    row = failed.text or msgspec.json.encode(failed.row).decode()
    for error in failed.errors:
        yield failed.line, error.column, error.property, error.code, error.message, row


def _given(value: Any) -> str:
    """A cell as a file holds it."""
    if value is None:
        return ""
    plain = isinstance(value, list) and all(isinstance(item, str) for item in value)
    if plain or isinstance(value, str | int | float):
        return values.text_of(value)
    return msgspec.json.encode(value).decode()


def _text(value: Any) -> str:
    """A value as the text of a cell that no spreadsheet runs."""
    if value is None:
        return ""
    return harmless(value if isinstance(value, str) else msgspec.json.encode(value).decode())
