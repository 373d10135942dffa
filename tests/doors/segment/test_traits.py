"""Traits as properties: the reserved ones, nested ones, and names that are none."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360.doors.segment import traits

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
RESERVED = ["name", "firstName", "birthday", "address", "id", "createdAt", "userId", "company"]
TRAITS = st.dictionaries(st.sampled_from(RESERVED) | st.text(), JSON, max_size=8)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"firstName": "Ana", "gender": "f"}, {"firstName": "Ana", "gender": "f"}),
        ({"name": "Ana Maria Lima"}, {"firstName": "Ana", "lastName": "Maria Lima"}),
        ({"name": " Ana "}, {"firstName": "Ana"}),
        ({"name": "Ana Lima", "lastName": "Souza"}, {"lastName": "Souza"}),
        ({"name": None}, {"firstName": None}),
        ({"birthday": "1990-05-01T00:00:00.000Z"}, {"dob": "1990-05-01"}),
        ({"birthday": "1990-05-01"}, {"dob": "1990-05-01"}),
        ({"birthday": "1990-05-02", "dob": "1990-05-01"}, {"dob": "1990-05-01"}),
        ({"address": {"city": "Pune", "country": "IN"}}, {"city": "Pune", "country": "IN"}),
        ({"address": {"city": "Pune"}, "city": "Goa"}, {"city": "Goa"}),
        ({"address": {"postalCode": "411001"}}, {"address_postalCode": "411001"}),
        ({"address": "1 Main Street"}, {"address": "1 Main Street"}),
        ({"createdAt": "2024-01-01T00:00:00Z"}, {"sourceCreatedAt": "2024-01-01T00:00:00Z"}),
        ({"id": "42", "updatedAt": "x"}, {"sourceId": "42", "sourceUpdatedAt": "x"}),
        ({"userId": "42", "anonymousId": "b-7", "plan": "pro"}, {"plan": "pro"}),
        ({"company": {"name": "Acme", "plan": {"tier": 2}}},
         {"company_name": "Acme", "company_plan_tier": 2}),
        ({"favorite color": "red"}, {"favorite_color": "red"}),
        ({"favorite color": "red", "favorite_color": "blue"}, {"favorite_color": "blue"}),
        ({"Größe (cm)": 180}, {"Gro_e_cm": 180}),
        ({"$plan": "pro", "2fa": True}, {"plan": "pro", "trait_2fa": True}),
        ({"любимый": "x"}, {"любимый": "x"}),
        ({"roles": ["a", 2, True, 1.5]}, {"roles": ["a", "2", "true", "1.5"]}),
        ({"plans": [{"name": "x"}]}, {"plans": [{"name": "x"}]}),
        ({"company": {}}, {}),
    ],
    ids=str,
)  # fmt: skip
def test_a_trait_becomes_the_property_it_means(sent: dict[str, Any], kept: dict[str, Any]) -> None:
    assert traits.properties_of(sent) == kept


@pytest.mark.parametrize(
    ("sent", "name", "path"),
    [
        ({"birthday": "x"}, "dob", "birthday"),
        ({"address": {"city": 5}}, "city", "address.city"),
        ({"address": {"city": 5}, "city": 6}, "city", "city"),
        ({"name": 5}, "firstName", "name"),
        ({"favorite color": []}, "favorite_color", "favorite color"),
        ({"company": {"plan": {"tier": 2}}}, "company_plan_tier", "company.plan.tier"),
    ],
)
def test_a_property_is_led_back_to_the_trait_it_came_from(
    sent: dict[str, Any], name: str, path: str
) -> None:
    assert traits.origins(sent)[name] == path


@given(TRAITS)
def test_any_traits_can_be_read(sent: dict[str, Any]) -> None:
    assert traits.properties_of(sent).keys() == traits.origins(sent).keys()


@given(TRAITS)
def test_no_trait_becomes_what_the_product_alone_says(sent: dict[str, Any]) -> None:
    ours = {"id", "userid", "createdat", "updatedat", "profilecomplete"}
    assert not {name.lower() for name in traits.properties_of(sent)} & ours


@given(st.text(max_size=80))
def test_a_name_is_a_property_name_or_left_for_the_first_step_to_refuse(name: str) -> None:
    made = traits.named(name)
    assert made == name or re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", made)
    assert traits.named(made) == made


def test_traits_may_be_nested_as_deep_as_json_can_be() -> None:
    nested: dict[str, Any] = {"leaf": 1}
    for _ in range(2_000):
        nested = {"a": nested}
    (name,) = traits.properties_of(nested)
    assert len(name) > 64
