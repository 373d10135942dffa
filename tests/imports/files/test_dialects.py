"""How the cells of a file are set apart is found out."""

from __future__ import annotations

from typing import Any

import pytest

from user360.imports.files import Dialect


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
        ("a\tb\n1,2\t3\n", "\t"),
        ("a|b|c\n1|2|3\n", "|"),
        ("name;note\nA;one, two, three\nB;four\n", ";"),
        ('name,note\nA,"one; two; three"\nB,x\n', ","),
        ("alone\n1;2\n", ","),
        ("SEP=|\na|b\n", "|"),
        ("sep=\t\na\tb\n", "\t"),
    ],
)
def test_the_delimiter_is_what_cuts_rows_as_the_header(
    opening: Any, text: str, delimiter: str
) -> None:
    assert opening(text.encode()).dialect.delimiter == delimiter


def test_the_name_decides_where_nothing_else_does(opening: Any) -> None:
    assert opening(b"alone\n1\n", "people.tsv.gz").dialect.delimiter == "\t"


def test_single_quotes_are_quotes_where_the_header_stands_in_them(
    opening: Any, everything: Any
) -> None:
    opened = opening(b"'a','b'\n'1','x, y'\n")
    assert opened.dialect.quote == "'"
    assert everything(opened).rows == [["1", "x, y"]]
    assert opening(b"a,b\n'1','x'\n").dialect.quote == '"'


def test_what_is_given_is_not_found_out(opening: Any) -> None:
    opened = opening(b"a,b;c\n1,2;3\n", dialect=Dialect(delimiter=";", encoding="latin-1"))
    assert opened.headers == ("a,b", "c")
    assert opened.dialect == Dialect("latin-1", ";", '"', "", "\n")


@pytest.mark.parametrize(
    ("data", "newline"),
    [
        (b"a\n1\n", "\n"),
        (b"a\r\n1\r\n", "\r\n"),
        (b"a\r1\r", "\r"),
        (b"a\r\n1\n", "mixed"),
        (b"a", ""),
    ],
)
def test_line_ends_are_told(opening: Any, data: bytes, newline: str) -> None:
    assert opening(data).dialect.newline == newline
