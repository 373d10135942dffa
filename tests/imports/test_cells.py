from __future__ import annotations

import json
import zoneinfo
from datetime import UTC, tzinfo
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from user360.errors import Problem
from user360.identity import identifier
from user360.imports import cells
from user360.records import values
from user360.records.properties import Type

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
ZONES: tuple[tzinfo, ...] = (UTC, zoneinfo.ZoneInfo("UTC"), BERLIN)
# What people and programs write, near to what is right and away from it.
AWKWARD = [
    *("", " ", "a", " a ", 'say "hi"', "back\\slash", "tab\there", "x" * 255, "x" * 256),
    *("é", "e\u0301", "日本", "\u00a0x\u00a0", "line\nbreak", "nul\0", "😀", "a\n", "\u2028"),
    *("0", "-0", "00", "+5", "1e5", "12.50", "12.5", ".5", "5.", "0.001", "0.0001", "1_000"),
    *("999999999999999", "9999999999999999", "1" + "0" * 300, "-12", "- 12", "1,5", "NaN", "٣"),
    *("true", "TRUE", "tRuE", "false", "yes", "1", "0", " true "),
    *("2024-02-29", "2023-02-29", "2024-04-31", "0001-01-01", "0000-01-01", "9999-12-31"),
    *("1900-02-29", "24-01-01", "31/12/2024", "2024-1-1", "2024-01-01 ", "2024-12-32"),
    *("2024-01-01 10:00:00", "2024-01-01T10:00:00Z", "2024-01-01 10:00", "2024-01-01 24:00:00"),
    *(
        "2024-03-31 02:30:00",
        "2024-10-27 02:30:00",
        "2024-01-01T10:00:00.5Z",
        "0999-01-01 00:00:00",
    ),
    *("2024-01-01T10:00:00.123", "2024-01-01T10:00:00.123456+05:30", "2024-01-01t10:00:00z"),
    *("2024-02-29 10:00:00", "9999-12-31 23:59:59", "2024-01-01  10:00:00"),
    *("23:59:59", "24:00:00", "9:00:00", "10:00"),
    *("a;b", "a;;b; a ", ";", "a" * 300 + ";b"),
    *("a@b.co", "A@B.CO", "a@b", "a..b@c.de", "a@b.test", "a@b.example", "x@example.com"),
    *("ü@x.de", "a" * 65 + "@x.de", "a@x.local", "a@invalid", "a@b.invalid", "İ@x.de"),
    *("+919876543210", "919876543210", "00919876543210", "+91 98765 43210", "9.19E+11", "+1"),
    *("+525512345678", "+5215512345678", "12025550123", "+4402079460000", "+39061234567"),
    *("919876543210.0", "(202) 555-0123", "+800123456789"),
    *("https://a.de", "http://a", "https://a.de/x?y=1#z", "ftp://a.de", "https://", "https://a b"),
    *(
        "https://-a.de",
        "https://a.de:0/",
        "https://a.de:80/",
        "HTTPS://A.DE",
        "https://a/" + "b" * 3000,
    ),
    *("null", "None", "N/A", "--", "000", "{{id}}", "[object Object]", "guest", "'null'", "nan"),
    *("9.19E+11", "1E5", "9e+3", "E+", "a-1", "(a)", "${x}", "x$y"),
]
ALPHABET = "aZ09 .,;:-+@/\\\"'TZ\n\té\u0301日٣e_{}[]"
texts = st.one_of(
    st.sampled_from(AWKWARD),
    st.text(ALPHABET, max_size=12),
    st.text(max_size=6),
    st.from_regex(r"\+?[1-9][0-9]{5,15}", fullmatch=True),
    st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", fullmatch=True),
    st.from_regex(r"[12][0-9]{3}-[01][0-9]-[0-3][0-9]", fullmatch=True),
    st.from_regex(
        r"20[0-9]{2}-0[0-9]-[0-2][0-9][ T][0-2][0-9]:[0-6][0-9]:[0-5][0-9](\.[0-9]{1,4})?Z?",
        fullmatch=True,
    ),
    st.from_regex(r"[a-zA-Z.]{1,5}@[a-z.-]{1,8}\.(de|test|com|local)", fullmatch=True),
    st.from_regex(r"https?://[a-zA-Z.-]{1,8}(/[a-z?#%]{0,4})?", fullmatch=True),
)
columns = st.lists(st.none() | texts, min_size=1, max_size=8)


def one_by_one(kind: Type, column: list[Any], zone: tzinfo) -> list[Any]:
    """What `values.parse` says of each cell: its value, or in a tuple why not."""
    said: list[Any] = []
    for given_value in column:
        try:
            said.append(values.parse(kind, given_value, zone))
        except values.BadValue as bad:
            said.append(("invalidDataType", bad.message))
    return said


def whole(read: cells.Cells) -> list[Any]:
    said: list[Any] = [None if t is None else json.loads(t) for t in read.texts.to_pylist()]
    for wrong in read.wrong:
        assert said[wrong.place] is None
        said[wrong.place] = (wrong.code, wrong.message)
    return said


@pytest.mark.parametrize("kind", list(Type))
@given(column=columns, zone=st.sampled_from(ZONES))
@example(column=AWKWARD, zone=UTC)
@example(column=AWKWARD, zone=BERLIN)
def test_a_column_says_what_its_cells_say_one_by_one(
    kind: Type, column: list[str | None], zone: tzinfo
) -> None:
    column = [c and c.encode("utf-8", "replace").decode() for c in column]
    read = cells.of_property(pa.array(column, pa.string()), kind, zone)
    expected = one_by_one(kind, column, zone)
    assert whole(read) == expected
    kept = [None if isinstance(e, tuple) else e for e in expected]
    shown = [None if k is None else json.dumps(k, ensure_ascii=False) for k in kept]
    if kind not in (Type.NUMBER, Type.LIST):  # their texts are written in one way by one encoder
        assert read.texts.to_pylist() == shown


@given(column=st.lists(st.none() | st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", fullmatch=True)))
def test_a_number_has_one_text_however_it_came(column: list[str | None]) -> None:
    read = cells.of_property(pa.array(column, pa.string()), Type.NUMBER, UTC)
    for text in read.texts.to_pylist():
        if text is not None:
            again = pa.array([json.loads(text)])
            assert cells.of_property(again, Type.NUMBER, UTC).texts.to_pylist() == [text]


typed = st.one_of(
    st.lists(st.none() | st.integers(-(2**60), 2**60), min_size=1).map(
        lambda v: pa.array(v, pa.int64())
    ),
    st.lists(st.none() | st.floats(), min_size=1).map(lambda v: pa.array(v, pa.float64())),
    st.lists(st.none() | st.booleans(), min_size=1).map(lambda v: pa.array(v, pa.bool_())),
    st.lists(
        st.none() | st.lists(texts, max_size=3),
        min_size=1,
    ).map(lambda v: pa.array(v, pa.list_(pa.string()))),
)


@pytest.mark.parametrize("kind", list(Type))
@given(column=typed)
def test_typed_columns_say_what_their_cells_say(kind: Type, column: pa.Array) -> None:
    read = cells.of_property(column, kind, UTC)
    assert whole(read) == one_by_one(kind, column.to_pylist(), UTC)


def by_identity(text: str) -> object:
    try:
        return identifier.clean_user_id(text)
    except Problem as problem:
        return (problem.code, problem.detail)


@given(column=columns)
@example(column=AWKWARD)
def test_a_column_of_user_ids_keeps_what_identity_keeps(column: list[str | None]) -> None:
    column = [c and c.encode("utf-8", "replace").decode() for c in column]
    said = whole(cells.of_user_id(pa.array(column, pa.string())))
    for text, found in zip(column, said, strict=True):
        if text is None or not text.strip():
            assert found is None
            continue
        if isinstance(found, tuple) and found[0] == "invalidDataType":
            assert "E+" in text
            assert "scientific" in found[1]
            continue
        assert found == by_identity(text)


def test_numbers_name_people_by_their_text() -> None:
    assert whole(cells.of_user_id(pa.array([42, 919876543210, None]))) == [
        "42",
        "919876543210",
        None,
    ]
    assert whole(cells.of_user_id(pa.array([42.0, 0.5]))) == ["42", "0.5"]


def test_what_a_spreadsheet_made_of_a_phone_number_is_named_as_such() -> None:
    column = pa.array(["9.19E+11"])
    (phone,) = cells.of_property(column, Type.PHONE, UTC).wrong
    (user_id,) = cells.of_user_id(column).wrong
    assert "9.19E+11" in phone.message
    assert "9.19E+11" in user_id.message
