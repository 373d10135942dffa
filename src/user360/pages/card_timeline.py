"""The timeline of a card: lines by day, and the strip of how active somebody was when."""

from __future__ import annotations

import datetime
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from user360.events import event
from user360.identity import history
from user360.pages import card_words, words

BRIEF = 4  # values of an event that its line shows before it is opened
# The strip: its size in units of its own, and what a bar stands for, up to how many days.
WIDTH, HEIGHT = 600, 44
UNITS = ((70, "day"), (2 * 366, "week"), (10 * 366, "month"))
LABELS = {
    event.USER_CREATE: "Created",
    event.USER_UPDATE: "Profile changed",
    event.USER_DELETE: "Record merged in",
    event.USER_MERGE: "Merge",
    event.USER_UNMERGE: "Merge undone",
    event.SEGMENT_ENTER: "Entered a segment",
    event.SEGMENT_EXIT: "Left a segment",
    "CONVERSATION_START": "Conversation began",
    "CONVERSATION_BOT": "Given to the bot",
    "CONVERSATION_QUEUE": "Waited in the queue",
    "CONVERSATION_OPEN": "Opened",
    "CONVERSATION_ASSIGN": "Given to an agent",
    "CONVERSATION_RESOLVE": "Conversation resolved",
    "CONVERSATION_MISS": "Conversation missed",
    "CONVERSATION_PEND": "Waited for the customer",
    "CONVERSATION_HOLD": "Put on hold",
    "CONVERSATION_CLOSE": "Ticket closed",
}
CONVERSATION = "CONVERSATION_"  # what the names of events of conversations begin with


CHANGES = (event.USER_CREATE, event.USER_UPDATE)


class Change(NamedTuple):
    """One property before and after, as people read it; nothing is the empty text."""

    name: str
    old: str
    new: str


class Line(msgspec.Struct, frozen=True):
    """One event: what happened, in short and whole."""

    kind: str
    says: str
    at: str
    clock: str
    changes: list[Change]
    values: list[tuple[str, str]]
    facts: list[tuple[str, str]]
    conversation: str = ""  # the public id of the one it is about

    @property
    def brief(self) -> list[tuple[str, str]]:
        """The values that the line shows itself."""
        return self.values[:BRIEF]


class Day(NamedTuple):
    """One day of the workspace's zone: its name, and its events, the newest first."""

    key: str
    title: str
    lines: list[Line]


def label(name: str) -> str:
    """What an event is called; its own name unless the product wrote it."""
    return LABELS.get(name, name)


def days(
    events: Iterable[Mapping[str, Any]], zone: datetime.tzinfo, today: datetime.date
) -> list[Day]:
    """Events, the newest first, by the day on which they happened."""
    told = [_line(each, zone) for each in events]
    found = []
    for day, lines in itertools.groupby(told, key=lambda line: _local(line.at, zone).date()):
        found.append(Day(day.isoformat(), day_title(day, today), list(lines)))
    return found


def day_title(day: datetime.date, today: datetime.date) -> str:
    """`Today`, `Yesterday`, `Wednesday, 1 January 1997`."""
    away = (today - day).days
    if away in (0, 1):
        return ("Today", "Yesterday")[away]
    return f"{day:%A}, {_day(day)}"


def _local(at: str, zone: datetime.tzinfo) -> datetime.datetime:
    return datetime.datetime.fromisoformat(at).astimezone(zone)


def _line(told: Mapping[str, Any], zone: datetime.tzinfo) -> Line:
    name, properties = told["name"], msgspec.json.decode(told["properties"])
    system = name in event.SYSTEM_NAMES
    # What a merge changed is told by an update beside it.
    pairs = history.pairs(name, properties) if name in CHANGES else {}
    changes = [
        Change(card_words.label(key), words.value(pair["old"]), words.value(pair["new"]))
        for key, pair in pairs.items()
    ]
    spoke = name.startswith(CONVERSATION) and system
    return Line(
        kind="conversation" if spoke else name if system else "custom",
        says=_says(name, properties, told["recordId"]),
        at=told["timestamp"],
        clock=f"{_local(told['timestamp'], zone):%H:%M}",
        changes=changes,
        values=[] if system else [(key, words.value(value)) for key, value in properties.items()],
        facts=_facts(told),
        conversation=str(properties.get("conversationId", "")) if spoke else "",
    )


def says(told: Mapping[str, Any]) -> str:
    """An event in a few words."""
    return _says(told["name"], msgspec.json.decode(told["properties"]), told["recordId"])


def _says(name: str, properties: Mapping[str, Any], living: str) -> str:
    segment, record = properties.get("segment"), properties.get("recordId")
    match name:
        case event.USER_CREATE if properties.get("id") != living:
            return f"Record {properties.get('id')} created"
        case event.SEGMENT_ENTER:
            return f"Entered {segment}"
        case event.SEGMENT_EXIT:
            return f"Left {segment}"
        case event.USER_MERGE:
            return f"Took in {record}"
        case event.USER_UNMERGE:
            return f"Merge with {record} undone"
        case event.USER_DELETE:
            return f"Record {properties.get('id')} merged in"
        case _ if name.startswith(CONVERSATION) and name in event.SYSTEM_NAMES:
            kind, channel = properties.get("kind", "chat"), properties.get("channel", "")
            return f"{label(name)}: {kind} {properties.get('conversationId')} on {channel}"
        case _:
            return label(name)


def _facts(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = [
        ("Source", told["source"]),
        ("Channel", told["channel"]),
        ("Received", told["receivedAt"]),
        ("Event id", told["id"]),
    ]
    return [fact for fact in facts if fact[1]]


class Name(NamedTuple):
    """One name of the filter: how often it happened, and whether it is chosen."""

    name: str
    label: str
    happened: int
    chosen: bool


def names(counted: Iterable[Mapping[str, Any]], chosen: Sequence[str]) -> list[Name]:
    """What somebody did, the most frequent first, then what the product wrote, and all chosen."""
    totals = Counter(dict.fromkeys(chosen, 0))
    for each in counted:
        totals[each["name"]] += each["count"]
    return [
        Name(name, label(name), count, name in chosen)
        for name, count in sorted(
            totals.items(), key=lambda item: (item[0] in event.SYSTEM_NAMES, -item[1], item[0])
        )
    ]


class Bar(NamedTuple):
    """One bar of the strip: where it is, and what it says."""

    x: float
    y: float
    width: float
    height: float
    title: str


class Strip(NamedTuple):
    """How active somebody was when: bars in a box of WIDTH by HEIGHT, and the same in words."""

    bars: list[Bar]
    says: str
    first: str
    last: str
    unit: str


def strip(
    counted: Iterable[Mapping[str, Any]], chosen: Sequence[str], since: str = "", until: str = ""
) -> Strip | None:
    """The strip of the names that were chosen, else of all that somebody did; None for nothing.

    `since` and `until` are days, or times on them, between which it is looked at.
    """
    wanted = [
        each
        for each in counted
        if (each["name"] in chosen if chosen else each["name"] not in event.SYSTEM_NAMES)
        and since[:10] <= each["day"]
        and (not until or each["day"] < until or each["day"] == since[:10])
    ]
    if not wanted:
        return None
    dates = [datetime.date.fromisoformat(each["day"]) for each in wanted]
    first, last = min(dates), max(dates)
    span = (last - first).days + 1
    unit = next((name for most, name in UNITS if span <= most), "year")
    totals: Counter[int] = Counter()
    for day, each in zip(dates, wanted, strict=True):
        totals[_place(day, first, unit)] += each["count"]
    places = _place(last, first, unit) + 1
    most = max(totals.values())
    bars = [_bar(first, unit, place, totals[place], places, most) for place in sorted(totals)]
    says = _strip_says(sum(totals.values()), first, last, max(bars, key=lambda bar: bar.height))
    return Strip(bars, says, _day(first), _day(last), unit)


def _place(day: datetime.date, first: datetime.date, unit: str) -> int:
    """Which bar a day belongs to, counted from the one of the first day."""
    match unit:
        case "day":
            return (day - first).days
        case "week":
            return (day - (first - datetime.timedelta(first.weekday()))).days // 7
        case "month":
            return (day.year - first.year) * 12 + day.month - first.month
        case _:
            return day.year - first.year


def _begins(place: int, first: datetime.date, unit: str) -> str:
    match unit:
        case "day":
            return _day(first + datetime.timedelta(place))
        case "week":
            monday = first - datetime.timedelta(first.weekday())
            return f"week of {_day(monday + datetime.timedelta(7 * place))}"
        case "month":
            month = first.month - 1 + place
            return f"{datetime.date(first.year + month // 12, month % 12 + 1, 1):%B %Y}"
        case _:
            return str(first.year + place)


def _bar(first: datetime.date, unit: str, place: int, count: int, places: int, most: int) -> Bar:
    step = WIDTH / max(places, 12)
    height = max(3.0, HEIGHT * count / most)
    told = f"{_begins(place, first, unit)}: {words.plural(count, 'event')}"
    gap = min(1.5, step / 4)
    return Bar(
        round(place * step, 2),
        round(HEIGHT - height, 2),
        round(step - gap, 2),
        round(height, 2),
        told,
    )


def _strip_says(total: int, first: datetime.date, last: datetime.date, highest: Bar) -> str:
    when = f"on {_day(first)}" if first == last else f"from {_day(first)} to {_day(last)}"
    return f"{words.plural(total, 'event')} {when}; most in {highest.title}"


def _day(day: datetime.date) -> str:
    return f"{day.day} {day:%B %Y}"
