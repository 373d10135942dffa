"""How fast a browser may ask, so that one cannot keep the chat from the others."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from user360.channels.web.sessions import Visitor
from user360.errors import Problem

# A minute, for one session: what is written, all else that is asked, and files.
WRITES, ASKS = parse("60 per minute"), parse("240 per minute")
FILES = parse("10 per minute")
# A minute, for one address of the network: sessions that are begun, files, and all that is asked.
BEGINS, FILES_OF_PLACE = parse("60 per minute"), parse("60 per minute")
ANYTHING = parse("2400 per minute")
# Megabytes of files, for one session and for one address: what is said is kept, so disks must last.
BYTES, BYTES_OF_PLACE = parse("100 per hour"), parse("500 per hour")


class TooFast(Problem):
    """Too much is asked from this browser or from its address; wait a little."""

    status = 429
    code = "tooFast"

    def __init__(self, wait: int) -> None:
        super().__init__()
        self.retry_after = wait


class Pace:
    """What the browsers of one process asked in the last minute."""

    def __init__(self) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def at(self, place: str, item: RateLimitItem = ANYTHING, cost: int = 1) -> None:
        """Count something asked from an address of the network. Raises `TooFast`."""
        self._count(item, cost, "place", place)

    def of(self, visitor: Visitor, item: RateLimitItem = ASKS, cost: int = 1) -> None:
        """Count something asked in a session. Raises `TooFast`."""
        self._count(item, cost, str(visitor.workspace), visitor.session)

    def _count(self, item: RateLimitItem, cost: int, *names: str) -> None:
        if not self._limiter.hit(item, str(item), *names, cost=cost):
            ends = self._limiter.get_window_stats(item, str(item), *names).reset_time
            raise TooFast(max(1, math.ceil(ends - time.time())))
