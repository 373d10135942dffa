"""Who gets the next conversation: pure decisions over who is there."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360.clock import to_us
from user360.conversations.desk import (
    Agent,
    Desk,
    Hours,
    InboxSettings,
    choose,
    fitting,
    open_at,
)


def desk(*agents: Agent, **settings: object) -> Desk:
    return Desk(InboxSettings(**settings), {a.member: a for a in agents})  # type: ignore[arg-type]


def chosen(over: Desk, loads: dict[int, int] | None = None, last: int | None = None) -> int | None:
    return choose(over, over.agents.values(), loads or {}, {}, last)


def test_only_who_is_available_and_has_room_is_given_one() -> None:
    over = desk(Agent(1, "away"), Agent(2, "busy"), Agent(3, "available", capacity=1))
    assert chosen(over) == 3
    assert chosen(over, {3: 1}) is None


def test_the_least_busy_gets_it_and_among_equals_who_waited_longest() -> None:
    over = desk(
        Agent(1, "available", last_given=5), Agent(2, "available", last_given=3), Agent(3, "busy")
    )
    assert chosen(over, {1: 0, 2: 1}) == 1
    assert chosen(over, {1: 1, 2: 1}) == 2


def test_taking_turns_asks_only_who_waited_longest() -> None:
    over = desk(
        Agent(1, "available", last_given=5),
        Agent(2, "available", last_given=3),
        assignment="roundRobin",
    )
    assert chosen(over, {2: 4}) == 2


def test_a_customer_goes_back_to_who_answered_last_where_that_is_wanted() -> None:
    two = (Agent(1, "available"), Agent(2, "available", last_given=9))
    assert chosen(desk(*two), last=2) == 1
    assert chosen(desk(*two, sticky=True), last=2) == 2
    assert chosen(desk(Agent(1, "available"), Agent(2, "away"), sticky=True), last=2) == 1


def test_by_hand_nobody_is_given_anything() -> None:
    assert chosen(desk(Agent(1, "available"), assignment="manual")) is None


def test_a_group_and_skills_narrow_who_may_have_it() -> None:
    french = Agent(1, groups=frozenset((7,)), skills=frozenset(("fr", "de")))
    other = Agent(2, groups=frozenset((8,)), skills=frozenset(("fr",)))
    over = desk(french, other)
    assert fitting(over, 7, ()) == [french]
    assert fitting(over, None, ("fr",)) == [french, other]
    assert fitting(over, 8, ("de",)) == []


@pytest.mark.parametrize(
    ("hour", "minute", "there"), [(8, 59, False), (9, 0, True), (16, 59, True), (17, 0, False)]
)
def test_working_hours_are_those_of_the_workspaces_zone(
    hour: int, minute: int, there: bool
) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    monday = datetime(2026, 11, 23, hour, minute, tzinfo=zone).astimezone(UTC)
    settings = InboxSettings(hours=(Hours(1, 9 * 60, 17 * 60),))
    assert open_at(settings, zone, to_us(monday)) is there
    assert open_at(InboxSettings(), zone, to_us(monday))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("available", "busy", "away")), st.integers(0, 3), st.integers(0, 4)
        ),
        max_size=6,
    ),
    st.sampled_from(("roundRobin", "leastBusy")),
    st.booleans(),
)
def test_whoever_is_chosen_has_room_and_nobody_is_passed_over(
    people: list[tuple[str, int, int]], assignment: str, sticky: bool
) -> None:
    agents = [Agent(i, there, room) for i, (there, room, _) in enumerate(people)]
    loads = {i: load for i, (_, _, load) in enumerate(people)}
    over = desk(*agents, assignment=assignment, sticky=sticky)
    there = [a for a in agents if a.availability == "available"]
    free = {a.member for a in there if loads[a.member] < a.capacity}
    found = chosen(over, loads, last=0)
    assert found in free if free else found is None
