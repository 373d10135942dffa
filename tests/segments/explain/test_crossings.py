"""When the edges of moving windows pass moments, compared with looking at every minute."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest

from user360.clock import to_us
from user360.segments.explain import crossings
from user360.segments.explain.crossings import Passing
from user360.segments.following.clock import DAY, MINUTE
from user360.segments.language import periods
from user360.segments.language.periods import Span, When, Window

SPANS = [Span(3, "hours"), Span(2, "days"), Span(1, "weeks"), Span(1, "months")]


def back(span: Span) -> Callable[[When], Window]:
    return lambda when: periods.last(when, span)


def ahead(span: Span) -> Callable[[When], Window]:
    return lambda when: periods.upcoming(when, span)


WINDOWS: dict[str, Callable[[When], Window]] = {
    **{f"last {span.amount} {span.unit}": back(span) for span in SPANS},
    **{f"next {span.amount} {span.unit}": ahead(span) for span in SPANS},
    "three hours ago": lambda when: periods.exactly(when, Span(3, "hours"), -1),
    "a month ahead": lambda when: periods.exactly(when, Span(1, "months"), 1),
    **periods.NAMED,
}
PLACES = [
    ("UTC", "2026-02-27T22:00:00Z"),
    ("Europe/Berlin", "2026-03-28T20:00:00Z"),
    ("Europe/Berlin", "2026-10-24T20:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-03T10:00:00Z"),
]
LONG = 6 * DAY


def edges(window: Callable[[When], Window]) -> list[crossings.Edge]:
    return [lambda when: window(when).start, lambda when: window(when).end]


def moments(now: int, window: Window) -> list[int]:
    """Moments about the edges of a window, on whole minutes and beside them."""
    chance = Random(now)
    places = [edge for edge in (window.start, window.end) if edge is not None]
    found = {edge + chance.randrange(-DAY, LONG) for edge in places for _ in range(12)}
    return sorted(found | {edge + n * DAY for edge in places for n in (0, 1, 2)})


def looked_at(passing: Passing, zone: ZoneInfo, now: int) -> list[tuple[int, int]]:
    """In which minutes, after each begins and until it ends, how many moments are passed."""

    def passed(at: int) -> int:
        return bisect_left(passing.moments, passing.edge(When(at, zone)) or 0)

    minutes = range(now, now + LONG, MINUTE)
    return [(at, passed(at)) for at in minutes]


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_every_passing_is_found_and_nothing_else(place: tuple[str, str], name: str) -> None:
    zone, now = ZoneInfo(place[0]), to_us(datetime.fromisoformat(place[1]))
    window = WINDOWS[name]
    held = moments(now, window(When(now, zone)))
    for edge in edges(window):
        passing = Passing(edge, held)
        found = [at for at in crossings.times([passing], zone, now) if at <= now + LONG]
        for at in found:  # there really is a change, at this very microsecond
            before, after = (bisect_left(held, edge(When(us, zone)) or 0) for us in (at - 1, at))
            assert before != after
        seen = looked_at(passing, zone, now)
        changed = {at for (_, before), (at, after) in itertools.pairwise(seen) if before != after}
        for at in changed:  # and no change that was seen is left out
            assert any(at - MINUTE < each <= at for each in found), at


@pytest.mark.parametrize("unit", ["hours", "days", "weeks", "months"])
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_gains_are_the_passings_that_bring_a_moment_in(place: tuple[str, str], unit: str) -> None:
    zone, now = ZoneInfo(place[0]), to_us(datetime.fromisoformat(place[1]))
    span = Span(1, unit)
    held = moments(now, periods.last(When(now, zone), span))

    def start(when: When) -> int | None:
        return periods.last(when, span).start

    def end(when: When) -> int | None:
        return periods.last(when, span).end

    def within(at: int) -> set[int]:
        window = periods.last(When(at, zone), span)
        return {m for m in held if (window.start or 0) <= m < (window.end or 0)}

    starts, ends = [Passing(start, held)], [Passing(end, held)]
    every = list(crossings.times([*starts, *ends], zone, now))
    gained = [at for at in every if within(at) - within(at - 1)]
    assert list(crossings.gains(starts, ends, zone, now)) == gained
    assert gained or unit == "hours"
