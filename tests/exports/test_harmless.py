"""Cells that a spreadsheet would run, made harmless and given back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360.exports.harmless import MARK, harmless, restored

texts = st.one_of(st.text(), st.text(alphabet="'=+-@\t\r\n10. e()", max_size=12))


@given(texts)
def test_what_was_made_harmless_comes_back(text: str) -> None:
    assert restored(harmless(text)) == text


@given(st.sampled_from("=+-@\t\r"), st.text(alphabet="ab(!|", min_size=1))
def test_no_cell_begins_like_a_formula(first: str, rest: str) -> None:
    assert harmless(first + rest) == MARK + first + rest


@pytest.mark.parametrize(
    "text",
    [
        "-5",
        "+5.25",
        "-.5",
        "-1e-7",
        "+919876543210",
        "+1 (415) 555-0100",
        "2026-11-22",
        "a=b",
        "'a",
    ],
)
def test_numbers_phone_numbers_and_plain_texts_stay(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    "text", ["=1+1", "-2+3", "+1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "-", "'=1", "+1-2", "-5\n"]
)
def test_what_only_looks_like_a_number_is_marked(text: str) -> None:
    assert harmless(text) == MARK + text


def test_an_apostrophe_that_was_always_there_stays() -> None:
    assert restored("'twas") == "'twas"
    assert restored("'-5") == "'-5"
