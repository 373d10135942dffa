"""What time and freed hands bring to the inbox: placed, missed, ended, closed, given up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.inbox.counter import Counter
from tests.waiting import until
from user360.access import members
from user360.clock import StillClock
from user360.conversations import managing
from user360.inbox import caretaker, queue
from user360.inbox.caretaker import Caretaker
from user360.platform import Platform


@pytest.fixture
def counter(clock: StillClock) -> Iterator[Counter]:
    with Platform.temporary(clock=clock) as platform:
        yield Counter(platform, clock)


def cared(counter: Counter) -> None:
    Caretaker(counter.platform).turn()


def test_who_waits_gets_somebody_as_soon_as_there_is_room(counter: Counter) -> None:
    her = counter.agent(capacity=1)
    first, second, third = (counter.says(name) for name in "abc")
    assert [counter.held(n).state for n in (first, second, third)] == [
        "assigned",
        "queued",
        "queued",
    ]
    counter.does(first, "resolve")
    cared(counter)
    assert counter.held(second).assignee == her
    assert counter.held(third).state == "queued"


def test_who_nobody_can_take_is_in_nobodys_way(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caretaker, "AT_ONCE", 3)
    empty = counter.change(lambda c: managing.make_group(c, "Nobody"))
    her = counter.agent(capacity=0)
    left = [counter.says(f"left-{i}") for i in range(3)]
    for number in left:
        counter.does(number, "assign", group=empty)
    waits = counter.says("after them")
    counter.set_agent(her, capacity=1)
    cared(counter)
    assert counter.held(waits).assignee == her
    assert all(counter.held(number).assignee is None for number in left)


def test_nothing_is_done_where_nothing_would_change(counter: Counter) -> None:
    counter.agent(capacity=0)
    waits = counter.says("a")
    seen = counter.held(waits)
    cared(counter)
    assert counter.held(waits) == seen


def test_when_all_go_away_nobody_is_queued_and_back_again(counter: Counter) -> None:
    her = counter.agent(capacity=0)
    waits = counter.says("a")
    counter.set_agent(her, availability="away")
    cared(counter)
    assert counter.held(waits).state == "open"
    counter.set_agent(her, availability="busy")
    cared(counter)
    assert counter.held(waits).state == "queued"
    counter.set_agent(her, availability="available", capacity=1)
    cared(counter)
    assert counter.held(waits).assignee == her


def test_places_in_the_queue_are_told(counter: Counter) -> None:
    counter.agent(capacity=0)
    first, second = counter.says("a"), counter.says("b")
    assert [place(counter, n) for n in (first, second)] == [1, 2]
    counter.does(first, "resolve")
    assert [place(counter, n) for n in (first, second)] == [None, 1]


def test_a_place_is_among_those_who_wait_for_the_same_agents(counter: Counter) -> None:
    shop = counter.change(lambda c: managing.make_group(c, "Shop"))
    office = counter.change(lambda c: managing.make_group(c, "Office"))
    her = counter.agent(capacity=0, groups=[shop])
    counter.agent(capacity=0, groups=[office])
    anybody, bought, asked, late = (counter.says(name) for name in "abcd")
    counter.does(bought, "assign", group=shop)
    counter.does(asked, "assign", group=office)
    assert [place(counter, n) for n in (anybody, bought, asked, late)] == [1, 2, 2, 4]
    counter.set_agent(her, capacity=1)
    cared(counter)
    assert counter.held(anybody).assignee == her  # who has waited longest
    assert [place(counter, n) for n in (bought, asked, late)] == [1, 1, 3]


def place(counter: Counter, number: int) -> int | None:
    with counter.platform.ledger.read() as connection:
        return queue.place_of(connection, counter.held(number))


def test_who_waited_too_long_is_missed(counter: Counter, clock: StillClock) -> None:
    counter.inbox(queueMinutes=5)
    waits = counter.says("a")
    clock.move(minutes=4)
    cared(counter)
    assert counter.held(waits).state == "open"
    clock.move(minutes=2)
    cared(counter)
    assert (counter.held(waits).state, counter.held(waits).reason) == ("missed", "waitedTooLong")


def test_who_left_the_bot_alone_has_gone(counter: Counter, clock: StillClock) -> None:
    counter.inbox(idleMinutes=10)
    chat = counter.says("a", sender="bot")
    clock.move(minutes=9)
    counter.says("a")
    clock.move(minutes=9)
    cared(counter)
    assert counter.held(chat).state == "bot"
    clock.move(minutes=2)
    cared(counter)
    assert (counter.held(chat).state, counter.held(chat).reason) == ("resolved", "idle")


def test_a_solved_ticket_is_closed_after_days(counter: Counter, clock: StillClock) -> None:
    ticket = counter.says("a", kind="ticket")
    counter.does(ticket, "resolve")
    clock.move(days=6)
    cared(counter)
    assert counter.held(ticket).state == "solved"
    clock.move(days=2)
    cared(counter)
    assert counter.held(ticket).state == "closed"


@pytest.mark.parametrize("leaves", ["removed", "reader"])
def test_who_may_answer_no_more_gives_up_what_she_had(counter: Counter, leaves: str) -> None:
    her = counter.agent()
    chat, ticket = counter.says("a"), counter.says("b", kind="ticket")
    him = counter.agent()

    def leave(change: Any) -> None:
        if leaves == "removed":
            members.remove(change, her)
        else:
            members.set_role(change, her, leaves)

    counter.change(leave)
    counter.platform.reload_members()
    cared(counter)
    assert [counter.held(n).assignee for n in (chat, ticket)] == [him, him]


def test_it_goes_on_by_itself_while_the_server_runs(counter: Counter) -> None:
    caretaker = Caretaker(counter.platform)
    caretaker.start()
    try:
        her = counter.agent(capacity=1)
        first, second = counter.says("a"), counter.says("b")
        counter.does(first, "resolve")
        until(lambda: counter.held(second).assignee == her)
        counter.change(lambda c: managing.set_agent(c, her, capacity=2))
        third = counter.says("c")
        until(lambda: counter.held(third).assignee == her)
    finally:
        caretaker.close()
