"""The keeper: segments follow the data by themselves, on a thread after the projector's.

After each projected batch those it touched are asked, and those whose time has come; nobody else.
What changed is written to the ledger's log, which brings it into the warehouse like anything else,
so whatever dies when, nothing is told twice and nothing is forgotten: at a start everybody is asked
once more, and what changed meanwhile is told then.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import structlog

from user360.access.change import Change
from user360.access.workspaces import Workspace
from user360.clock import SECOND, Clock
from user360.errors import Problem, Unavailable
from user360.observe import metrics
from user360.segments import lifetime
from user360.segments.following.kept import Freshness
from user360.segments.following.rounds import Round
from user360.storage.projector import Projector
from user360.storage.warehouse import Changes

log = structlog.get_logger()
# Seconds between the starts of two rounds under load: one for many batches costs far less than one
# for each. Where rounds take longer than SHARE of that, they start so much later that others keep
# the rest of the time, up to a limit.
GATHER = 0.1
SHARE = 0.3
LONGEST_GATHER = 0.2
# Seconds after which the clock is looked at when nothing else happens.
TICK = 0.2
# Seconds before a round that could not be made is tried again.
RETRY = 1.0
# How often unused segments are looked for, in microseconds.
TIDY = 3_600 * SECOND


Write = Callable[[Workspace, Callable[[Change], Any]], Any]  # runs a job as the one writer


class Log(Protocol):
    """Where the log has got to."""

    last: int


class Keeper:
    """Keeps the stored members of all dynamic segments of all workspaces true."""

    def __init__(
        self,
        projector: Projector,
        clock: Clock,
        workspaces: Mapping[int, Workspace],
        position: Log,
        write: Write,
    ) -> None:
        self.projector = projector
        self.clock = clock
        self.workspaces = workspaces
        self.position = position
        self.write = write
        self._rounds: dict[int, Round] = {}
        self._changed = threading.Condition()
        self._fresh = self._unfinished = False
        self._asked = self._answered = 0
        self._closing = False
        self._tidied = 0
        self.error: str | None = None
        self._thread = threading.Thread(target=self._loop, name="keeper", daemon=True)
        projector.projected = self._projected
        projector.remade = self._remade

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def freshness(self, workspace: int, segment: int) -> Freshness | None:
        """How true the members of a dynamic segment are; None before it was looked at."""
        kept = self._rounds.get(workspace)
        return None if kept is None else kept.freshness(segment, self.clock.now())

    def retry(self, workspace: int, segment: int) -> None:
        """Try a segment that could not be evaluated in the next round, whenever its time comes."""
        found = self._rounds.get(workspace)
        if found is not None and segment in found.kept:
            found.kept[segment].retry_at = 0

    def settle(self, position: int | None = None, timeout: float = 30.0) -> None:
        """Wait until the members are right at `position` (default: all that is committed now), as
        of now, and the warehouse shows them. Raises `Unavailable` when it takes longer.
        """
        self.projector.wait(self.position.last if position is None else position, timeout)
        with self._changed:
            self._asked += 1
            mine = self._asked
            self._changed.notify_all()
            seen = self._changed.wait_for(lambda: self._answered >= mine or self._closing, timeout)
        if not seen:
            raise Unavailable("Segments are behind; try again shortly")
        self.projector.wait(self.position.last, timeout)

    def _projected(self, changes: Mapping[int, Changes]) -> None:
        """Told by the projector's thread what a round of it brought."""
        with self._changed:
            for number, change in changes.items():
                if number in self.workspaces:
                    self._round(number).touch(change)
            self._fresh = True
            self._changed.notify_all()

    def _remade(self) -> None:
        """Told by the projector: much may have come with a warehouse made anew."""
        with self._changed:
            for number in self.workspaces:
                self._round(number).touch_all()
            self._fresh = True
            self._changed.notify_all()

    def _round(self, number: int) -> Round:
        if number not in self._rounds:
            self._rounds[number] = Round(
                self.workspaces[number], self.clock, self.write, self._catch_up
            )
        return self._rounds[number]

    def _loop(self) -> None:
        due = 0.0
        while self._await_work(due):
            began = time.perf_counter()
            asked = self._asked
            try:
                self._bring()
                done = self._work()
            except Exception as error:  # noqa: BLE001 - segments fall behind, and catch up
                self._report(error)
                self._pause(RETRY)
                continue
            self.error = None
            with self._changed:
                self._unfinished = not done
                if done:
                    self._answered = asked
                    self._changed.notify_all()
            took = time.perf_counter() - began
            # A long one, which asked everybody, leaves at least a little to others.
            due = began + max(GATHER, min(took / SHARE, LONGEST_GATHER), took * 1.25)

    def _await_work(self, due: float) -> bool:
        """Sleep until something was projected, somebody waits, or the clock has to be looked at."""
        with self._changed:
            self._changed.wait_for(self._wanted, TICK)
            pause = due - time.perf_counter()
            if pause > 0 and self._asked == self._answered:
                self._changed.wait_for(
                    lambda: self._closing or self._asked != self._answered, pause
                )
            self._fresh = False
            return not self._closing

    def _bring(self) -> None:
        """Have the projector bring what was committed meanwhile: left to its own time it would come
        at any moment of this round, and wait for the whole of the next.
        """
        if any(each.kept for each in self._rounds.values()):
            with contextlib.suppress(Unavailable):
                self.projector.wait(self.position.last, GATHER)

    def _wanted(self) -> bool:
        waiting = self._asked != self._answered
        return self._closing or self._fresh or self._unfinished or waiting

    def _work(self) -> bool:
        """A round of every workspace; whether nothing is left to be done."""
        done = True
        now = self.clock.now()
        if abs(now - self._tidied) >= TIDY:
            self._tidied = now
            for workspace in list(self.workspaces.values()):
                self._tidy(workspace, now)
        for number in list(self.workspaces):
            with self._changed:
                kept = self._round(number)
                touched = kept.take()
            started = time.perf_counter()
            done = kept.work(self.projector.warehouse, touched) and done
            if kept.kept:
                metrics.SEGMENTS_SECONDS.observe(time.perf_counter() - started)
        return done

    def _report(self, error: Exception) -> None:
        if isinstance(error, Problem):
            self.error = error.detail
            log.warning("segments wait", reason=error.code)
        else:
            self.error = f"{type(error).__name__}: segments could not be brought up to date"
            log.error("segments failed", exc_info=error)

    def _tidy(self, workspace: Workspace, now: int) -> None:
        """Archive what nobody used for long; the writer is asked where there may be something."""
        if lifetime.unused(workspace, now):
            self.write(workspace, lambda change: lifetime.archive_unused(change, now))

    def _catch_up(self) -> None:
        self.projector.wait(self.position.last)

    def _pause(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing, seconds)
