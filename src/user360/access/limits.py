"""How many calls a minute a key may make: a setting of the workspace, off by default."""

from __future__ import annotations

import math
import time

import limits
import msgspec
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from user360.access.keys import Key
from user360.errors import Problem


class LimitReached(Problem):
    """This key has made as many calls as the workspace allows in a minute."""

    status = 429
    code = "limitReached"

    def __init__(self, room: Room) -> None:
        super().__init__(f"The workspace allows {room.limit} calls a minute for each key")
        self.retry_after = room.reset


class Room(msgspec.Struct, frozen=True):
    """What a key has left: `limit` calls a minute, `remaining` of them, all anew in `reset` s."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """The `RateLimit-*` headers of an answer."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }


class Limits:
    """The calls that the keys of one process made in the last minute."""

    def __init__(self) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def take(self, key: Key, per_minute: int) -> tuple[Room, bool]:
        """Count one call: what is left after it, and whether it is allowed."""
        item = limits.RateLimitItemPerMinute(per_minute)
        allowed = self._limiter.hit(item, str(key.id))
        stats = self._limiter.get_window_stats(item, str(key.id))
        reset = max(1, math.ceil(stats.reset_time - time.time()))
        return Room(per_minute, stats.remaining if allowed else 0, reset), allowed
