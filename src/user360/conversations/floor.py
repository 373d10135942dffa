"""What a batch knows of the inbox, and what every decision ends in: given, placed, ended, told.

The decisions are pure: they change the conversation and the floor they are given, so that the next
one of the batch sees it.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from typing import Any

import msgspec

from user360 import ids
from user360.conversations import desk as desks
from user360.conversations import talk
from user360.conversations.desk import Desk
from user360.conversations.talk import Conversation

START = "CONVERSATION_START"
ASSIGN = "CONVERSATION_ASSIGN"
# What a state is told as when it is reached; a ticket that gets an agent is told as assigned too.
REACHED = {
    talk.BOT: "CONVERSATION_BOT",
    talk.QUEUED: "CONVERSATION_QUEUE",
    talk.OPEN: "CONVERSATION_OPEN",
    talk.ASSIGNED: ASSIGN,
    talk.RESOLVED: "CONVERSATION_RESOLVE",
    talk.SOLVED: "CONVERSATION_RESOLVE",
    talk.MISSED: "CONVERSATION_MISS",
    talk.PENDING: "CONVERSATION_PEND",
    talk.ON_HOLD: "CONVERSATION_HOLD",
    talk.CLOSED: "CONVERSATION_CLOSE",
}
TOLD = frozenset((START, *REACHED.values()))


class Told(msgspec.Struct, frozen=True):
    """A change of state, as an event of the record."""

    name: str
    properties: dict[str, Any]


class Floor:
    """What a batch knows of the inbox of its workspace, changed by each decision.

    `loads` counts the chats that each member has, `waiting` those that wait for somebody; `last`
    finds the member who answered a record's customer last.
    """

    def __init__(
        self,
        desk: Desk,
        zone: zoneinfo.ZoneInfo,
        now: int,
        loads: Callable[[], dict[int, int]],
        waiting: Callable[[], int],
        last: Callable[[int], int | None],
    ) -> None:
        self.desk = desk
        self.zone = zone
        self.now = now
        self.last = last
        self.given: dict[int, int] = {}
        self._count_loads = loads
        self._count_waiting = waiting
        self._loads: dict[int, int] | None = None
        self._waiting: int | None = None

    @property
    def loads(self) -> dict[int, int]:
        if self._loads is None:
            self._loads = self._count_loads()
        return self._loads

    @property
    def waiting(self) -> int:
        if self._waiting is None:
            self._waiting = self._count_waiting()
        return self._waiting

    def moved(self, was: tuple[str, int | None], conversation: Conversation) -> None:
        """Count what a change of state and assignee means for the agents' loads."""
        if conversation.kind != talk.CHAT:
            return
        for step, (state, member) in ((-1, was), (1, (conversation.state, conversation.assignee))):
            # Counted from the ledger the first time, which knows nothing of this batch yet.
            if state == talk.ASSIGNED and member is not None:
                self.loads[member] = self.loads.get(member, 0) + step
            if state == talk.QUEUED:
                self._waiting = self.waiting + step


def end(conversation: Conversation, state: str, reason: str, floor: Floor) -> None:
    """End it in this state; nobody waits any more."""
    conversation.state, conversation.ended_at = state, floor.now
    conversation.reason = reason or conversation.reason
    conversation.waiting_since = conversation.queued_at = None
    conversation.flow = ""


def give(conversation: Conversation, member: int, floor: Floor) -> None:
    """Give it to a member, who has it from now on."""
    conversation.assignee, conversation.assigned_at = member, floor.now
    conversation.queued_at, conversation.flow = None, ""
    conversation.state = talk.OPEN if conversation.kind == talk.TICKET else talk.ASSIGNED
    floor.given[member] = floor.now


def place(conversation: Conversation, floor: Floor) -> None:
    """Find somebody, else let it wait: queued while all who may have it are full, else open.

    A chat that would make the queue too long is missed.
    """
    desk = floor.desk
    able = desks.fitting(desk, conversation.group, conversation.skills)
    there = desks.open_at(desk.settings, floor.zone, floor.now)
    last = floor.last(conversation.record) if desk.settings.sticky else None
    chosen = desks.choose(desk, able, floor.loads, floor.given, last) if there else None
    if chosen is not None:
        give(conversation, chosen, floor)
        return
    queued, limit = conversation.state == talk.QUEUED, desk.settings.queue_limit
    conversation.flow = ""
    conversation.queued_at = conversation.queued_at or floor.now
    # Somebody is there who would answer and has no room: all of them are full, or busy.
    full = there and any(agent.availability != desks.AWAY for agent in able)
    if conversation.kind != talk.CHAT or not full:
        conversation.state = talk.OPEN
    elif limit and not queued and floor.waiting >= limit:
        end(conversation, talk.MISSED, "queueFull", floor)
    else:
        conversation.state = talk.QUEUED


def changed(
    conversation: Conversation, was: tuple[str, int | None], floor: Floor, *, begun: bool
) -> list[Told]:
    """The change since `was` (state, assignee), as it is told; the floor counts it."""
    floor.moved(("", None) if begun else was, conversation)
    state, assignee = was
    if conversation.state != state or begun:
        if begun and conversation.state == talk.BOT:
            return []  # its beginning says so
        name = REACHED[conversation.state]
        return [Told(name, {**seen(conversation), "was": "" if begun else state})]
    if conversation.assignee not in (assignee, None):
        return [Told(ASSIGN, {**seen(conversation), "was": state})]
    return []


def seen(conversation: Conversation) -> dict[str, Any]:
    """What the events of a record tell of a conversation; nothing of what was said in it."""
    told: dict[str, Any] = {
        "conversationId": ids.public_conversation_id(conversation.id),
        "channel": conversation.channel,
        "kind": conversation.kind,
        "state": conversation.state,
    }
    if conversation.assignee is not None:
        told["assignee"] = f"member:{conversation.assignee}"
    if conversation.group is not None:
        told["group"] = conversation.group
    if conversation.reason:
        told["reason"] = conversation.reason
    if conversation.tags:
        told["tags"] = list(conversation.tags)
    return told
