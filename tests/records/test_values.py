from __future__ import annotations

import json
import sys
import unicodedata
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from user360.records import values
from user360.records.properties import Type
from user360.records.values import BadValue, Value

UTC = ZoneInfo("UTC")
KOLKATA = ZoneInfo("Asia/Kolkata")
NEW_YORK = ZoneInfo("America/New_York")

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


def parse(kind: Type, given: object, zone: ZoneInfo = UTC) -> Value | None:
    return values.parse(kind, given, zone)


def refusal(kind: Type, given: object, zone: ZoneInfo = UTC) -> str:
    with pytest.raises(BadValue) as caught:
        parse(kind, given, zone)
    assert str(caught.value) == caught.value.message
    assert caught.value.message.startswith("expected ")
    return caught.value.message


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


# Numbers


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


# Lists


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["b", "a", "b"], ["b", "a"]),
        ([" a ", "a", "", "  "], ["a"]),
        (["a;b"], ["a;b"]),
        ("gold; new ;;gold", ["gold", "new"]),
        ("gold", ["gold"]),
        (["e\u0301", "\u00e9"], ["\u00e9"]),
        (("a", "b"), ["a", "b"]),
        ([], None),
        ([""], None),
        (";;", None),
    ],
)
def test_a_list_keeps_its_order_without_duplicates(given: object, kept: Value | None) -> None:
    assert parse(Type.LIST, given) == kept


@pytest.mark.parametrize(
    "given", [[1], [None], [["a"]], ["a", True], 7, ["x" * 256], "a;" + "x" * 256, ["a\nb"]]
)
def test_a_list_holds_only_texts(given: object) -> None:
    refusal(Type.LIST, given)


AWKWARD = st.lists(
    st.text(st.sampled_from('a;[]"\\, =')).map(str.strip).filter(bool),
    min_size=1,
    max_size=4,
    unique=True,
)


@given(AWKWARD)
def test_a_list_is_read_back_from_its_text_whatever_its_items_hold(items: list[str]) -> None:
    assert parse(Type.LIST, values.text_of(items)) == items


def test_a_list_is_written_as_json_only_where_it_must_be() -> None:
    assert values.text_of(["a", "b[0]"]) == "a;b[0]"
    assert values.text_of(["a;b", "c"]) == '["a;b","c"]'
    assert values.text_of(["[0]"]) == '["[0]"]'
    assert parse(Type.LIST, "[a;b") == ["[a", "b"]
    assert parse(Type.LIST, "[1,2]") == ["[1,2]"]


def test_a_list_holds_at_most_1000_values() -> None:
    names = [f"tag {i}" for i in range(1000)]
    assert parse(Type.LIST, names) == names
    assert parse(Type.LIST, names * 3) == names
    assert "1000" in refusal(Type.LIST, [*names, "one more"])


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
