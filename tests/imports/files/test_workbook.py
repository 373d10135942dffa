"""XLSX: cells as Excel means them, sheets that go on, and workbooks that are none."""

from __future__ import annotations

import datetime
import io
import tracemalloc
from collections.abc import Sequence
from typing import Any

import pytest
import xlsxwriter

from user360.errors import Invalid

NAME = "people.xlsx"
SHEET = "xl/worksheets/sheet1.xml"


def test_cells_come_as_excel_means_them(opening: Any, everything: Any, workbook: Any) -> None:
    data = workbook(
        ["userId", "phone", "dob", "seen", "at", "n", "ok"],
        [
            "u1",
            919876543210,
            datetime.date(1990, 1, 2),
            datetime.datetime(2020, 1, 2, 3, 4, 5),
            datetime.time(6, 7, 8),
            0.1 + 0.2,
            True,
        ],
        ["u2", "9.19E+11", None, datetime.datetime(2020, 1, 2), None, -5e-7, False],
    )
    found = everything(opening(data, NAME))
    assert found.rows == [
        ["u1", "919876543210", "1990-01-02", "2020-01-02 03:04:05", "06:07:08", "0.3", "true"],
        ["u2", "9.19E+11", None, "2020-01-02 00:00:00", None, "-0.0000005", "false"],
    ]
    assert found.lines == [2, 3]


def with_shared_texts(*rows: Sequence[str]) -> bytes:
    """A workbook that keeps each text once, as Excel does; rows below are of rich text."""
    data = io.BytesIO()
    book = xlsxwriter.Workbook(data, {"in_memory": True})
    sheet = book.add_worksheet()
    bold = book.add_format({"bold": True})
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            sheet.write_string(number, place, cell)
    sheet.write_rich_string(len(rows), 0, bold, "very", " bold")
    book.close()
    return data.getvalue()


def test_texts_that_cells_share_are_read(opening: Any, everything: Any, changed: Any) -> None:
    rows = [["userId", "city"], ["u1", "Köln"], ["u2", "Köln"], ["u3", "a\rb <&> _x0041_"]]
    data = with_shared_texts(*rows)
    found = everything(opening(data, NAME))
    assert found.rows == [*rows[1:], ["very bold", None]]
    beside = b"<si><rPh><t>spoken</t></rPh><t>userId</t></si>"
    shared = "xl/sharedStrings.xml"
    data = changed(data, shared, lambda xml: xml.replace(b"<si><t>userId</t></si>", beside))
    assert opening(data, NAME).headers == ("userId", "city")
    data = changed(data, SHEET, lambda xml: xml.replace(b"<v>2</v>", b"<v>99</v>"))
    found = everything(opening(data, NAME))
    assert found.codes == [(2, "damaged")]
    assert len(found.rows) == 3


def test_blank_rows_are_no_rows_and_lines_are_those_of_the_sheet(
    opening: Any, everything: Any, workbook: Any
) -> None:
    found = everything(opening(workbook([], ["a", "b"], [], ["1", "2"], [None], ["3"]), NAME))
    assert found.rows == [["1", "2"], ["3", None]]
    assert found.lines == [4, 6]


def test_bad_rows_are_told(opening: Any, everything: Any, workbook: Any) -> None:
    rows = [["a", "b"], ["1", "2", "3"], ["a", "b"], ["4", "5"]]
    found = everything(opening(workbook(*rows), NAME))
    assert found.codes == [(2, "ragged"), (3, "repeatedHeader")]
    assert found.bad[0].text == "1,2,3"
    assert found.rows == [["4", "5"]]


def test_a_cell_without_end_is_told(
    opening: Any, everything: Any, workbook: Any, changed: Any
) -> None:
    cell = b'<row r="2"><c r="A2" t="inlineStr"><is><t>' + b"x" * 1_500_000 + b"</t></is></c></row>"
    last = b'<row r="3"><c r="A3" t="inlineStr"><is><t>fine</t></is></c></row></sheetData>'
    data = changed(workbook(["a"]), SHEET, lambda xml: xml.replace(b"</sheetData>", cell + last))
    found = everything(opening(data, NAME))
    assert found.codes == [(2, "cellTooLong")]
    assert found.rows == [["fine"]]


def test_escaped_and_harmless_texts_are_themselves(
    opening: Any, everything: Any, workbook: Any
) -> None:
    found = everything(opening(workbook(["a"], ["x_x000D_y"], ["'=1+1"], ["é & <b>"]), NAME))
    assert found.rows == [["x\ry"], ["=1+1"], ["é & <b>"]]


def test_a_sheet_with_the_same_header_goes_on(opening: Any, everything: Any, workbook: Any) -> None:
    header = ["userId", "city"]
    data = workbook(header, ["u1", "Pune"], More=[header, ["u2", "Goa"]], Notes=[["x"]], Empty=[])
    opened = opening(data, NAME)
    found = everything(opened)
    assert found.rows == [["u1", "Pune"], ["u2", "Goa"]]
    assert found.lines == [2, 4]
    assert [note.code for note in opened.notes] == ["otherSheet"]


def test_a_workbook_is_read_in_any_batches(opening: Any, everything: Any, workbook: Any) -> None:
    opened = opening(workbook(["n"], *[[n] for n in range(500)]), NAME)
    for size, skip in ((1, 0), (7, 3), (1000, 499), (10, 600)):
        found = everything(opened, size, skip)
        assert [row[0] for row in found.rows] == [str(n) for n in range(500)][skip:]


def test_many_rows_take_little_memory(opening: Any, workbook: Any) -> None:
    opened = opening(workbook(["n", "t"], *[[n, f"text {n}"] for n in range(20_000)]), NAME)
    tracemalloc.start()
    try:
        rows = sum(batch.rows.num_rows for batch in opened.batches(2_000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows == 20_000
    assert peak < 10_000_000


def test_a_bomb_is_refused_before_it_is_unpacked(opening: Any, workbook: Any, changed: Any) -> None:
    zeros = b"<row><c t='str'><v>" + b"0" * 150_000_000 + b"</v></c></row></sheetData>"
    data = changed(workbook(["a"]), SHEET, lambda xml: xml.replace(b"</sheetData>", zeros))
    with pytest.raises(Invalid, match="unpacks to"):
        opening(data, NAME)


def test_a_sheet_that_breaks_off_is_read_as_far_as_it_goes(
    opening: Any, everything: Any, workbook: Any, changed: Any
) -> None:
    rows = [[n, f"text {n}"] for n in range(5000)]
    data = changed(workbook(["n", "t"], *rows), SHEET, lambda xml: xml[: len(xml) // 2])
    found = everything(opening(data, NAME))
    assert 1000 < len(found.rows) < 4000
    assert found.codes == [(found.lines[-1] + 1, "damaged")]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"<sheetData>", b'<sheetData><row r="99999999999">', "names row 99999999999"),
        (b'r="A1"', b'r="ZZZZZ1"', "column ZZZZZ"),
        (b'r="A1"', b'r="1"', "no rows|column"),
        (b'<row r="1"', b'<row r="x"', "no XLSX workbook"),
        (b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet', "document type"),
    ],
)
def test_a_sheet_that_claims_what_cannot_be_is_refused(
    opening: Any, workbook: Any, changed: Any, old: bytes, new: bytes, reason: str
) -> None:
    data = changed(workbook(["a"]), SHEET, lambda xml: xml.replace(old, new))
    if new == b'r="1"':
        assert opening(data, NAME).headers == ("a",)
        return
    with pytest.raises(Invalid, match=reason):
        opening(data, NAME)


@pytest.mark.parametrize(
    "part", ["xl/styles.xml", "xl/workbook.xml", "[Content_Types].xml", "xl/sharedStrings.xml"]
)
def test_a_workbook_whose_parts_are_broken_is_refused(
    opening: Any, workbook: Any, changed: Any, part: str
) -> None:
    whole = with_shared_texts(["a"], ["b"]) if "shared" in part else workbook(["a"], ["b"])
    with pytest.raises(Invalid, match="no XLSX workbook"):
        opening(changed(whole, part, lambda xml: xml[:60]), NAME)
    if part != "xl/sharedStrings.xml":
        with pytest.raises(Invalid, match="no XLSX workbook"):
            opening(changed(whole, part, lambda xml: xml.replace(b'"', b'"x')), NAME)


def test_a_damaged_archive_is_refused(opening: Any, workbook: Any) -> None:
    data = bytearray(workbook(["a"], ["b"]))
    middle = data.index(b"xl/styles.xml") + 40
    data[middle : middle + 30] = b"\xaa" * 30
    with pytest.raises(Invalid, match="no XLSX workbook"):
        opening(bytes(data), NAME)


def test_a_workbook_without_rows_is_refused(opening: Any, workbook: Any) -> None:
    with pytest.raises(Invalid, match="no rows"):
        opening(workbook(), NAME)
