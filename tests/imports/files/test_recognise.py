"""A file is known by what it holds, and what cannot be read is refused with a reason."""

from __future__ import annotations

import gzip
import os
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from user360.errors import Invalid
from user360.imports.files import Dialect, open_file


def zipped(name: str) -> bytes:
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(name, "a,b\n1,2\n")
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"a,b\n1,2\n", "x.csv", "csv"),
        (b"a\tb\n1\t2\n", "x.txt", "csv"),
        (b'{"a": 1}\n', "x.jsonl", "jsonl"),
        (b'\xef\xbb\xbf{"a": 1}\n', "x", "jsonl"),
        ('{"a": 1}\n'.encode("utf-16"), "x.json", "jsonl"),
        (gzip.compress(b'{"a": 1}\n'), "x.jsonl.gz", "jsonl"),
        (b"{a},b\n1,2\n", "x.csv", "csv"),
    ],
)
def test_its_content_says_what_it_is(opening: Any, data: bytes, name: str, kind: str) -> None:
    assert opening(data, name).format == kind


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (b"", "x.csv", "is empty"),
        (b"\0" * 5000, "x.csv", "not text"),
        (os.urandom(20_000), "x.csv", "not text"),
        (b"%PDF-1.7 ...", "x.csv", "PDF"),
        (b"<!DOCTYPE html><html><table>", "x.xls", "web page"),
        (b'[{"a": 1}, {"a": 2}]', "x.json", "JSON array"),
        (b"[]", "x.json", "JSON array"),
        (b"a,b\n1,2\n", "people.xlsx", "called .xlsx but is not an XLSX"),
        (b"a,b\n1,2\n", "people.parquet", "called .parquet"),
        (b"PK\x03\x04 and garbage", "people.xlsx", "damaged or incomplete"),
        (b"PAR1 and garbage PAR1", "people.parquet", "cannot be read as Parquet"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 100, "people.xlsx", "old Excel workbook"),
        (zipped("people.csv"), "people.zip", "zip archive; unpack"),
        (zipped("content.xml"), "people.ods", "OpenDocument"),
        (gzip.compress(zipped("people.csv")), "people.xlsx.gz", "unpack the file first"),
        (gzip.compress(b""), "people.csv.gz", "empty, damaged or cut off"),
        (gzip.compress(b"a,b\n1,2\n")[:12], "people.csv.gz", "ends in the middle"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(
    opening: Any, data: bytes, name: str, reason: str
) -> None:
    with pytest.raises(Invalid, match=reason):
        opening(data, name)


def test_only_files_are_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Invalid, match="directory"):
        open_file(tmp_path, "people")
    with pytest.raises(Invalid, match="pipe"):
        open_file(tmp_path / "pipe", "people.csv")
    with pytest.raises(Invalid, match="No such file"):
        open_file(tmp_path / "gone", "people.csv")


@pytest.mark.parametrize(
    ("dialect", "path"),
    [
        (Dialect(encoding="klingon"), "dialect.encoding"),
        (Dialect(encoding="hex"), "dialect.encoding"),
        (Dialect(delimiter="::"), "dialect.delimiter"),
        (Dialect(delimiter="\n"), "dialect.delimiter"),
        (Dialect(quote="''"), "dialect.quote"),
        (Dialect(delimiter='"'), "dialect.quote"),
        (Dialect(compression="zip"), "dialect.compression"),
    ],
)
def test_a_dialect_that_is_none_is_refused_by_its_path(
    opening: Any, dialect: Dialect, path: str
) -> None:
    with pytest.raises(Invalid) as problem:
        opening(b"a,b\n1,2\n", dialect=dialect)
    assert [fault.path for fault in problem.value.faults] == [path]


@given(
    data=st.binary(max_size=300)
    | st.text('ab1,;\t"\n\r\0é{}:[]', max_size=120).map(str.encode)
    | st.text("ab,;\n\"'é", max_size=120).map(lambda text: text.encode("utf-16")),
    name=st.sampled_from(["x.csv", "x.tsv", "x.jsonl", "x"]),
    packed=st.booleans(),
)
@settings(max_examples=300)
def test_anything_at_all_is_read_or_refused(
    tmp_path_factory: Any, data: bytes, name: str, packed: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "anything"
    path.write_bytes(gzip.compress(data) if packed else data)
    try:
        opened = open_file(path, name)
    except Invalid:
        return
    for batch in opened.batches(5):
        assert batch.rows.num_rows == len(batch.lines)
        assert batch.rows.schema.names == list(opened.headers)
        assert all(row.message for row in batch.bad)
