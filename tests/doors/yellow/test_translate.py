"""The original's dialect in both directions, without a product behind it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360.doors.yellow import translate
from user360.errors import Fault, Invalid, Problem
from user360.records.properties import Catalogue, Property, Type

CATALOGUE = Catalogue([Property(101, "plan", Type.STRING)])
RECORD = {
    "id": "r7",
    "userId": "asha",
    "properties": {"phone": "+919876543210", "plan": "pro", "tags": ["a"]},
    "tags": ["a"],
    "profileComplete": "17.65",
    "createdAt": "2026-11-22T05:40:00.000Z",
    "updatedAt": "2026-11-22T05:41:00.000Z",
}


def test_a_flat_body_is_properties_without_the_user_id() -> None:
    assert translate.properties_of({"userId": "a", "city": "Pune"}) == {"city": "Pune"}


def test_the_spelling_of_the_documentation_is_accepted_and_ours_goes_before() -> None:
    assert translate.properties_of({"emailOptIn": True}) == {"emailOptin": True}
    both = {"emailOptIn": True, "emailOptin": False}
    assert translate.properties_of(both) == {"emailOptin": False}


@pytest.mark.parametrize("given", [None, True, 1.5, ["a"], {}])
def test_a_user_id_is_a_text_or_a_whole_number(given: Any) -> None:
    assert translate.user_id_of({"userId": 42}) == "42"
    with pytest.raises(Invalid):
        translate.user_id_of({"userId": given})


def test_a_record_without_a_user_id_goes_by_its_own() -> None:
    shown = translate.user({**RECORD, "userId": None}, "shop", CATALOGUE)
    assert "userId" not in shown
    assert shown["id"].value == "shop_r7"


def test_phones_lose_their_plus_and_values_tell_whose_property_they_are() -> None:
    shown = translate.user(RECORD, "shop", CATALOGUE)
    assert shown["phone"] == translate.Value("919876543210", "System")
    assert shown["plan"] == translate.Value("pro", "Custom")
    assert shown["id"] == translate.Value("shop_asha")


def test_what_was_not_asked_for_is_left_out() -> None:
    shown = translate.user(RECORD, "shop", CATALOGUE)
    assert translate.chosen(shown, None, True, CATALOGUE) == shown
    only = translate.chosen(shown, ["plan", "emailOptIn", "updatedAt"], False, CATALOGUE)
    assert only.keys() == {"plan", *translate.FIXED}
    with pytest.raises(Invalid) as refused:
        translate.chosen(shown, ["plan", "hobby", "sport"], True, CATALOGUE)
    assert [f.path for f in refused.value.faults] == ["hobby", "sport"]


def test_an_error_names_every_place_in_one_line() -> None:
    faults = [
        Fault("properties.email", "invalidDataType", "expected an address"),
        Fault("", "malformed", "expected an object"),
    ]
    told = translate.told(Problem("two things", faults=faults))
    assert told == ("email: expected an address (invalidDataType); expected an object (malformed)")
    assert translate.told(Problem("one thing")) == "one thing"


@given(st.dictionaries(st.text(), st.none() | st.integers() | st.text()))
def test_any_flat_body_gives_properties(body: dict[str, Any]) -> None:
    found = translate.properties_of(body)
    assert "userId" not in found
    assert found.keys() == {
        "emailOptin" if name == "emailOptIn" else name for name in body if name != "userId"
    }
