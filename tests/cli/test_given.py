"""What people type becomes values."""

from __future__ import annotations

from pathlib import Path

import pytest

from user360.cli import given
from user360.errors import Invalid

TYPES = {"points": "number", "tags": "list", "dob": "date", "emailOptin": "boolean"}


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("points=12", 12),
        ("points=-0.5", -0.5),
        ("points=many", "many"),
        ("points=", None),
        ("points=  ", None),
        ("tags=a; b ;;c", ["a", "b", "c"]),
        ("tags=", None),
        ("dob=1990-01-31", "1990-01-31"),
        ("emailOptin=true", "true"),
        ("name=a=b", "a=b"),
        ("name=007", "007"),
    ],
)
def test_a_value_follows_the_declared_type(typed: str, value: object) -> None:
    name = typed.partition("=")[0]
    assert given.values([typed], TYPES) == {name: value}


@pytest.mark.parametrize("typed", ["name", "=value", " =value", ""])
def test_what_is_no_assignment_is_named(typed: str) -> None:
    with pytest.raises(Invalid, match="is not NAME=VALUE"):
        given.assignments([typed])


def test_json_is_read_from_the_line_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "where.json").write_text('{"all": []}')
    assert given.json('{"all": []}', "--where") == {"all": []}
    assert given.json(f"@{tmp_path / 'where.json'}", "--where") == {"all": []}


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "picture").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Invalid, match="cannot be read: it is not UTF-8"):
        given.lines(str(tmp_path / "picture"))
    with pytest.raises(Invalid, match="is not JSON"):
        given.json("[" * 100_000, "--where")
