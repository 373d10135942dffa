"""When the clock alone could change an answer: edges of windows, and the moments they pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from user360.clock import SECOND, to_datetime, to_us
from user360.records.properties import Catalogue
from user360.segments.compiler.compile import Frame
from user360.segments.following import clock
from user360.segments.language import periods, tree
from user360.segments.language.periods import Span, When, Window

MINUTE = 60 * SECOND
ZONES = ("UTC", "Asia/Kolkata", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo")
# Midnights, month ends, leap days, and both changes of the clock in Berlin and on Lord Howe.
NEAR = (
    "2024-02-29T23:50:00+00:00",
    "2026-03-29T00:55:00+00:00",
    "2026-10-25T00:50:00+00:00",
    "2026-04-04T14:55:00+00:00",
    "2026-10-03T15:25:00+00:00",
    "2026-03-30T22:00:00+00:00",
    "2026-12-31T18:25:00+00:00",
    "2018-11-04T02:55:00+00:00",
)
WINDOWS: dict[str, Callable[[When], Window]] = {
    **periods.NAMED,
    "last 3 minutes": lambda when: periods.last(when, Span(3, "minutes")),
    "last 26 hours": lambda when: periods.last(when, Span(26, "hours")),
    "last day": lambda when: periods.last(when, Span(1, "days")),
    "last week": lambda when: periods.last(when, Span(1, "weeks")),
    "last month": lambda when: periods.last(when, Span(1, "months")),
    "next day": lambda when: periods.upcoming(when, Span(1, "days")),
    "next month": lambda when: periods.upcoming(when, Span(1, "months")),
    "a minute ago": lambda when: periods.exactly(when, Span(1, "minutes"), -1),
    "2 hours from now": lambda when: periods.exactly(when, Span(2, "hours"), 1),
    "2 days ago": lambda when: periods.exactly(when, Span(2, "days"), -1),
}


def frame(now: int, zone: str) -> Frame:
    return Frame(schema="w1", catalogue=Catalogue(), zone=ZoneInfo(zone), now=now, mapped=False)


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(WINDOWS)),
    zone=st.sampled_from(ZONES),
    near=st.sampled_from(NEAR),
    offset=st.integers(-20 * MINUTE, 20 * MINUTE),
    side=st.integers(0, 1),
    places=st.lists(st.integers(-40 * MINUTE, 40 * MINUTE), min_size=1, max_size=4),
    samples=st.lists(st.integers(1, 15 * MINUTE), max_size=20),
)
def test_an_edge_passes_a_moment_exactly_when_it_is_said_to(
    name: str,
    zone: str,
    near: str,
    offset: int,
    side: int,
    places: list[int],
    samples: list[int],
) -> None:
    start = to_us(datetime.fromisoformat(near)) + offset
    until = start + 15 * MINUTE
    asked = frame(start, zone)

    def edge(when: When) -> int | None:
        window = WINDOWS[name](when)
        return window.end if side else window.start

    at_first = edge(When(start, asked.zone))
    assert at_first is not None
    values = sorted({at_first + place for place in places})
    said = sorted(clock.passes(edge, values, asked, until))

    for value in values:
        passed = at_first > value
        times = [at for at, each in said if each == value]
        for at in sorted({*times, *(start + s for s in samples), until}):
            is_passed = (edge(When(at, asked.zone)) or 0) > value
            if is_passed != passed:
                assert any(t <= at for t in times), f"{value} was passed unsaid before {at}"
            if at in times and len(times) == 1:
                before = (edge(When(at - 1, asked.zone)) or 0) > value
                assert before != is_passed, "the edge passed the moment at another time"
            passed = is_passed


@pytest.mark.parametrize(
    ("condition", "kinds"),
    [
        ({"property": "createdAt", "op": "inLast", "values": [{"amount": 2, "unit": "days"}]}, 1),
        ({"property": "createdAt", "op": "isBefore", "values": ["2026-01-01"]}, 0),
        ({"property": "createdAt", "op": "anniversary"}, 1),
        ({"event": "X", "during": {"period": "today"}}, 1),
        ({"event": "X", "during": {"after": "2026-01-01"}}, 0),
        ({"event": "X", "where": [{"path": "when", "op": "isToday"}]}, 2),
        ({"not": {"any": [{"event": "X"}, {"event": "Y", "during": {"period": "today"}}]}}, 1),
    ],
)
def test_the_clock_decides_where_a_window_moves(condition: object, kinds: int) -> None:
    asked = frame(0, "UTC")
    node = tree.parse(condition, asked.catalogue)
    assert len(clock.windows_of(node, asked)) == kinds


def test_the_events_a_condition_asks_about_are_those_of_segments_within_it_too() -> None:
    inner = tree.parse({"event": "Y"}, Catalogue())
    outer = tree.parse({"all": [{"event": "X"}, {"segment": 7}]}, Catalogue(), segments={7})
    assert clock.events_named(outer, {7: inner}) == {"X", "Y"}


def test_days_begin_at_midnight_on_the_wall_of_the_zone() -> None:
    start = to_us(datetime.fromisoformat("2026-11-22T18:00:00+00:00"))
    asked = frame(start, "Asia/Kolkata")
    (midnight,) = clock.days_beginning(asked, start + 86_400 * SECOND - 1)
    assert to_datetime(midnight).astimezone(asked.zone) == datetime(2026, 11, 23, tzinfo=asked.zone)
    later = msgspec.structs.replace(asked, now=midnight)
    assert list(clock.days_beginning(later, midnight + to_span(hours=23))) == []


def to_span(**by: float) -> int:
    return timedelta(**by) // timedelta(microseconds=1)
