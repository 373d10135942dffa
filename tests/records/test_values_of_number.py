"""Numbers: whole where they are whole, 15 digits, within their range."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.reading import parse, refusal
from user360.records.properties import Type


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (0, 0),
        (-17, -17),
        (12.5, 12.5),
        (12.0, 12),
        (-0.0, 0),
        ("12.50", 12.5),
        (" 12 ", 12),
        ("+5", 5),
        (".5", 0.5),
        ("5.", 5),
        ("007", 7),
        ("1e3", 1000),
        ("1.5E-7", 1.5e-7),
        ("0e99999", 0),
        (999_999_999_999_999, 999_999_999_999_999),
        (0.123456789012345, 0.123456789012345),
        ("1.50000000000000000000000", 1.5),
        (10**20, 1e20),
        (1e20, 1e20),
        ("100000000000000000000", 1e20),
        (1e300, 1e300),
        (10**300, 1e300),
        (1e-300, 1e-300),
    ],
)
def test_numbers_are_kept_whole_where_they_are_whole(given: object, kept: float) -> None:
    value = parse(Type.NUMBER, given)
    assert value == kept
    assert type(value) is type(kept)


@pytest.mark.parametrize(
    "given",
    [
        1_234_567_890_123_456,
        0.1 + 0.2,
        "1234567890123456",
        "0.1234567890123456",
        2**63,
        1e20 + 2**20,
        "0.30000000000000000001",
        "1234567890123450000001",
    ],
)
def test_more_than_15_significant_digits_are_refused(given: object) -> None:
    assert "15 significant digits" in refusal(Type.NUMBER, given)


@pytest.mark.parametrize(
    "given",
    [
        float("nan"),
        float("inf"),
        float("-inf"),
        1.1e300,
        10**301,
        1e-301,
        5e-324,
        "1e400",
        "1e-400",
        "-1e999999",
    ],
)
def test_numbers_out_of_range_are_refused(given: object) -> None:
    assert "1e300" in refusal(Type.NUMBER, given)


NO_NUMBERS = "nan inf -Infinity 0x10 1_000 1,000 1,5 ١٢ e5 . + --1 5% 12a 1e 1e5.5 ½ 1/2"


@pytest.mark.parametrize(
    "given",
    [
        *NO_NUMBERS.split(),
        "1 000",
        [1],
    ],
)
def test_text_that_is_no_plain_number_is_refused(given: object) -> None:
    refusal(Type.NUMBER, given)


@given(st.integers(-(10**15) + 1, 10**15 - 1), st.integers(-250, 250))
def test_15_digits_survive_at_any_magnitude(digits: int, exponent: int) -> None:
    written = f"{digits}e{exponent}"
    kept = parse(Type.NUMBER, written)
    assert kept == float(written)
    assert parse(Type.NUMBER, float(written)) == kept
    assert json.loads(json.dumps(kept)) == kept


def test_numbers_of_thousands_of_digits_are_refused_without_being_written_out() -> None:
    refusal(Type.NUMBER, 10**5000)
    refusal(Type.NUMBER, "9" * 5_000_000)
    refusal(Type.NUMBER, "0" * 5_000_000 + "x")
