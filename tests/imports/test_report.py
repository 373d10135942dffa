"""What became of an import, as the files people take away: right in each of the formats."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from user360.exports.harmless import restored
from user360.imports import report
from user360.imports.failures import Failed, Wrong

SUMMARY = {"id": "abc", "total": 3, "failed": 2, "tags": ["a", "b"], "segment": None}
PHONE = Wrong("Phone No.", "phone", "invalidDataType", "is no phone number")
MAIL = Wrong("Mail", "email", "invalidDataType", "=is no e-mail address")
ROW = {"Mail": "asha", "Phone No.": "9.19E+11", "n": 4, "tags": ["a", "b"]}
FAILED = [
    Failed(2, {"Mail": "asha", "Phone No.": "9.19E+11", "n": 4, "tags": ["a", "b"]}, (PHONE, MAIL)),
    Failed(7, {}, (Wrong(None, None, "ragged", "has 5 cells, not 4"),), "=a,b,c,d,e"),
]


def written(write: Callable[..., None], *given: Any) -> bytes:
    target = io.BytesIO()
    write(target, *given)
    return target.getvalue()


def table(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def test_json_tells_the_summary_and_every_row() -> None:
    told = json.loads(written(report.as_json, SUMMARY, FAILED))
    assert told["summary"] == SUMMARY
    first, second = told["failed"]
    assert first == {
        "line": 2,
        "row": ROW,
        "errors": [
            {
                "column": "Phone No.",
                "property": "phone",
                "code": "invalidDataType",
                "message": "is no phone number",
            },
            {
                "column": "Mail",
                "property": "email",
                "code": "invalidDataType",
                "message": "=is no e-mail address",
            },
        ],
    }
    assert (second["row"], second["text"]) == ({}, "=a,b,c,d,e")
    assert json.loads(written(report.as_json, SUMMARY, [])) == {"summary": SUMMARY, "failed": []}


def test_csv_has_a_line_for_each_error_that_no_spreadsheet_runs() -> None:
    heading, *rows = table(written(report.as_csv, FAILED))
    assert heading == list(report.FIELDS)
    assert [row[:4] for row in rows] == [
        ["2", "Phone No.", "phone", "invalidDataType"],
        ["2", "Mail", "email", "invalidDataType"],
        ["7", "", "", "ragged"],
    ]
    assert rows[1][4] == "'=is no e-mail address"
    assert json.loads(rows[0][5]) == FAILED[0].row
    assert rows[2][5] == "'=a,b,c,d,e"


def test_a_workbook_has_the_summary_and_the_same_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "SHEET_ROWS", 2)
    book = CalamineWorkbook.from_filelike(io.BytesIO(written(report.as_xlsx, SUMMARY, FAILED)))
    assert book.sheet_names == ["Summary", "Failed", "Failed 2"]
    told = dict(book.get_sheet_by_name("Summary").to_python())
    assert (told["total"], told["failed"], told["tags"]) == (3.0, 2.0, '["a","b"]')
    first = book.get_sheet_by_name("Failed").to_python()
    second = book.get_sheet_by_name("Failed 2").to_python()
    assert [row[0] for row in first] == ["line", 2.0, 2.0]
    assert [row[3:5] for row in second] == [["code", "message"], ["ragged", "has 5 cells, not 4"]]


def test_a_cell_that_is_too_long_for_a_workbook_is_cut() -> None:
    failed = [Failed(2, {}, (Wrong(None, None, "tooLong", "no"),), "x" * 40_000)]
    book = CalamineWorkbook.from_filelike(io.BytesIO(written(report.as_xlsx, {}, failed)))
    assert book.get_sheet_by_name("Failed").to_python()[1][5] == "x" * report.CELL


def test_failed_rows_come_as_they_were_given_to_be_mended() -> None:
    headers = report.headings(["Mail", "Phone No."], FAILED)
    assert headers == ["Mail", "Phone No.", "n", "tags"]
    heading, first, second = table(written(report.to_mend, headers, FAILED))
    assert heading == headers
    assert first == ["asha", "9.19E+11", "4", "a;b"]
    assert second[0] == "'=a,b,c,d,e"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), min_size=1, max_size=3))
def test_whatever_a_cell_held_is_read_back(cells: list[str]) -> None:
    headers = [f"c{n}" for n in range(len(cells))]
    failed = [Failed(2, dict(zip(headers, cells, strict=True)), ())]
    (_, row) = table(written(report.to_mend, headers, failed))
    assert [restored(cell) for cell in row] == cells
