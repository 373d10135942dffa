"""The days of a time zone in whole microseconds: how far its clocks are ahead, and until when."""

from __future__ import annotations

from datetime import date, timedelta, tzinfo

from user360 import clock

DAY = 86_400_000_000
SECOND = 1_000_000
FIRST = date(1970, 1, 1)


def offsets(zone: tzinfo, since: int, until: int) -> list[tuple[int, int]]:
    """How many microseconds a zone's clocks are ahead of UTC between two moments.

    Each offset with the moment at which it ends; the last one ends with `until`, or later.
    """
    found: list[tuple[int, int]] = []
    at, held = since, _ahead(zone, since)
    while at < until:
        following = min(at + DAY, until)
        if _ahead(zone, following) != held:
            end = _change(zone, at, following)
            found.append((end, held))
            at, held = end, _ahead(zone, end)
        else:
            at = following
    return [*found, (until, held)]


def _change(zone: tzinfo, before: int, after: int) -> int:
    """The first second between two moments at which the clocks tell what they did not before."""
    held = _ahead(zone, before)
    while after - before > SECOND:
        middle = (before + after) // 2 // SECOND * SECOND
        if _ahead(zone, middle) == held:
            before = middle
        else:
            after = middle
    return after // SECOND * SECOND


def _ahead(zone: tzinfo, at: int) -> int:
    local = clock.to_datetime(at).astimezone(zone)
    return (local.utcoffset() or timedelta()) // timedelta(microseconds=1)
