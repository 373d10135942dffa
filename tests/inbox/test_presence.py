"""Whoever closes the inbox has left: away after a while, back when it is open again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.inbox.counter import Counter
from tests.waiting import until
from user360.access import audit, members
from user360.access.change import Change
from user360.clock import StillClock
from user360.conversations import managing
from user360.conversations.desk import Agent
from user360.inbox.caretaker import Caretaker
from user360.inbox.presence import Back, Presence
from user360.platform import Platform


@pytest.fixture
def counter(clock: StillClock) -> Iterator[Counter]:
    with Platform.temporary(clock=clock) as platform:
        yield Counter(platform, clock)


class Office:
    """The presence of a workspace, looked at when the test says so; pages come and go."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self.back: list[Back] = []
        self.begin()

    def begin(self) -> None:
        """As a server that has just begun: it knows of nobody."""
        self.presence = Presence(self.counter.platform)
        self.presence.hear(self.back.append)

    def opens(self, member: int) -> None:
        self.presence.attendance.came(self.counter.workspace.id, member)
        self.presence.turn()

    def closes(self, member: int) -> None:
        self.presence.attendance.left(self.counter.workspace.id, member)
        self.presence.turn()

    def later(self, **passed: float) -> None:
        assert self.counter.clock is not None
        self.counter.clock.move(**passed)
        self.presence.turn()

    def agent(self, member: int) -> Agent:
        return self.counter.workspace.desk.agents[member]

    def how(self, member: int) -> str:
        return self.agent(member).availability


@pytest.fixture
def office(counter: Counter) -> Office:
    return Office(counter)


def test_who_closes_the_inbox_is_away_after_a_while(counter: Counter, office: Office) -> None:
    her = counter.agent()
    office.opens(her)
    office.closes(her)
    office.later(minutes=4)
    assert office.how(her) == "available"
    office.later(minutes=1)
    assert office.how(her) == "away"
    assert office.agent(her).left_at == counter.platform.clock.now()
    assert counter.held(counter.says("a")).assignee is None


@pytest.mark.parametrize("was", ["available", "busy"])
def test_who_opens_it_again_is_what_she_was(counter: Counter, office: Office, was: str) -> None:
    her = counter.agent(availability=was)
    office.opens(her)
    office.closes(her)
    office.later(minutes=6)
    left = office.agent(her).left_at
    office.later(minutes=60)
    office.opens(her)
    assert office.how(her) == was
    assert office.agent(her).left_at is None
    assert left is not None
    assert office.back == [Back(counter.workspace.id, her, left, was)]
    office.closes(her)
    office.later(minutes=6)
    assert office.how(her) == "away"


def test_who_went_away_herself_stays_away(counter: Counter, office: Office) -> None:
    her = counter.agent()
    office.opens(her)
    counter.set_agent(her, availability="away")
    office.closes(her)
    office.later(minutes=6)
    office.opens(her)
    assert office.how(her) == "away"
    assert office.back == []


def test_what_is_said_of_her_meanwhile_holds(counter: Counter, office: Office) -> None:
    her = counter.agent()
    office.opens(her)
    office.closes(her)
    office.later(minutes=6)
    counter.set_agent(her, availability="available")
    office.later(minutes=60)
    assert office.how(her) == "available"
    assert not office.agent(her).watched


def test_one_page_of_two_is_enough(counter: Counter, office: Office) -> None:
    her = counter.agent()
    office.opens(her)
    office.opens(her)
    office.closes(her)
    for _ in range(5):
        office.presence.attendance.seen(counter.workspace.id, her)  # the other says so
        office.later(minutes=2)
    assert office.how(her) == "available"
    office.closes(her)
    office.later(minutes=5)
    assert office.how(her) == "away"


def test_who_comes_back_in_time_has_not_left(counter: Counter, office: Office) -> None:
    her = counter.agent()
    office.opens(her)
    office.closes(her)
    office.later(minutes=4)
    office.opens(her)
    office.later(minutes=2)
    assert office.how(her) == "available"


def test_a_computer_that_was_closed_is_not_there(counter: Counter, office: Office) -> None:
    her = counter.agent()
    office.opens(her)
    office.later(minutes=4)
    assert office.how(her) == "available"
    office.later(minutes=1)
    assert office.how(her) == "away"
    # The connection is found dead only now, which says nothing of her.
    office.closes(her)
    assert office.how(her) == "away"
    assert office.back == []


def test_who_never_had_a_page_is_left_alone(counter: Counter, office: Office) -> None:
    program = counter.agent()
    office.later(days=3)
    assert office.how(program) == "available"


def test_who_does_something_elsewhere_is_there(counter: Counter, office: Office) -> None:
    her = counter.agent()
    office.opens(her)
    office.closes(her)
    for _ in range(3):
        office.later(minutes=4)
        office.presence.attendance.seen(counter.workspace.id, her)
    assert office.how(her) == "available"
    office.later(minutes=5)
    assert office.how(her) == "away"


def test_who_answers_by_the_api_is_back_until_long_after_the_last(
    counter: Counter, office: Office
) -> None:
    her = counter.agent(availability="busy")
    office.opens(her)
    office.closes(her)
    office.later(minutes=6)
    left = office.agent(her).left_at
    assert office.how(her) == "away"
    office.later(minutes=60)
    assert office.how(her) == "away"
    office.presence.attendance.seen(counter.workspace.id, her)
    office.later(seconds=1)
    assert (office.how(her), office.agent(her).left_at) == ("busy", None)
    assert left is not None
    assert office.back == [Back(counter.workspace.id, her, left, "busy")]
    office.later(minutes=5)
    assert office.how(her) == "away"


def test_a_restart_brings_nobody_back(counter: Counter, office: Office) -> None:
    her = counter.agent()
    office.opens(her)
    office.closes(her)
    office.later(minutes=6)
    office.begin()
    office.later(minutes=6)
    assert office.how(her) == "away"


def test_what_was_done_before_she_left_does_not_bring_her_back(
    counter: Counter, office: Office
) -> None:
    her = counter.agent()
    office.opens(her)
    office.closes(her)
    office.presence.attendance.seen(counter.workspace.id, her)
    office.later(minutes=5)
    assert office.how(her) == "away"
    office.later(minutes=1)
    assert office.how(her) == "away"


def test_what_somebody_says_of_her_is_audited_and_what_the_system_does_is_not(
    counter: Counter, office: Office
) -> None:
    her = counter.agent(availability="away")
    counter.set_agent(her, availability="busy")
    counter.set_agent(her, availability="busy", capacity=3)
    office.opens(her)
    office.closes(her)
    office.later(minutes=6)
    office.opens(her)
    assert office.how(her) == "busy"
    with counter.platform.ledger.read() as connection:
        lines = audit.lines(connection, counter.workspace.id, None, 100, kind="agent")
    assert [(line["actor"], line["target"], line["detail"]) for line in lines] == [
        ("key:1", f"member:{her}", {"was": "away", "becomes": "busy"})
    ]


def test_nobody_is_set_away_where_that_is_not_wanted(counter: Counter, office: Office) -> None:
    counter.inbox(awayAfter=0)
    her = counter.agent()
    office.opens(her)
    office.closes(her)
    office.later(days=3)
    assert office.how(her) == "available"


def test_a_restart_sends_nobody_away_at_once(counter: Counter, office: Office) -> None:
    her, him = counter.agent(), counter.agent()
    for each in (her, him):
        office.opens(each)
    office.later(minutes=1)
    office.begin()
    office.later(minutes=4)
    office.begin()
    office.opens(her)
    office.later(minutes=2)
    assert [office.how(each) for each in (her, him)] == ["available", "available"]
    office.presence.attendance.seen(counter.workspace.id, her)
    office.later(minutes=3)
    assert [office.how(each) for each in (her, him)] == ["available", "away"]


def test_a_restart_forgets_nobody(tmp_path: Path, clock: StillClock) -> None:
    with Platform.open(tmp_path / "data", clock=clock) as platform:
        counter = Counter(platform, clock)
        office, her = Office(counter), counter.agent()
        office.opens(her)
        office.closes(her)
        office.later(minutes=6)
        left = office.agent(her).left_at
        name = counter.workspace.name
    with Platform.open(tmp_path / "data", clock=clock) as platform:
        counter.platform = platform
        counter.workspace = next(w for w in platform.workspaces.values() if w.name == name)
        assert (office.how(her), office.agent(her).left_at) == ("away", left)
        office.begin()
        office.opens(her)
        assert office.how(her) == "available"


@pytest.mark.parametrize("becomes", ["removed", "reader"])
def test_who_may_answer_no_more_is_no_matter(
    counter: Counter, office: Office, becomes: str
) -> None:
    her = counter.agent()
    office.opens(her)

    def change(change: Change) -> None:
        if becomes == "removed":
            members.remove(change, her)
        else:
            members.set_role(change, her, becomes)

    counter.change(change)
    office.closes(her)
    office.later(minutes=6)
    assert her not in counter.workspace.desk.agents
    office.opens(her)
    assert office.back == []


def test_another_role_is_set_away_all_the_same(counter: Counter, office: Office) -> None:
    her = counter.agent()
    office.opens(her)
    counter.change(lambda c: members.set_role(c, her, "supervisor"))
    office.closes(her)
    office.later(minutes=6)
    assert office.how(her) == "away"


def test_another_workspace_has_another_office(counter: Counter, office: Office) -> None:
    other = Counter(counter.platform, counter.clock)
    her = counter.agent()
    theirs = Office(other)
    office.opens(her)
    office.closes(her)
    theirs.presence.attendance.came(other.workspace.id, her)
    office.later(minutes=6)
    assert office.how(her) == "away"


def test_what_waits_for_her_goes_to_somebody_else(counter: Counter, office: Office) -> None:
    counter.inbox(reassignAfter=10)
    her = counter.agent()
    waits, answered = counter.says("a"), counter.says("b")
    ticket = counter.says("c", kind="ticket")
    counter.says("b", "Hello", sender="agent", author=f"member:{her}")
    him = counter.agent(capacity=1)
    office.opens(her)
    office.closes(her)
    office.later(minutes=5)
    office.later(minutes=9)
    Caretaker(counter.platform).turn()
    assert counter.held(waits).assignee == her
    office.later(minutes=1)
    Caretaker(counter.platform).turn()
    assert [counter.held(n).assignee for n in (waits, answered, ticket)] == [him, her, her]
    counter.says("b", "Are you there?")
    Caretaker(counter.platform).turn()
    assert (counter.held(answered).assignee, counter.held(answered).state) == (None, "queued")


def test_what_waits_for_her_stays_hers_otherwise(counter: Counter, office: Office) -> None:
    her = counter.agent()
    waits = counter.says("a")
    counter.agent()
    office.opens(her)
    office.closes(her)
    office.later(days=1)
    Caretaker(counter.platform).turn()
    assert counter.held(waits).assignee == her


def test_who_says_to_be_away_keeps_her_chats(counter: Counter, office: Office) -> None:
    counter.inbox(reassignAfter=1)
    her = counter.agent()
    waits = counter.says("a")
    counter.agent()
    office.opens(her)
    counter.change(lambda c: managing.set_agent(c, her, availability="away"))
    office.closes(her)
    office.later(days=1)
    Caretaker(counter.platform).turn()
    assert counter.held(waits).assignee == her


def test_it_looks_by_itself_while_the_server_runs(counter: Counter, clock: StillClock) -> None:
    office, her = Office(counter), counter.agent()
    office.presence.start()
    try:
        office.presence.attendance.came(counter.workspace.id, her)
        until(lambda: office.agent(her).watched)
        office.presence.attendance.left(counter.workspace.id, her)
        clock.move(minutes=6)
        until(lambda: office.how(her) == "away")
        office.presence.attendance.came(counter.workspace.id, her)
        until(lambda: office.how(her) == "available")
    finally:
        office.presence.close()
