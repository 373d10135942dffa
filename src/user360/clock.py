"""Time inside the product: whole microseconds since 1970 in UTC, as `int`.

A clock is given to whoever needs the time, so that a test can hold it still.
"""

from __future__ import annotations

import functools
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

SECOND = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# The bounds of an event time. Before 1970 or far ahead of now, some clock was wrong; letting it in
# would let one bad clock win every later write.
EARLIEST = 0
AHEAD = 86_400 * SECOND


class Clock(Protocol):
    """Whatever can say what time it is."""

    def now(self) -> int:
        """Microseconds since 1970, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        return time.time_ns() // 1000


class StillClock:
    """A clock for tests: it stands still until it is moved."""

    def __init__(self, at: int | datetime) -> None:
        self.at = at if isinstance(at, int) else to_us(at)

    def now(self) -> int:
        return self.at

    def move(self, **by: float) -> None:
        """Move on by `timedelta(**by)`."""
        self.at += int(timedelta(**by) / timedelta(microseconds=1))


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    delta = moment - EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


def to_datetime(us: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=us)


def to_iso(us: int) -> str:
    """ISO 8601 in UTC with milliseconds: `2026-11-22T05:40:00.123Z`."""
    second, rest = divmod(us, SECOND)
    return f"{_second(second)}.{rest // 1_000:03}Z"


@functools.lru_cache(maxsize=4_096)
def _second(second: int) -> str:
    """Most of what is told at a time is of a few seconds."""
    return to_datetime(second * SECOND).isoformat().removesuffix("+00:00")
