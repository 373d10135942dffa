"""What columns are called: mended names, or made-up ones where a file begins with data."""

from __future__ import annotations

import pytest

from user360.imports.files import headings


def test_names_are_mended() -> None:
    found = headings.of([["\n First  name ", "", "a", "a", "a (2)", "'=x", ""], ["1"] * 6])
    assert found.headers == ("First name", "Column 2", "a", "a (2)", "a (2) (2)", "=x")
    assert [note.code for note in found.notes] == ["repeatedColumn", "repeatedColumn"]


@pytest.mark.parametrize(
    ("first", "below", "data"),
    [
        (["asha@example.com", "x"], [["ravi@example.com", "y"]], True),
        (["+919876543210"], [["+919876543211"]], True),
        (["u1", "2020-01-01"], [["u2", "2020-01-02"]], True),
        (["id", "2020-01-01", "2020-02-01"], [["1", "5", "6"], ["2", "7", "8"]], False),
        (["userId", "2024"], [["u1", "3"]], False),
        (["name", "email"], [["a", "b@c.de"]], False),
        (["1", "2"], [["3", "4"]], False),
        (["a"], [], False),
    ],
)
def test_a_first_row_of_values_is_no_header(
    first: list[str], below: list[list[str]], data: bool
) -> None:
    assert headings.is_data(first, below) is data
