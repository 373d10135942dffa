"""A look into a file before it is imported."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from user360.errors import Invalid
from user360.imports.preview import preview
from user360.records.properties import Catalogue


def test_a_preview_shows_the_file_and_what_would_become_of_it(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    rows = "".join(f"u{n},+9198765{n:05},{n}\n" for n in range(3000))
    path.write_text(f"User ID,Phone No.,Score\n{rows}bad,row,with,cells\n", encoding="utf-8")
    found = preview(path, "people.csv", Catalogue(), {"Score": "city"})
    assert (found.format, found.dialect.delimiter) == ("csv", ",")
    assert len(found.rows) == 20
    assert found.rows[0] == ["u0", "+919876500000", "0"]
    assert found.lines == list(range(2, 22))
    assert found.estimated_rows == 3001
    named = [(s.property, s.how) for s in found.suggestions]
    assert named == [("userId", "exact"), ("phone", "near"), ("city", "used")]
    assert [(p.line, p.code) for p in found.problems] == [(3002, "ragged")]
    told = msgspec.json.decode(msgspec.json.encode(found))
    assert told["estimatedRows"] == 3001


def test_the_rows_of_a_large_file_are_reckoned(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_text("a,b\n" + "some,text here\n" * 400_000, encoding="utf-8")
    assert 350_000 < preview(path, "x.csv", Catalogue(), {}).estimated_rows < 450_000


def test_what_cannot_be_read_has_no_preview(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(b"%PDF")
    with pytest.raises(Invalid, match="PDF"):
        preview(path, "people.csv", Catalogue(), {})


def test_a_file_of_a_header_has_a_preview(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(b"userId,city\n")
    found = preview(path, "people.csv", Catalogue(), {})
    assert (found.rows, found.estimated_rows) == ([], 0)
    assert [p.code for p in found.problems] == ["headerOnly"]
