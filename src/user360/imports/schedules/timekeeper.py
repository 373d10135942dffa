"""Has schedules looked after when their time comes: sleeps until then, or until it is woken."""

from __future__ import annotations

import threading

import structlog

from user360.access.workspaces import Workspace
from user360.clock import SECOND
from user360.errors import Problem
from user360.imports.schedules import calendar, looking, managing, store
from user360.imports.schedules.schedule import Schedule
from user360.platform import Platform

log = structlog.get_logger()
ACTOR = "schedules"
# A clock may be set, and a machine may sleep: it is looked at this often even so.
LONGEST_SLEEP = 3_600.0
AFTER_TROUBLE = 30.0
CLOSE_SECONDS = 10.0


class Timekeeper:
    """Follows the schedules of a platform while it serves; `wake` after any of them changed."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._signal = threading.Condition()
        self._woken = False
        self._closing = False
        self._zones: dict[int, str] = {}
        self._thread = threading.Thread(target=self._loop, name="schedules", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        with self._signal:
            self._closing = True
            self._signal.notify_all()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def wake(self) -> None:
        """Look at the schedules anew."""
        with self._signal:
            self._woken = True
            self._signal.notify_all()

    def turn(self) -> float:
        """Ask for the looks that are due; the seconds until the next one is."""
        platform = self._platform
        for workspace in list(platform.workspaces.values()):
            self._follow(workspace)
        with platform.ledger.read() as connection:
            due = store.due(connection, platform.clock.now())
        for schedule in due:
            looking.ask(platform, schedule, ACTOR, self._next(schedule))
        with platform.ledger.read() as connection:
            at = store.next_at(connection)
        if at is None:
            return LONGEST_SLEEP
        return min(LONGEST_SLEEP, max(0.0, (at - platform.clock.now()) / SECOND))

    def _follow(self, workspace: Workspace) -> None:
        """Where the clocks of a workspace are others than they were, its times are others too."""
        if self._zones.get(workspace.id) == workspace.settings.time_zone:
            return
        self._zones[workspace.id] = workspace.settings.time_zone
        now = self._platform.clock.now()
        self._platform.write(lambda c: managing.reckon(c, workspace, now))

    def _next(self, schedule: Schedule) -> int | None:
        """What was missed while nothing ran is made up for once, not once for each time."""
        zone = self._platform.workspaces[schedule.workspace].zone
        return calendar.next_time(schedule.calendar, self._platform.clock.now(), zone)

    def _loop(self) -> None:
        while not self._closing:
            seconds = self._turned()
            with self._signal:
                self._signal.wait_for(lambda: self._woken or self._closing, seconds)
                self._woken = False

    def _turned(self) -> float:
        try:
            return self.turn()
        except Problem as problem:
            log.warning("schedules wait", reason=problem.code)
        except Exception as error:
            log.error("schedules failed", exc_info=error)
        return AFTER_TROUBLE
