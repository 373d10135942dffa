"""What a job's function is given: where it works, whom it tells how far it is, when it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from user360.access.workspaces import Workspace
from user360.errors import Busy
from user360.ingest.call import Call, Outcome
from user360.jobs import files, store
from user360.jobs.job import Cancelled, Job, Stopped
from user360.storage.ledger import Connection

if TYPE_CHECKING:
    from user360.platform import Platform

Result = TypeVar("Result")
# Progress that is only told is written this often; a reader of this process sees it at once.
TELL_SECONDS = 1.0
BUSY_SECONDS = 0.2
# While others write, a job that works piece by piece rests after each: for so many times as long as
# the piece took when they write MANY calls a second or more, and for less when they write fewer.
REST = 2.0
MANY = 2_000


class Work:
    """A job at work.

    `resumed` says that it was begun before and did not come to its end; what it committed then
    stands, and `progress` is what was kept with it.
    """

    def __init__(self, platform: Platform, job: Job, resumed: bool) -> None:
        self.platform = platform
        self.job = job
        self.resumed = resumed
        self.workspace: Workspace = platform.workspaces[job.workspace]
        self.progress: dict[str, Any] = dict(job.progress)
        self.cancelled = threading.Event()
        self.stopped = threading.Event()
        self._told = time.monotonic()
        self._piece = (time.monotonic(), platform.committer.settled)

    @property
    def directory(self) -> Path:
        """Where the job's files are."""
        return files.directory(self.platform.directory, self.job.id)

    def check(self) -> None:
        """Raises `Cancelled` or `Stopped` when the job is to end where it is: ask every moment."""
        if self.stopped.is_set():
            raise Stopped
        if self.cancelled.is_set():
            raise Cancelled

    def step_aside(self) -> None:
        """Called after each piece of work: rest while others write, so that they get on.

        Raises what `check` raises.
        """
        began, settled = self._piece
        took = time.monotonic() - began
        rate = (self.platform.committer.settled - settled) / max(took, 0.001)
        self.stopped.wait(REST * took * min(1.0, rate / MANY))
        self.check()
        self._piece = (time.monotonic(), self.platform.committer.settled)

    def told(self, **progress: Any) -> None:
        """Tell how far the job is; written now and then."""
        self.progress |= progress
        self.platform.jobs.hearing.tell(self.job.id)
        now = time.monotonic()
        if now - self._told >= TELL_SECONDS:
            self._told = now
            self.write(lambda c: store.save_progress(c, self.job.id, self.progress, got_on=False))

    def keep(self, connection: Connection, **progress: Any) -> None:
        """Write how far the job is in the transaction of what it has written."""
        self.progress |= progress
        store.save_progress(connection, self.job.id, self.progress)
        self._told = time.monotonic()
        self.platform.jobs.hearing.tell(self.job.id)

    def write(self, job: Callable[[Connection], Result]) -> Result:
        """Run `job` in the writer's transaction; while the queue is full it waits for room.

        Raises what `check` raises while it waits, and what the platform's `write` does.
        """
        return self._patiently(lambda: self.platform.write(job))

    def settle(self, calls: Sequence[Call]) -> list[Outcome]:
        """Settle calls; while the queue is full it waits for room, as `write` does."""
        return self._patiently(lambda: self.platform.settle(calls))

    def _patiently(self, do: Callable[[], Result]) -> Result:
        while True:
            try:
                return do()
            except Busy:
                self.check()
                self.stopped.wait(BUSY_SECONDS)
