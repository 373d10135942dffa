"""The users' addresses: what they say, and the pages before and after."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360.errors import InvalidCondition
from user360.pages import users_columns, users_view
from user360.pages.users_view import View
from user360.records.properties import Catalogue

CURSOR = st.text("abcXYZ019-_", min_size=1, max_size=300)
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20).map(str.strip)


def of(address: str) -> View:
    return users_view.read(dict(parse_qsl(urlsplit(address).query)))


@given(
    st.builds(
        View,
        segment=st.none() | st.integers(1, 10**12),
        where=WORDS,
        text=WORDS,
        sort=WORDS,
        archived=st.sampled_from(["", "yes"]),
    )
)
def test_an_address_says_all_of_a_view(view: View) -> None:
    assert of(view.at()) == view


@given(st.lists(CURSOR, min_size=1, max_size=40))
def test_from_each_page_one_comes_back_as_far_as_an_address_holds_it(cursors: list[str]) -> None:
    view = View(text="asha")
    seen = [view]
    for cursor in cursors:
        view = of(view.following(cursor))
        seen.append(view)
        assert len(view.trail) <= users_view.LONGEST_TRAIL
    assert seen[-1].page == len(seen)
    for earlier in reversed(seen[:-1]):
        if not view.previous:
            assert view.page > 2
            break
        view = of(view.previous)
        assert (view.page, view.cursor, view.text) == (earlier.page, earlier.cursor, "asha")


def test_what_is_no_number_is_left_out() -> None:
    given: dict[str, Any] = {"segment": "9" * 40, "page": "-3", "text": " asha "}
    assert users_view.read(given) == View(text="asha")
    assert users_view.read({"page": "0", "segment": "x"}) == View()


@pytest.mark.parametrize("text", ['{"a"', "[]", "1", '"' + "[" * 100_000])
def test_a_damaged_filter_is_told(text: str) -> None:
    with pytest.raises(InvalidCondition, match="damaged"):
        users_view.condition(text)


def test_the_usual_columns_are_there_and_every_property_is_one() -> None:
    there = users_columns.choices(Catalogue())
    assert set(users_columns.USUAL) <= there.keys()
    assert there["whatsAppOptin"].title == "WhatsApp opt-in"
    assert [name for name, column in there.items() if not column.sorts] == [
        "tags",
        "profileComplete",
        "id",
    ]
    assert there["dob"].numeric is False


@pytest.mark.parametrize(
    "address", ["https://evil.example", "//evil", "/users/../x", "/usersx", ""]
)
def test_nobody_is_led_elsewhere(address: str) -> None:
    assert users_columns.back(address) == "/users"
    assert users_columns.back("/users?text=a") == "/users?text=a"
