"""Canned answers: kept by name, and filled with what is known, as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inbox.counter import Counter
from user360.conversations import canned
from user360.errors import Conflict, Invalid, NotFound
from user360.platform import Platform

HELLO = "Hello {{{user.firstName|there}}}, this is {{{agent.name}}}."


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


@pytest.fixture
def counter(platform: Platform) -> Counter:
    return Counter(platform)


def held(counter: Counter) -> list[tuple[str, str]]:
    with counter.platform.ledger.read() as connection:
        return [(c.name, c.text) for c in canned.all_of(connection, counter.workspace.id)]


def test_it_is_made_altered_and_removed(counter: Counter) -> None:
    number = counter.change(lambda c: canned.make(c, " hello ", HELLO))
    counter.change(lambda c: canned.make(c, "Bye", "Bye!"))
    assert held(counter) == [("Bye", "Bye!"), ("hello", HELLO)]
    counter.change(lambda c: canned.alter(c, number, "Hi", "Hi"))
    assert held(counter) == [("Bye", "Bye!"), ("Hi", "Hi")]
    counter.change(lambda c: canned.remove(c, number))
    assert held(counter) == [("Bye", "Bye!")]


def test_each_workspace_has_its_own(counter: Counter, platform: Platform) -> None:
    number = counter.change(lambda c: canned.make(c, "hello", HELLO))
    other = Counter(platform)
    assert held(other) == []
    for job in (
        lambda c: canned.remove(c, number),
        lambda c: canned.alter(c, number, "mine", "mine"),
    ):
        with pytest.raises(NotFound):
            other.change(job)


@pytest.mark.parametrize(
    ("name", "said", "path"),
    [
        ("", "Hello", "name"),
        ("hello", " ", "text"),
        ("hello", "{{{user.nothing}}}", "text"),
        ("hello", "{{{agent.password}}}", "text"),
        ("hello", "{{{ 1 + 1 }}}", "text"),
        ("hello", "x" * 10_001, "text"),
    ],
)
def test_what_makes_no_sense_says_where(counter: Counter, name: str, said: str, path: str) -> None:
    with pytest.raises(Invalid) as refused:
        counter.change(lambda c: canned.make(c, name, said))
    assert [fault.path for fault in refused.value.faults] == [path]


def test_a_name_is_taken_once(counter: Counter) -> None:
    counter.change(lambda c: canned.make(c, "Hello", "Hello"))
    with pytest.raises(Conflict):
        counter.change(lambda c: canned.make(c, "hello", "Hello again"))


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({"firstName": "Asha"}, "Hello Asha, this is Ravi."),
        ({}, "Hello there, this is Ravi."),
        ({"firstName": "{{{agent.name}}}"}, "Hello {{{agent.name}}}, this is Ravi."),
    ],
)
def test_it_is_filled_with_what_is_known(known: dict[str, Any], told: str) -> None:
    assert canned.fill(HELLO, known, "Ravi") == told


@given(st.text(), st.text())
def test_nothing_in_a_value_is_looked_at_again(before: str, value: str) -> None:
    plain = before.replace("{", "").replace("}", "")
    filled = canned.fill(plain + "{{{user.x|-}}}", {"x": value}, "Ravi")
    assert filled == plain + (value or "-")
