"""Who answers in a workspace: agents, groups, how conversations are given out. Pure decisions."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from user360.conversations.talk import CUSTOMER, NOTE

AVAILABLE, BUSY, AWAY = "available", "busy", "away"
AVAILABILITIES = (AVAILABLE, BUSY, AWAY)


class Hours(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """When somebody answers on one day of the week: 1 is Monday; minutes after midnight."""

    day: int
    start: int
    end: int


class InboxSettings(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What an administrator can choose for the inbox.

    `assignment` is to whom a conversation goes of those who may have it: the one who was given
    none for longest, the one with the fewest, or nobody until somebody takes it. `sticky` gives a
    customer back to who answered them last. `queueLimit` is how many may wait (0: any number),
    `queueMinutes` for how long (0: for ever); who waits longer is missed. `hours` are empty for
    always, in the workspace's time zone. `idleMinutes` after the last message a chat with the bot
    ends (0: never), `closeDays` after it was solved a ticket is closed. `proof` is what it takes
    to join an existing record in a conversation: `claim` believes what is typed.

    Whoever closes the inbox is away after `awayAfter` minutes (0: never); after `reassignAfter`
    more (0: never) their chats in which the customer waits go to somebody else.
    """

    assignment: Literal["roundRobin", "leastBusy", "manual"] = "leastBusy"
    sticky: bool = False
    queue_limit: int = 0
    queue_minutes: int = 0
    hours: tuple[Hours, ...] = ()
    idle_minutes: int = 60
    close_days: int = 7
    proof: Literal["claim", "proof"] = "claim"
    away_after: int = 5
    reassign_after: int = 0


class Agent(msgspec.Struct, frozen=True):
    """A member who may answer: how many chats at once, in which groups, with which skills.

    `watched` says that their inbox was open in a browser since they said how they are there;
    whom the system has set away because it was closed has `left_at`, and is `returns` again when
    they come back.
    """

    member: int
    availability: str = AWAY
    capacity: int = 5
    groups: frozenset[int] = frozenset()
    skills: frozenset[str] = frozenset()
    last_given: int = 0  # when a conversation was given to them last
    watched: bool = False
    left_at: int | None = None
    returns: str = ""


class Group(msgspec.Struct, frozen=True):
    """Agents who answer together."""

    id: int
    name: str


class Channel(msgspec.Struct, frozen=True):
    """How a channel is set: `bot` says who begins its conversations.

    `bot` is `flow:` with a name, `webhook` for a bot that is told by one, or empty for agents.
    `settings` are the channel's own, without its secrets.
    """

    name: str
    bot: str = ""
    active: bool = True
    settings: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Desk(msgspec.Struct, frozen=True):
    """All that decides who answers in one workspace, as it stands; replaced when it changes."""

    settings: InboxSettings = InboxSettings()
    agents: Mapping[int, Agent] = msgspec.field(default_factory=dict)
    groups: Mapping[int, Group] = msgspec.field(default_factory=dict)
    channels: Mapping[str, Channel] = msgspec.field(default_factory=dict)
    # The active webhooks that are told of every message of a customer, by number.
    hooks: tuple[int, ...] = ()

    def bot_of(self, channel: str) -> str:
        """Who begins conversations on a channel: `flow:...`, `webhook`, or empty for agents."""
        found = self.channels.get(channel)
        return found.bot if found is not None and found.active else ""

    def ways(self, channel: str, sender: str) -> list[str]:
        """Where a message has to be brought after it is kept: channels and webhooks."""
        if sender == CUSTOMER:
            return [f"webhook:{number}" for number in self.hooks]
        if sender == NOTE:
            return []
        found = self.channels.get(channel)
        sends = found is not None and found.active and channel in SENDING
        return [channel] if sends else []


# Channels whose messages to customers are brought by a call of ours; others come and ask.
SENDING = frozenset(("whatsapp", "email"))


def open_at(settings: InboxSettings, zone: zoneinfo.ZoneInfo, now: int) -> bool:
    """Whether somebody answers at this time (microseconds)."""
    if not settings.hours:
        return True
    there = datetime.fromtimestamp(now / 1_000_000, UTC).astimezone(zone)
    minute = there.hour * 60 + there.minute
    return any(h.day == there.isoweekday() and h.start <= minute < h.end for h in settings.hours)


def fitting(desk: Desk, group: int | None, skills: Iterable[str]) -> list[Agent]:
    """The agents, available or not, who may have a conversation of this group and these skills."""
    wanted = frozenset(skills)
    return [
        agent
        for agent in desk.agents.values()
        if (group is None or group in agent.groups) and wanted <= agent.skills
    ]


def choose(
    desk: Desk,
    agents: Iterable[Agent],
    loads: Mapping[int, int],
    given: Mapping[int, int],
    last: int | None,
) -> int | None:
    """The member who gets the next conversation of those who are available and have room.

    `loads` are how many chats each has, `given` when each was given one last, `last` who answered
    this customer last.
    """
    free = [
        a for a in agents if a.availability == AVAILABLE and loads.get(a.member, 0) < a.capacity
    ]
    if not free or desk.settings.assignment == "manual":
        return None
    if desk.settings.sticky and any(a.member == last for a in free):
        return last
    longest = [(given.get(a.member, a.last_given), a.member) for a in free]
    if desk.settings.assignment == "roundRobin":
        return min(longest)[1]
    return min((loads.get(member, 0), since, member) for since, member in longest)[2]
