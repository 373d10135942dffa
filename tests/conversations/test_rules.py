"""Whatever is said and done, in whatever order, a conversation stays one that makes sense."""

from __future__ import annotations

from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360.conversations import deeds, saying, talk
from user360.conversations.deeds import Deed
from user360.conversations.desk import Agent, Channel, Desk, Group, InboxSettings
from user360.conversations.floor import TOLD, Floor, Told
from user360.conversations.talk import Conversation, Said
from user360.errors import Conflict, Problem
from user360.events import event

ACTIONS = st.one_of(
    st.tuples(
        st.just("say"),
        st.fixed_dictionaries(
            {
                "sender": st.sampled_from(talk.SENDERS),
                "author": st.sampled_from(("", "member:1", "member:2", "key:1")),
            }
        ),
    ),
    st.tuples(
        st.sampled_from(sorted(deeds.ACTIONS)),
        st.fixed_dictionaries(
            {},
            optional={
                "assignee": st.sampled_from((1, 2)),
                "group": st.just(7),
                "if_free": st.booleans(),
                "kind": st.sampled_from(talk.KINDS),
                "state": st.sampled_from((*talk.STATES[talk.TICKET], "nonsense")),
                "add_tags": st.sampled_from((("late",), tuple(f"t{i}" for i in range(51)))),
                "remove_tags": st.just(("late",)),
                "flow": st.just("{}"),
            },
        ),
    ),
)
DESKS = st.builds(
    lambda there, room, bot, settings: Desk(
        settings,
        {n: Agent(n, a, c) for n, (a, c) in enumerate(zip(there, room, strict=True), 1)},
        {7: Group(7, "Returns")},
        {"web": Channel("web", bot)},
    ),
    st.tuples(*[st.sampled_from(("available", "busy", "away"))] * 2),
    st.tuples(*[st.integers(0, 2)] * 2),
    st.sampled_from(("", "webhook")),
    st.builds(
        InboxSettings,
        assignment=st.sampled_from(("leastBusy", "roundRobin", "manual")),
        queue_limit=st.integers(0, 2),
    ),
)


def floor(desk: Desk) -> Floor:
    return Floor(desk, ZoneInfo("UTC"), 1_000, dict, lambda: 0, lambda _record: None)


def begun(number: int, kind: str, over: Floor) -> Conversation:
    made = Conversation(
        id=number,
        record=1,
        channel="web",
        session=str(number),
        kind=kind,
        state=talk.OPEN,
        created_at=0,
        updated_at=0,
    )
    saying.say(made, Said(sender="customer", text="Hello"), 1, over, begun=True)
    return made


def happen(to: Conversation, what: str, known: dict[str, Any], at: int, over: Floor) -> list[Told]:
    """One thing said or done; what is refused changes nothing."""
    before = msgspec.structs.replace(to)
    try:
        if what != "say":
            return deeds.carry_out(to, Deed(action=what, **known), over)
        if known["sender"] == talk.CUSTOMER and not saying.goes_on(to):
            return []  # another conversation begins
        return saying.say(to, Said(text="Hm", **known), at, over, begun=False)
    except Problem:
        assert to == before
        return []


@given(DESKS, st.sampled_from(talk.KINDS), st.lists(ACTIONS, max_size=12))
def test_it_always_makes_sense(desk: Desk, kind: str, done: list[tuple[str, Any]]) -> None:
    over = floor(desk)
    conversation = begun(1, kind, over)
    for at, (what, known) in enumerate(done, 2):
        before = conversation.state
        told = happen(conversation, what, known, at, over)
        if conversation.state != before:
            assert [t.properties["state"] for t in told] == [conversation.state]
        assert conversation.state in talk.STATES[conversation.kind] or what == "hand_over"
        assert conversation.active is (conversation.ended_at is None)
        if not conversation.active:
            assert conversation.waiting_since is None
            assert conversation.queued_at is None
        if conversation.state == talk.ASSIGNED:
            assert conversation.assignee is not None
        if conversation.state in (talk.BOT, talk.QUEUED):
            assert conversation.assignee is None
        if conversation.state != talk.BOT:
            assert conversation.flow == ""


@given(DESKS, st.lists(st.tuples(st.integers(0, 3), ACTIONS), max_size=20))
def test_the_floor_counts_what_the_conversations_are(
    desk: Desk, done: list[tuple[int, tuple[str, Any]]]
) -> None:
    over = floor(desk)
    all_of_them = [begun(number, talk.CHAT, over) for number in range(4)]
    for at, (which, (what, known)) in enumerate(done, 2):
        if known.get("kind") != talk.TICKET:
            happen(all_of_them[which], what, known, at, over)
    had = Counter(c.assignee for c in all_of_them if c.state == talk.ASSIGNED)
    assert {n: c for n, c in over.loads.items() if c} == had
    assert over.waiting == sum(c.state == talk.QUEUED for c in all_of_them)


@given(DESKS, st.sampled_from(talk.KINDS))
def test_a_bot_that_comes_too_late_says_and_ends_nothing(desk: Desk, kind: str) -> None:
    over = floor(desk)
    held = begun(1, kind, over)
    happen(held, "assign", {"assignee": 1}, 20, over)
    taken = msgspec.structs.replace(held)
    bot = Said(sender=talk.BOT_SAYS, text="x", yields=True)
    with pytest.raises(Conflict):
        saying.say(held, bot, 30, over, begun=False)
    assert deeds.carry_out(held, Deed(action="resolve", by="flow:f", with_bot=True), over) == []
    assert held == taken


def test_what_is_told_is_an_event_that_nobody_else_may_write() -> None:
    assert TOLD <= event.SYSTEM_NAMES
    assert event.faults_of("CONVERSATION_START", {}, "")
