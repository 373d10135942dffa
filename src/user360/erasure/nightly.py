"""Has large files written anew in the night after somebody was erased.

While a large ledger is written anew writers wait, so it is done at the quiet time that a setting
names, by the clocks of the first workspace. What was missed while nothing ran is made up for.
"""

from __future__ import annotations

import threading

import structlog

from user360.clock import SECOND
from user360.erasure import receipts
from user360.erasure.jobs import COMPACTION
from user360.errors import Problem
from user360.imports.schedules import calendar
from user360.imports.schedules.schedule import Daily
from user360.platform import Platform
from user360.settings import NEVER

log = structlog.get_logger()
ACTOR = "nightly"
# A clock may be set, and a machine may sleep: it is looked at this often even so.
LONGEST_SLEEP = 3_600.0  # seconds
CLOSE_SECONDS = 10.0


class Nightly:
    """Asks for a purge once a night while a platform serves, if any erasure waits for one."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._time = platform.settings.purge_at
        self._asked = 0  # when a purge was asked for last
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="nightly", daemon=True)

    def start(self) -> None:
        if self._time != NEVER:
            self._thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def turn(self) -> float:
        """Ask for what is due; the seconds until it is time to look again."""
        platform = self._platform
        now = platform.clock.now()
        with platform.ledger.read() as connection:
            waiting = receipts.oldest(connection)
        if waiting is not None and self._next(max(waiting, self._asked)) <= now:
            self._asked = now
            platform.jobs.ask(platform.default.id, COMPACTION, {}, ACTOR)
        return min(LONGEST_SLEEP, (self._next(now) - now) / SECOND)

    def _next(self, after: int) -> int:
        """The first time of a night after a moment."""
        found = calendar.next_time(Daily(time=self._time), after, self._platform.default.zone)
        assert found is not None  # there is always another night
        return found

    def _loop(self) -> None:
        seconds = 0.0
        while not self._closing.wait(seconds):
            seconds = LONGEST_SLEEP
            try:
                seconds = self.turn()
            except Problem as problem:
                log.warning("the nightly purge waits", reason=problem.code)
            except Exception as error:
                log.error("the nightly purge failed", exc_info=error)
