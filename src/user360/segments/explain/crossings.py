"""When the edge of a moving window passes somebody's moments: found by looking along the time.

An edge is a function of the clock, made by `periods` and nothing else. It moves with the time or
stands still, and jumps where a minute begins: ahead at midnights and ends of months, back where
clocks are changed and where months are too short. So nothing is reckoned here but where an edge is
now, later, and between; stretches in which it can pass nothing are leapt over.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from zoneinfo import ZoneInfo

import msgspec

from user360.segments.following.clock import DAY, MINUTE
from user360.segments.language import periods
from user360.segments.language.periods import When

# An edge gets no further ahead of the time than a month is long, and falls back no further than
# months differ in length, each with days to spare for the zone.
_AHEAD = 35 * DAY
_BACK = 5 * DAY
# 1 January of the year 9000: beyond it nobody is asked.
LAST = 221_845_392_000_000_000

Edge = Callable[[When], int | None]


class Passing(msgspec.Struct, frozen=True):
    """One edge and the moments (ascending, no two the same) that it may pass.

    Both are in microseconds, or with `is_date` in days. At `e` it has passed all before `e`.
    """

    edge: Edge
    moments: Sequence[int]
    is_date: bool = False


def times(found: Sequence[Passing], zone: ZoneInfo, after: int) -> Iterator[int]:
    """Every time after `after` at which an edge passes a moment, either way, in order."""
    last = after
    for at in heapq.merge(*(_passes(each, zone, after) for each in found)):
        if at > last:
            yield at
        last = at


def _passes(passing: Passing, zone: ZoneInfo, at: int) -> Iterator[int]:
    while True:
        place = passing.edge(When(at, zone))
        if place is None:
            return
        passed = bisect_left(passing.moments, place)
        low = passing.moments[passed - 1] if passed else None
        high = passing.moments[passed] if passed < len(passing.moments) else None
        following = leaves(passing, zone, at, low, high)
        if following is None:
            return
        yield following
        at = following


def gains(
    starts: Sequence[Passing], ends: Sequence[Passing], zone: ZoneInfo, after: int
) -> Iterator[int]:
    """Every time after `after` at which a moment enters a window, in order.

    Either its end reaches one, or its beginning falls back behind one that it had passed.
    """
    falls = [_falls(each, zone, after) for each in starts]
    last = after
    for at in heapq.merge(*falls, *(_passes(each, zone, after) for each in ends)):
        if at > last:
            yield at
        last = at


def _falls(passing: Passing, zone: ZoneInfo, after: int) -> Iterator[int]:
    """The times at which an edge falls back behind moments; day by day, whatever their number."""
    search = _Search(passing, zone, None, None)
    start, first = after, search.at(after)
    while start < LAST and first - passing.moments[-1] <= _BACK:
        end = min(periods.today(When(start, zone)).end or LAST, LAST)
        last, following = search.at(end - 1), search.at(end)
        falls = [*search.falls(start, end, first, last), (end, last, following)]
        for at, before, here in falls:
            if bisect_left(passing.moments, here) < bisect_left(passing.moments, before):
                yield at
        start, first = end, following


def leaves(
    passing: Passing, zone: ZoneInfo, after: int, low: int | None, high: int | None
) -> int | None:
    """The first time after `after` at which the edge is not above `low`, or is above `high`."""
    search = _Search(passing, zone, low, high)
    start = after + 1
    while start < LAST:
        place = search.at(start)
        if search.outside(place):
            return start
        leap = search.leap(place)
        if leap is None:
            return None
        if leap > 0:
            start += leap
            continue
        end = min(periods.today(When(start, zone)).end or LAST, LAST)
        found = search.within(start, end, place)
        if found is not None:
            return found
        start = end
    return None


class _Search(msgspec.Struct, frozen=True):
    """One edge and the moments that it must not pass: it is above `low` and not above `high`."""

    passing: Passing
    zone: ZoneInfo
    low: int | None
    high: int | None

    def at(self, now: int) -> int:
        place = self.passing.edge(When(now, self.zone))
        return LAST if place is None else place

    def outside(self, place: int) -> bool:
        if self.low is not None and place <= self.low:
            return True
        return self.high is not None and place > self.high

    def leap(self, place: int) -> int | None:
        """For how long it passes nothing for certain; None for ever."""
        unit = DAY if self.passing.is_date else 1
        if self.low is not None and (place - self.low) * unit <= _BACK:
            return 0
        return None if self.high is None else max(0, (self.high - place) * unit - _AHEAD)

    def within(self, start: int, end: int, place: int) -> int | None:
        """The first time outside from `start`, where it is at `place`, and before `end`."""
        last = self.at(end - 1)
        if last == place:
            return None
        if last - place == end - 1 - start or start // MINUTE == (end - 1) // MINUTE:
            outside = self.high is not None and last > self.high
            return start + ((self.high or 0) - place) + 1 if outside else None
        middle = (start // MINUTE + (end - 1) // MINUTE + 1) // 2 * MINUTE
        found = self.within(start, middle, place)
        if found is not None:
            return found
        there = self.at(middle)
        return middle if self.outside(there) else self.within(middle, end, there)

    def falls(self, start: int, end: int, first: int, last: int) -> Iterator[tuple[int, int, int]]:
        """The times after `start`, where it is at `first`, and before `end`, where it ends up at
        `last`, at which it falls back; each with where it was right before, and is then.
        """
        if last - first in (0, end - 1 - start) or start // MINUTE == (end - 1) // MINUTE:
            return
        middle = (start // MINUTE + (end - 1) // MINUTE + 1) // 2 * MINUTE
        before, there = self.at(middle - 1), self.at(middle)
        yield from self.falls(start, middle, first, before)
        if there < before:
            yield middle, before, there
        yield from self.falls(middle, end, there, last)
