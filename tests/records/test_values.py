"""Values of every type, texts, booleans, and the type that a first value shows."""

from __future__ import annotations

import json
import sys
import unicodedata
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records.reading import KOLKATA, NEW_YORK, UTC, parse, refusal
from user360.records import values
from user360.records.properties import Type
from user360.records.values import BadValue

WRITTEN = st.sampled_from(
    [
        "2026-11-22",
        "2026-11-22 05:40:00",
        "05:40:00",
        "a@x.test",
        "+919876543210",
        "1e5",
        "a;b",
        "http://x.org/",
        "TRUE",
        " ",
        "9.19E+11",
        "٩١٩٨٧٦٥٤٣٢١٠",
        "ﬁ",
        "e\u0301",
        "\ud800",
        "\x00",
    ]
)
TEXTS = st.text(max_size=300) | WRITTEN
NUMBERS = st.integers() | st.floats() | st.integers(-(10**400), 10**400)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=6,
)
KINDS = st.sampled_from(Type)
FITS: dict[Type, st.SearchStrategy[object]] = {
    Type.STRING: st.text(max_size=40),
    Type.NUMBER: st.integers(-(10**15), 10**15) | st.decimals(-99, 99, places=3).map(str),
    Type.BOOLEAN: st.booleans() | st.sampled_from(["True", "FALSE", " true "]),
    Type.DATE: st.dates().map(str),
    Type.DATETIME: st.datetimes(timezones=st.just(UTC)).map(str),
    Type.TIME: st.times().map(lambda time: f"{time:%H:%M:%S}"),
    Type.LIST: st.lists(st.text(max_size=5), max_size=5),
    Type.EMAIL: st.emails(),
    Type.PHONE: st.integers(9000000000, 9999999999).map(lambda digits: f"91 {digits}"),
    Type.URL: st.sampled_from(["http://x.org", "HTTPS://Ana@x.org:80/a?b=c#d"]),
}
FITTING = KINDS.flatmap(lambda kind: st.tuples(st.just(kind), FITS[kind]))


@pytest.mark.parametrize("kind", Type)
def test_null_and_blank_text_are_no_value_whatever_the_type(kind: Type) -> None:
    for nothing in (None, "", "  \t\n"):
        assert parse(kind, nothing) is None


@pytest.mark.parametrize("kind", Type)
def test_an_object_fits_no_type(kind: Type) -> None:
    refusal(kind, {"a": 1})
    refusal(kind, {})
    refusal(kind, [{"a": 1}])


@pytest.mark.parametrize("kind", [kind for kind in Type if kind is not Type.BOOLEAN])
def test_a_boolean_fits_only_boolean(kind: Type) -> None:
    refusal(kind, True)


@pytest.mark.parametrize("kind", Type)
def test_a_refusal_never_repeats_the_value(kind: Type) -> None:
    secret = "Xq7vZ\x00"
    assert "Xq7vZ" not in refusal(kind, secret)


# What holds for all of them


@settings(max_examples=500)
@given(KINDS, JSON, st.sampled_from([UTC, KOLKATA, NEW_YORK]))
def test_any_json_is_kept_in_its_own_form_or_refused(
    kind: Type, given: object, zone: ZoneInfo
) -> None:
    try:
        kept = parse(kind, given, zone)
    except BadValue:
        return
    assert parse(kind, kept, zone) == kept
    assert json.loads(json.dumps(kept).encode()) == kept
    assert kept not in ("", [])


@settings(max_examples=300)
@given(FITTING)
def test_a_kept_value_is_read_back_as_it_is_and_from_its_text(fitting: tuple[Type, object]) -> None:
    kind, given = fitting
    try:
        kept = parse(kind, given)
    except BadValue:
        assert kind in (Type.STRING, Type.LIST, Type.EMAIL)
        return
    assert parse(kind, kept) == kept
    if kept is not None:
        assert parse(kind, values.text_of(kept)) == kept


@settings(max_examples=300)
@given(st.text(st.characters(categories=["L", "M", "N", "P", "S", "Z", "C"]), max_size=40))
def test_kept_text_is_trimmed_composed_and_writable(text: str) -> None:
    try:
        kept = parse(Type.STRING, text)
    except BadValue:
        assert values.CONTROL.search(text.strip())
        return
    if kept is not None:
        assert isinstance(kept, str)
        assert kept == kept.strip() == unicodedata.normalize("NFC", text.strip())
        assert kept.encode().decode() == kept


# Texts


def test_text_is_trimmed_and_composed() -> None:
    assert parse(Type.STRING, "  Ana Lima \n") == "Ana Lima"
    assert parse(Type.STRING, "Jose\u0301") == "Jos\u00e9"
    assert parse(Type.STRING, "नमस्ते 👋🏽") == "नमस्ते 👋🏽"


def test_text_holds_255_characters_counted_when_composed() -> None:
    assert parse(Type.STRING, "x" * 255) == "x" * 255
    assert parse(Type.STRING, "e\u0301" * 255) == "\u00e9" * 255
    assert "255" in refusal(Type.STRING, "x" * 256)
    assert "255" in refusal(Type.STRING, "\u00e9" * 256)
    assert "255" in refusal(Type.STRING, "e\u0301" * 256)
    assert "255" in refusal(Type.STRING, "\u00e9" * 2_000_000)


def test_text_that_grows_by_composing_is_counted_as_it_is_kept() -> None:
    assert len(unicodedata.normalize("NFC", "\u0958")) == 2
    refusal(Type.STRING, "\u0958" * 128)


@pytest.mark.parametrize(
    "given", ["a\nb", "a\tb", "a\x00b", "a\x7fb", "a\x85b", "é\x9fb", "a\udfffb"]
)
def test_control_characters_and_what_cannot_be_encoded_are_refused(given: str) -> None:
    assert "control" in refusal(Type.STRING, given)


@pytest.mark.parametrize("given", [1, 1.5, [], ["a"]])
def test_only_text_is_text(given: object) -> None:
    refusal(Type.STRING, given)


def test_no_character_composes_into_something_to_be_trimmed_again() -> None:
    for code in range(sys.maxunicode + 1):
        kept = chr(code).strip()
        if kept and not 0xD800 <= code <= 0xDFFF:
            composed = unicodedata.normalize("NFC", kept)
            assert composed == composed.strip(), hex(code)
            assert not values.CONTROL.search(composed) or values.CONTROL.search(kept), hex(code)


# Booleans


@pytest.mark.parametrize(
    ("given", "kept"),
    [(True, True), (False, False), ("true", True), ("FALSE", False), (" True ", True)],
)
def test_booleans_may_be_written_in_any_case(given: object, kept: bool) -> None:
    assert parse(Type.BOOLEAN, given) is kept


@pytest.mark.parametrize("given", [0, 1, 1.0, "yes", "1", "t", ["true"]])
def test_nothing_else_is_a_boolean(given: object) -> None:
    refusal(Type.BOOLEAN, given)


# The type a first value shows


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (True, Type.BOOLEAN),
        (7, Type.NUMBER),
        (7.5, Type.NUMBER),
        (["a", "b"], Type.LIST),
        ("1990-05-01", Type.DATE),
        ("1990-02-31", Type.STRING),
        ("2026-11-22T05:40:00Z", Type.DATETIME),
        ("2026-11-22T05:40:00.123+05:30", Type.DATETIME),
        ("2026-11-22T05:40:00+99:00", Type.STRING),
        ("2026-11-22 05:40:00", Type.STRING),
        ("05:40:00", Type.STRING),
        ("00501", Type.STRING),
        ("true", Type.STRING),
        ("a@x.com", Type.STRING),
        ("+919876543210", Type.STRING),
        ("https://x.org", Type.STRING),
        ("a;b", Type.STRING),
    ],
)
def test_an_undeclared_property_takes_the_type_its_first_value_shows(
    given: object, kind: Type
) -> None:
    assert values.of_first_value(given) is kind
    assert parse(kind, given) is not None


@pytest.mark.parametrize("given", [{}, {"a": 1}, [1], ["a", 1], [{"a": 1}], [None]])
def test_what_no_property_keeps_shows_no_type(given: object) -> None:
    assert not values.is_blank(given)
    with pytest.raises(BadValue):
        values.of_first_value(given)


@pytest.mark.parametrize("given", [None, "", " \n", [], ["", " "]])
def test_no_value_shows_no_type(given: object) -> None:
    assert values.is_blank(given)
    with pytest.raises(BadValue):
        values.of_first_value(given)


@settings(max_examples=300)
@given(JSON)
def test_the_first_value_fits_the_type_it_shows_or_breaks_a_limit_of_it(given: object) -> None:
    try:
        kind = values.of_first_value(given)
    except BadValue:
        return
    if kind in (Type.DATE, Type.DATETIME, Type.BOOLEAN):
        assert parse(kind, given) is not None
    else:
        assert kind in (Type.STRING, Type.NUMBER, Type.LIST)
