"""CSV and its relatives: the good rows are in, each bad one is told with its line and reason."""

from __future__ import annotations

import csv
import gzip
import io
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from user360.errors import Invalid
from user360.imports.files import Dialect, open_file


def test_rows_come_with_the_lines_where_they_begin(opening: Any, everything: Any) -> None:
    found = everything(opening(b'a,b\n1,"two\nlines"\n\n2,x\n'))
    assert found.rows == [["1", "two\nlines"], ["2", "x"]]
    assert found.lines == [2, 5]


def test_a_missing_cell_is_none_and_an_empty_one_is_empty(opening: Any, everything: Any) -> None:
    assert everything(opening(b"a,b,c\n1\n2,,\n")).rows == [["1", None, None], ["2", "", ""]]


def test_a_row_with_too_many_cells_is_told_and_the_others_are_in(
    opening: Any, everything: Any
) -> None:
    found = everything(opening(b"a,b\n1,2,3\n4,5,,\n6,7\n"))
    assert found.rows == [["4", "5"], ["6", "7"]]
    assert found.codes == [(2, "ragged")]
    assert found.bad[0].text == "1,2,3"
    assert "3 cells" in found.bad[0].message


def test_a_quote_that_never_closes_swallows_nothing(opening: Any, everything: Any) -> None:
    rows = b"".join(b"%d,x\n" % n for n in range(3000))
    found = everything(opening(b'a,b\n1,"oh\n' + rows))
    assert found.codes == [(2, "quote")]
    assert len(found.rows) == 3000
    assert found.lines[0] == 3


def test_a_quote_that_a_later_line_closes_oddly_costs_only_its_own_line(
    opening: Any, everything: Any
) -> None:
    found = everything(opening(b'a,b\n1,"oh\n2,x\n3,"fine"\n4,y\n'))
    assert found.codes == [(2, "quote")]
    assert found.rows == [["2", "x"], ["3", "fine"], ["4", "y"]]


def test_a_file_of_nothing_but_open_quotes_is_read_to_its_end(
    opening: Any, everything: Any
) -> None:
    found = everything(opening(b"a,b\n" + b'x","y\n' * 5000 + b"1,2\n"))
    assert found.rows[-1] == ["1", "2"]
    assert len(found.bad) > 4900
    assert {row.code for row in found.bad} == {"quote"}


def test_a_cell_and_a_row_without_end_are_told(opening: Any, everything: Any) -> None:
    cell = b"a,b\n1," + b"x" * 1_500_000 + b"\n2,y\n"
    row = b"a,b\n1," + b"x" * 10_000_000 + b"\n2,y\n"
    quoted = b'a,b\n1,"' + b"x" * 10_000_000 + b'"\n2,y\n'
    for data, code in ((cell, "cellTooLong"), (row, "rowTooLong"), (quoted, "rowTooLong")):
        found = everything(opening(data))
        assert found.codes == [(2, code)]
        assert len(found.bad[0].text) == 1000
        assert (found.rows, found.lines) == ([["2", "y"]], [3])


def test_zero_bytes_and_foreign_bytes_are_told(opening: Any, everything: Any) -> None:
    data = "a,b\n1,é\n2,ü\n3,ö\n4,ä\n".encode() + b"5,\xff\n6,\0\n7,x\n"
    found = everything(opening(data))
    assert found.codes == [(6, "encoding"), (7, "encoding")]
    assert [row[0] for row in found.rows] == ["1", "2", "3", "4", "7"]
    assert "utf-8" in found.bad[0].message
    assert found.bad[0].text.encode("utf-8")


def test_a_header_that_comes_again_is_no_person(opening: Any, everything: Any) -> None:
    found = everything(opening("a,b\n1,2\na,b\n\ufeffa,b\n3,4\n".encode()))
    assert found.codes == [(3, "repeatedHeader"), (4, "repeatedHeader")]
    assert found.rows == [["1", "2"], ["3", "4"]]


def test_in_a_single_column_the_headers_word_is_a_value(opening: Any, everything: Any) -> None:
    assert everything(opening(b"city\ncity\nPune\n")).rows == [["city"], ["Pune"]]


def test_mixed_line_ends_are_line_ends(opening: Any, everything: Any) -> None:
    opened = opening(b"a,b\r\n1,2\n3,4\r5,6\r\n7,8")
    assert opened.dialect.newline == "mixed"
    found = everything(opened)
    assert found.rows == [["1", "2"], ["3", "4"], ["5", "6"], ["7", "8"]]
    assert found.lines == [2, 3, 4, 5]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_is_read_however_it_is_written(
    opening: Any, everything: Any, encoding: str
) -> None:
    found = everything(opening("Näme;Ort\nÅsa;Malmö 😀\n".encode(encoding)))
    assert found.rows == [["Åsa", "Malmö 😀"]]


def test_windows_text_is_recognised(opening: Any, everything: Any) -> None:
    opened = opening("name,city\nJosé,Köln\nRenée,€\n".encode("cp1252"))
    assert opened.dialect.encoding == "cp1252"
    assert everything(opened).rows == [["José", "Köln"], ["Renée", "€"]]


def test_windows_text_is_recognised_far_down_the_file(opening: Any, everything: Any) -> None:
    data = b"name,n\n" + b"Asha,1\n" * 100_000 + "José,2\n".encode("cp1252")
    assert everything(opening(data)).rows[-1] == ["José", "2"]


def test_another_alphabet_is_recognised(opening: Any, everything: Any) -> None:
    rows = "имя;город\nИван;Москва\nПётр;Казань\nМария;Новосибирск\n"
    assert everything(opening(rows.encode("cp1251"))).rows[0] == ["Иван", "Москва"]


def test_a_packed_file_is_read_and_a_cut_one_as_far_as_it_goes(
    opening: Any, everything: Any
) -> None:
    data = "".join(f"u{n},{n * 7919 % 10_007}\n" for n in range(20_000))
    packed = gzip.compress(b"userId,n\n" + data.encode())
    assert len(everything(opening(packed, "x.csv.gz")).rows) == 20_000
    found = everything(opening(packed[: len(packed) // 2], "x.csv.gz"))
    assert 5_000 < len(found.rows) < 20_000
    assert found.rows == [[f"u{n}", str(n * 7919 % 10_007)] for n in range(len(found.rows))]
    assert found.codes == [(found.lines[-1] + 1, "cutOff")]


def test_a_damaged_packed_file_is_read_as_far_as_it_is_whole(opening: Any, everything: Any) -> None:
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 10)
    found = everything(opening(packed + b"and then garbage"))
    assert len(found.rows) == 10
    assert found.codes == [(12, "cutOff")]
    assert "damaged" in found.bad[0].message


def test_a_packed_bomb_is_not_unpacked_to_its_end(
    opening: Any, everything: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("user360.imports.files.bytes_of.UNSUSPICIOUS", 1 << 20)
    found = everything(opening(gzip.compress(b"a,b\n" + b"1,2\n" * 9_000 + b"\0" * 30_000_000)))
    assert found.rows == [["1", "2"]] * 9_000
    assert "times its size" in found.bad[-1].message


def test_the_line_that_names_the_delimiter_is_no_header(opening: Any, everything: Any) -> None:
    opened = opening(b"sep=;\r\na;b\r\n1;2,5\r\n")
    assert opened.headers == ("a", "b")
    found = everything(opened)
    assert (found.rows, found.lines) == ([["1", "2,5"]], [3])


def test_a_file_without_a_header_gets_one_and_loses_no_row(opening: Any, everything: Any) -> None:
    opened = opening(b"asha@example.com,Pune,12\nravi@example.com,Goa,13\n")
    assert opened.headers == ("Column 1", "Column 2", "Column 3")
    assert [note.code for note in opened.notes] == ["noHeader"]
    found = everything(opened)
    assert found.lines == [1, 2]
    assert found.rows[0] == ["asha@example.com", "Pune", "12"]


def test_a_formula_that_was_made_harmless_is_itself_again(opening: Any, everything: Any) -> None:
    found = everything(opening(b"a,'=b\n'=1+2,'quoted\n'@x,'+919876543210\n"))
    assert found.rows == [["=1+2", "'quoted"], ["@x", "'+919876543210"]]


def test_a_header_alone_is_a_file_without_rows(opening: Any, everything: Any) -> None:
    opened = opening(b"a,b\n")
    assert everything(opened).rows == []
    assert [note.code for note in opened.notes] == ["headerOnly"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\n\n\r\n", "no rows"),
        (b'a,"b\n1,2\n', "header cannot be read"),
        (b"," * 30_000 + b"x\n", "30,001 columns"),
    ],
)
def test_what_has_no_header_at_all_is_refused(opening: Any, data: bytes, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        opening(data)


def test_ten_thousand_columns_are_read_in_small_batches(opening: Any, everything: Any) -> None:
    header = ",".join(f"c{n}" for n in range(10_000))
    row = ",".join("x" for _ in range(10_000))
    found = everything(opening("\n".join([header] + [row] * 150).encode()))
    assert len(found.rows) == 150
    assert max(found.sizes) == 60


def test_only_wanted_columns_are_made(opening: Any) -> None:
    opened = opening(b"a,b,c\n1,2,3\n")
    batch = next(opened.batches(columns={"c", "a"}))
    assert batch.rows.to_pydict() == {"a": ["1"], "c": ["3"]}
    assert next(opened.batches(columns=())).rows.num_rows == 1


def test_what_is_written_after_opening_is_not_seen(tmp_path: Path, everything: Any) -> None:
    path = tmp_path / "growing.csv"
    path.write_bytes(b"a,b\n1,2\n")
    opened = open_file(path, "growing.csv")
    with path.open("ab") as file:
        file.write(b"3,4\n")
    assert everything(opened).rows == [["1", "2"]]


def test_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    row = ",".join("x" * 100 for _ in range(20)) + "\n"
    with path.open("w") as file:
        file.write(",".join(f"c{n}" for n in range(20)) + "\n")
        file.writelines(row for _ in range(30_000))
    opened = open_file(path, "large.csv")
    tracemalloc.start()
    try:
        rows = sum(batch.rows.num_rows for batch in opened.batches())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows == 30_000
    assert opened.size > 60_000_000
    assert peak < 50_000_000


words = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\n\r\t,;"|'), max_size=8
)


@given(
    rows=st.lists(st.lists(words, min_size=3, max_size=3), max_size=12),
    delimiter=st.sampled_from(",;\t|"),
    quote=st.sampled_from("\"'"),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]),
    packed=st.booleans(),
    size=st.integers(1, 7),
    skip=st.integers(0, 14),
)
@settings(max_examples=150)
def test_what_a_writer_wrote_is_read_back(
    tmp_path_factory: Any,
    rows: list[list[str]],
    delimiter: str,
    quote: str,
    newline: str,
    encoding: str,
    packed: bool,
    size: int,
    skip: int,
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(
        out, delimiter=delimiter, quotechar=quote, lineterminator=newline, quoting=csv.QUOTE_ALL
    )
    writer.writerow(["first", "second", "third"])
    writer.writerows(rows)
    data = out.getvalue().encode(encoding)
    path = tmp_path_factory.getbasetemp() / "written"
    path.write_bytes(gzip.compress(data) if packed else data)
    name_dialect = Dialect(encoding=encoding, delimiter=delimiter, quote=quote)
    opened = open_file(path, "written.csv", dialect=name_dialect)
    batches = list(opened.batches(size, skip))
    found = [list(row.values()) for b in batches for row in b.rows.to_pylist()]
    assert found == _as_read(rows)[skip:]
    assert all(b.next_row - b.first_row <= size for b in batches)
    assert [b.first_row for b in batches] == [skip + size * n for n in range(len(batches))]
    assert not [row for b in batches for row in b.bad]


def _as_read(rows: list[list[str]]) -> list[list[str]]:
    from user360.exports.harmless import restored

    return [[restored(cell) for cell in row] for row in rows]


@given(
    rows=st.lists(
        st.sampled_from([b"1,2", b"1,2,3", b'4,"x', b'5,"y"z', b'"6\n7",8', b"9", b"a,b", b""]),
        max_size=30,
    ),
    size=st.integers(1, 5),
)
@settings(max_examples=150)
def test_batches_of_any_size_and_any_skip_hold_the_same_rows(
    tmp_path_factory: Any, rows: list[bytes], size: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "odd"
    path.write_bytes(b"\n".join([b"a,b", *rows]))
    opened = open_file(path, "odd.csv", dialect=Dialect(encoding="utf-8", delimiter=","))
    whole = _told(opened.batches())
    assert _told(opened.batches(size)) == whole
    for skip in range(0, len(whole) + 2, 3):
        assert _told(opened.batches(size, skip)) == whole[skip:]


def _told(batches: Any) -> list[tuple[int, str]]:
    """Every row, good and bad, in the order of the file."""
    told = []
    for batch in batches:
        rows = zip(batch.lines.to_pylist(), batch.rows.to_pylist(), strict=True)
        good = [(line, str(list(row.values()))) for line, row in rows]
        told += sorted([*good, *((row.line, row.code) for row in batch.bad)])
    return told
