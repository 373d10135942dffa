"""Reports of the inbox: what began in a period, by channel, day, tag and so on.

Every number is of conversations that can be named: `behind` finds them by the same rules.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

import msgspec

from user360 import clock
from user360.access.members import Member
from user360.access.workspaces import Workspace
from user360.conversations import reading, reports, talk
from user360.conversations.reports import Talk
from user360.conversations.scope import Scope
from user360.errors import Invalid
from user360.inbox import topics
from user360.platform import Platform
from user360.segments import stored
from user360.storage.ledger import Connection

NOBODY = "nobody"
NO_TAG, NO_SEGMENT = "untagged", "in no segment"
TOPIC, SEGMENT, DAY, HOUR, AGENT = "topic", "segment", "day", "hour", "agent"
LONGEST = 3_660  # days


class Spread(msgspec.Struct, frozen=True):
    """The middle of some times, and what nine of ten stay within; in seconds."""

    median: float
    p90: float


class Numbers(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What a report says of some conversations.

    `messages` are those that the customer sees. A response is timed from the beginning: the first
    by anybody (`first_response`), and the first by an agent. `before` is how many conversations
    there were in the period before, where that is asked for.
    """

    conversations: int = 0
    chats: int = 0
    tickets: int = 0
    messages: int = 0
    active: int = 0
    resolved: int = 0
    missed: int = 0
    first_response: Spread | None = None
    agent_response: Spread | None = None
    resolution: Spread | None = None
    before: int | None = None


class Row(msgspec.Struct, frozen=True):
    """One line: `key` names it to programs, `name` to people."""

    key: str
    name: str
    numbers: Numbers


class Report(msgspec.Struct, frozen=True):
    """All lines, and the numbers of the whole period, in which a conversation counts once."""

    total: Numbers
    rows: list[Row]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which conversations, by what: `since` and `until` (not included) in microseconds."""

    by: str
    since: int
    until: int
    scope: Scope | None = None


class Around(NamedTuple):
    """What names the keys of a report: the workspace's time, the names of members and segments."""

    zone: tzinfo
    members: Mapping[int, Member]
    segments: Mapping[int, str]
    of: Mapping[int, Sequence[int]]  # the segments by record


Keys = Callable[[Talk, Around], Iterable[str]]


def _day(talk: Talk, around: Around) -> Iterable[str]:
    return (str(_local(talk.created_at, around.zone).date()),)


def _hour(talk: Talk, around: Around) -> Iterable[str]:
    return (f"{_local(talk.created_at, around.zone).hour:02}",)


def _segments(talk: Talk, around: Around) -> Iterable[str]:
    return tuple(map(str, around.of.get(talk.record, ()))) or ("",)


BY: Mapping[str, Keys] = {
    "channel": lambda talk, _: (talk.channel,),
    DAY: _day,
    HOUR: _hour,
    "tag": lambda talk, _: talk.tags or ("",),
    SEGMENT: _segments,
    AGENT: lambda talk, _: ("" if talk.assignee is None else str(talk.assignee),),
    "state": lambda talk, _: (talk.state,),
}
WAYS = (*BY, TOPIC)
BEFORE = "before"
# The numbers that count conversations: which of a line's they count.
MEASURES: Mapping[str, Callable[[Talk], bool]] = {
    "conversations": lambda _: True,
    "chats": lambda each: each.kind == talk.CHAT,
    "tickets": lambda each: each.kind == talk.TICKET,
    "active": lambda each: each.state not in talk.ENDED,
    "resolved": lambda each: each.state in (talk.RESOLVED, talk.SOLVED, talk.CLOSED),
    "missed": lambda each: each.state == talk.MISSED,
}
# All numbers, by the conversations that are behind each.
BEHIND: Mapping[str, Callable[[Talk], bool]] = {
    **MEASURES,
    "messages": lambda each: each.messages > 0,
    "firstResponse": lambda each: each.replied_at is not None,
    "agentResponse": lambda each: each.agent_at is not None,
    "resolution": lambda each: MEASURES["resolved"](each) and each.ended_at is not None,
    BEFORE: lambda _: True,
}


def check(asked: Asked) -> None:
    """Raises `Invalid` for what no report can be made of."""
    if asked.by not in WAYS:
        raise Invalid.at("by", f"by must be one of {', '.join(WAYS)}")
    if asked.since >= asked.until:
        raise Invalid.at("to", "to must be later than from")
    if asked.until - asked.since > LONGEST * 86_400 * clock.SECOND:
        raise Invalid.at("from", f"A report is of at most {LONGEST:,} days")


def made(platform: Platform, workspace: Workspace, asked: Asked) -> Report:
    """A report of what the ledger holds now. Raises `Invalid`."""
    check(asked)
    with platform.ledger.read() as connection:
        found = _talks(platform, connection, workspace, asked)
        if asked.by == TOPIC:
            return Report(_numbers(found), _topics(platform, connection, workspace, asked, found))
        around = _around(platform, connection, workspace, asked, found)
    by: dict[str, list[Talk]] = {key: [] for key in _expected(asked, around)}
    for each in found:
        for key in BY[asked.by](each, around):
            by.setdefault(key, []).append(each)
    rows = [Row(key, _name(asked.by, key, around), _numbers(those)) for key, those in by.items()]
    if asked.by not in (DAY, HOUR):
        rows.sort(key=lambda row: (-row.numbers.conversations, row.name.casefold()))
    return Report(_numbers(found), rows)


def behind(
    platform: Platform, workspace: Workspace, asked: Asked, key: str | None, measure: str
) -> list[int]:
    """The conversations behind a number, the newest first; without a `key` behind the total's.

    Raises `Invalid`.
    """
    check(asked)
    if measure not in BEHIND:
        raise Invalid.at("measure", f"measure must be one of {', '.join(BEHIND)}")
    if measure == BEFORE:
        length = asked.until - asked.since
        asked = msgspec.structs.replace(asked, since=asked.since - length, until=asked.since)
    with platform.ledger.read() as connection:
        found = _talks(platform, connection, workspace, asked)
        if key is not None and asked.by == TOPIC:
            those = _saying(platform, connection, workspace, asked, key)
            found = [each for each in found if each.id in those]
        elif key is not None:
            around = _around(platform, connection, workspace, asked, found)
            found = [each for each in found if key in BY[asked.by](each, around)]
    return [each.id for each in reversed(found) if BEHIND[measure](each)]


def name_of(platform: Platform, workspace: Workspace, by: str, key: str) -> str:
    """How people call a line; a key that no line has is called as it is."""
    names = {n: s.name for n, s in workspace.segments.items()}
    return _name(by, key, Around(workspace.zone, platform.members, names, {}))


def _talks(
    platform: Platform, connection: Connection, workspace: Workspace, asked: Asked
) -> list[Talk]:
    where = (connection, platform.ledger.dialect, workspace.id)
    return reports.talks(*where, asked.since, asked.until, asked.scope)


def _around(
    platform: Platform,
    connection: Connection,
    workspace: Workspace,
    asked: Asked,
    found: Sequence[Talk],
) -> Around:
    names = {n: s.name for n, s in workspace.segments.items() if s.archived_at is None}
    of: dict[int, list[int]] = {}
    if asked.by == SEGMENT and names:
        records = {each.record for each in found}
        living = reading.living(connection, platform.ledger.dialect, records)
        warehouse = platform.wait()
        held = stored.select(warehouse, workspace, list(names))
        by_person: dict[int, list[int]] = {}
        for segment, number in warehouse.query(f"SELECT segment_id, id FROM ({held}) AS h").rows:
            by_person.setdefault(number, []).append(segment)
        of = {n: by_person[p] for n, p in living.items() if p is not None and p in by_person}
    return Around(workspace.zone, platform.members, names, of)


def _topics(
    platform: Platform,
    connection: Connection,
    workspace: Workspace,
    asked: Asked,
    found: Sequence[Talk],
) -> list[Row]:
    """What is said more than in the period of the same length before."""
    where = (connection, platform.ledger.dialect, workspace.id)
    rest = (asked.scope, topics.MOST_SAID)
    earlier = asked.since - (asked.until - asked.since)
    before = reports.said(*where, earlier, asked.since, *rest)
    now = reports.said(*where, asked.since, asked.until, *rest)
    return [
        Row(
            topic.name,
            topic.name,
            msgspec.structs.replace(
                _numbers([each for each in found if each.id in topic.conversations]),
                before=topic.before,
            ),
        )
        for topic in topics.rising(before, now)
    ]


def _saying(
    platform: Platform, connection: Connection, workspace: Workspace, asked: Asked, term: str
) -> set[int]:
    where = (connection, platform.ledger.dialect, workspace.id)
    said = reports.said(*where, asked.since, asked.until, asked.scope, topics.MOST_SAID)
    return {each.conversation for each in said if term in topics.terms(each.text)}


def _expected(asked: Asked, around: Around) -> Iterable[str]:
    """The keys that a report has even where nothing began."""
    if asked.by == HOUR:
        return [f"{hour:02}" for hour in range(24)]
    if asked.by == DAY:
        first = _local(asked.since, around.zone).date()
        last = _local(asked.until - 1, around.zone).date()
        return [str(first + timedelta(days=n)) for n in range((last - first).days + 1)]
    return ()


def _name(by: str, key: str, around: Around) -> str:
    if by == HOUR:
        return f"{key}:00"
    number = int(key) if key.isascii() and key.isdigit() else None
    if by == AGENT:
        member = None if number is None else around.members.get(number)
        return member.name if member else (f"member {key}, who left" if key else NOBODY)
    if by == SEGMENT:
        return NO_SEGMENT if not key else around.segments.get(number or 0, key)
    return key or NO_TAG


def _numbers(found: Sequence[Talk]) -> Numbers:
    counted = {name: sum(map(holds, found)) for name, holds in MEASURES.items()}
    return Numbers(
        **counted,
        messages=sum(each.messages for each in found),
        first_response=_spread(found, lambda each: each.replied_at),
        agent_response=_spread(found, lambda each: each.agent_at),
        resolution=_spread(
            [each for each in found if MEASURES["resolved"](each)], lambda each: each.ended_at
        ),
    )


def _spread(found: Iterable[Talk], until: Callable[[Talk], int | None]) -> Spread | None:
    """Of the times from the beginning until something; None where it never happened."""
    ends = ((each.created_at, until(each)) for each in found)
    took = sorted(max(end - begun, 0) / clock.SECOND for begun, end in ends if end is not None)
    if not took:
        return None
    return Spread(round(statistics.median(took), 3), round(took[math.ceil(0.9 * len(took)) - 1], 3))


def _local(at: int, zone: tzinfo) -> datetime:
    return clock.to_datetime(at).astimezone(zone)


def midnight(day: date, zone: tzinfo) -> int:
    """When a day begins in a time zone, in microseconds."""
    return clock.to_us(datetime.combine(day, time.min, zone))


def usual(now: int, zone: tzinfo, days: int = 30) -> tuple[int, int]:
    """The last so many days, today among them: where they begin, and where today ends."""
    today = _local(now, zone).date()
    first = today - timedelta(days=days - 1)
    return midnight(first, zone), midnight(today + timedelta(days=1), zone)
