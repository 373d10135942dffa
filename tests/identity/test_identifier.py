from __future__ import annotations

import unicodedata
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360.errors import InvalidUserId
from user360.identity import identifier
from user360.records import values
from user360.records.properties import Type
from user360.records.values import Value

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def refusal(given: object, path: str = "userId") -> InvalidUserId:
    with pytest.raises(InvalidUserId) as caught:
        identifier.clean_user_id(given, path)
    assert [fault.path for fault in caught.value.faults] == [path]
    assert {fault.code for fault in caught.value.faults} == {"invalidUserId"}
    return caught.value


def test_a_user_id_is_trimmed_and_otherwise_kept_exactly() -> None:
    assert identifier.clean_user_id("  Loan/2024-07 #1\n") == "Loan/2024-07 #1"
    decomposed = unicodedata.normalize("NFD", "José")
    assert identifier.clean_user_id(decomposed) == decomposed
    assert identifier.clean_user_id("A@x.com") != identifier.clean_user_id("a@x.com")


def test_a_user_id_is_1_to_255_characters() -> None:
    assert identifier.clean_user_id("x" * 255) == "x" * 255
    assert "255" in refusal("x" * 256).detail
    assert "blank" in refusal(" \t ").detail


@pytest.mark.parametrize("given", ["a\nb", "a\x00b", "a\x85b", "a\ud800b"])
def test_control_characters_and_what_cannot_be_encoded_are_refused(given: str) -> None:
    assert "control" in refusal(given).detail


@pytest.mark.parametrize("given", [42, 4.2, True, None, ["a"], {"id": "a"}, b"a"])
def test_only_a_text_is_a_user_id(given: object) -> None:
    refusal(given)


def test_a_number_is_told_what_to_do() -> None:
    assert refusal(42).detail == "userId must be a text; put the number in quotes"


@pytest.mark.parametrize("word", ["null", "undefined", "anonymous", "guest", "none", "n/a", "-1"])
def test_the_placeholders_of_the_specification_are_refused_in_any_case(word: str) -> None:
    for written in (word, word.upper(), word.title(), f" {word} ", f'"{word}"', f"({word})"):
        assert "placeholder" in refusal(written).detail, written


@pytest.mark.parametrize("given", ["0", "000", "-", "---", "00000000-0000-0000-0000-000000000000"])
def test_only_zeros_and_dashes_name_nobody(given: str) -> None:
    refusal(given)
    refusal(given.replace("-", "–"))


@pytest.mark.parametrize(
    "given",
    [
        "nil",
        "<nil>",
        "NaN",
        "nan",
        "[object Object]",
        "user-[object Object]",
        '""',
        "{}",
        "''",
        "{{userId}}",
        "user-{{ user.id }}",
        "${user.id}",
    ],
)
def test_what_a_program_writes_for_nothing_is_refused(given: str) -> None:
    refusal(given)


@pytest.mark.parametrize(
    "given",
    [
        "Nil",
        "Nan",
        "NAN",
        "guest-17",
        "nullable",
        "1",
        "-2",
        "10",
        "0-1",
        "unknown",
        "test",
        "None!",
        "{2f1c}",
        "a{b}",
        "[7]",
        "N/A-2",
        "undefined behaviour",
        "null@example.com",
    ],
)
def test_what_only_looks_like_a_placeholder_is_a_user_id(given: str) -> None:
    assert identifier.clean_user_id(given) == given


def test_the_answer_names_the_place_and_keeps_the_value_to_itself() -> None:
    problem = refusal("secret\x00value", "users.17.userId")
    assert problem.detail == "userId must not hold control characters"


@given(JSON)
def test_any_json_is_cleaned_or_refused_with_its_place(given: object) -> None:
    places: list[str] = []
    try:
        cleaned = identifier.clean_user_id(given, "users.3.userId")
    except InvalidUserId as problem:
        places = [fault.path for fault in problem.faults]
    else:
        assert cleaned == cleaned.strip()
        assert 1 <= len(cleaned) <= 255
        assert identifier.clean_user_id(cleaned) == cleaned
    assert places in ([], ["users.3.userId"])


@pytest.mark.parametrize(
    ("name", "kind", "written", "user_id"),
    [
        ("phone", Type.PHONE, "91 98765-43210", "+919876543210"),
        ("email", Type.EMAIL, " Ana@Example.COM ", "ana@example.com"),
        ("loan", Type.STRING, " L-17 ", "L-17"),
        ("loan", Type.NUMBER, 17.0, "17"),
        ("loan", Type.NUMBER, "12.50", "12.5"),
        ("loan", Type.NUMBER, 10**15, "1000000000000000"),
        ("loan", Type.NUMBER, 1e-7, "0.0000001"),
    ],
)
def test_the_identifier_property_gives_a_user_id(
    name: str, kind: Type, written: object, user_id: str
) -> None:
    value = values.parse(kind, written, ZoneInfo("UTC"))
    assert value is not None
    assert identifier.identifying_value(name, kind, value) == user_id


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Type.STRING, "guest"),
        (Type.NUMBER, 0),
        (Type.NUMBER, -1),
        (Type.NUMBER, 1e300),
        (Type.LIST, ["a"]),
        (Type.BOOLEAN, True),
        (Type.DATE, "2026-01-01"),
    ],
)
def test_a_value_that_cannot_name_one_person_is_refused_at_its_property(
    kind: Type, value: Value
) -> None:
    with pytest.raises(InvalidUserId) as caught:
        identifier.identifying_value("loan", kind, value)
    assert [fault.path for fault in caught.value.faults] == ["properties.loan"]
    with pytest.raises(InvalidUserId) as caught:
        identifier.identifying_value("loan", kind, value, "traits.loan")
    assert [fault.path for fault in caught.value.faults] == ["traits.loan"]
