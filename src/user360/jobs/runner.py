"""The queue: jobs are done one after another in the order of asking, in three lanes.

What comes in does not wait for what goes out, nor for those who look for files elsewhere. A job
that fails says why and the next one begins; one whose process died goes on at the next start.
Nothing polls: whoever waits is woken.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import structlog

from user360 import clock, ids
from user360.errors import Busy, Conflict, NotFound, Problem, Unavailable
from user360.jobs import files, store
from user360.jobs.hearing import Hearing
from user360.jobs.job import Cancelled, Job, Stopped, failure, fatal
from user360.jobs.work import Work
from user360.observe import metrics
from user360.storage.ledger import Connection

if TYPE_CHECKING:
    from user360.platform import Platform

log = structlog.get_logger()
Lane = Literal["in", "out", "look"]
Run = Callable[[Work], Any]
LANES: tuple[Lane, ...] = ("in", "out", "look")
DAY = 86_400
# How long the ledger is given to come back before a job's end is written once more.
AGAIN_SECONDS = 2.0
# How often one that waits for the warehouse looks whether the process ends.
LOOK_SECONDS = 0.5
CLOSE_SECONDS = 20.0
# How long a job that is done waits for segments to follow.
FOLLOW_SECONDS = 5.0
# A job is not taken up again once the process died so often in a row with it in its hands.
MOST_DEATHS = 3


class Kind(NamedTuple):
    """What jobs of a kind do, in which lane, and whether their files are kept when they end."""

    lane: Lane
    run: Run
    keeps: bool


class Runner:
    """Runs the jobs of a platform; a kind is known once a slice has registered it."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.hearing = Hearing()
        self._kinds: dict[str, Kind] = {}
        # Every job that is not finished and its kind, in the order of asking.
        self._waiting: dict[str, str] = {}
        self._at_work: dict[str, Work] = {}
        self._signal = threading.Condition()
        self._closing = threading.Event()
        self._threads = [
            threading.Thread(target=self._loop, args=[lane], name=f"jobs-{lane}", daemon=True)
            for lane in LANES
        ]

    def register(self, kind: str, lane: Lane, run: Run, *, keeps: bool = True) -> None:
        """Say what jobs of a kind do; those that wait for it begin.

        `run` returns the job's result (any JSON but null). It is called again for a job that was
        interrupted, and then goes on from what it has committed. Without `keeps` the job's files
        go as soon as it has ended.
        """
        with self._signal:
            self._kinds[kind] = Kind(lane, run, keeps)
            self._signal.notify_all()

    def start(self) -> None:
        with self.platform.ledger.read() as connection:
            found = store.unfinished(connection)
        if any(job.status == "running" for job in found):
            self.platform.write(store.count_deaths)
        with self._signal:
            self._waiting = {job.id: job.kind for job in found} | self._waiting
            self._changed()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Let the jobs at work end where they are; they go on at the next start."""
        self._closing.set()
        self.hearing.close()
        with self._signal:
            for work in self._at_work.values():
                work.stopped.set()
            self._signal.notify_all()
        until = time.monotonic() + CLOSE_SECONDS
        for thread in self._threads:
            # Again and again, for what is about to begin is not there yet to be given up.
            while thread.is_alive() and time.monotonic() < until:
                self._give_up()
                thread.join(LOOK_SECONDS)

    def _give_up(self) -> None:
        """Let files that are being written anew be: the job begins that step once more."""
        self.platform.ledger.give_up()
        with contextlib.suppress(Unavailable):
            self.platform.projector.warehouse.give_up()

    def _changed(self) -> None:
        """Wake whoever waits: the queue is not what it was."""
        metrics.JOBS_WAITING.set(len(self._waiting))
        self._signal.notify_all()

    def ask(
        self,
        workspace: int,
        kind: str,
        params: dict[str, Any],
        actor: str,
        job_id: str | None = None,
        beside: Callable[[Connection], None] | None = None,
    ) -> Job:
        """Queue a job and wait until that is on disk; `beside` writes in the same transaction.

        Raises what `beside` raises, and then there is no job.
        """
        job = Job(
            id=job_id or ids.new_id(),
            workspace=workspace,
            kind=kind,
            actor=actor,
            created_at=self.platform.now(),
            params=params,
        )

        def add(connection: Connection) -> None:
            store.add(connection, job)
            if beside is not None:
                beside(connection)

        self.platform.write(add)
        self.queue(job)
        return job

    def queue(self, job: Job) -> None:
        """Take up a job that was added to the ledger."""
        with self._signal:
            self._waiting[job.id] = job.kind
            self._changed()

    def find(self, workspace: int, job_id: str, kinds: Collection[str] = ()) -> Job:
        """A job of a workspace, of these kinds, as it is now. Raises `NotFound`."""
        with self.platform.ledger.read() as connection:
            found = store.one(connection, job_id, workspace)
        if found is None or (kinds and found.kind not in kinds):
            raise NotFound("There is no such job")
        return self._live(found)

    def listed(
        self,
        workspace: int,
        kinds: Collection[str] = (),
        before: int | None = None,
        limit: int = 50,
    ) -> list[Job]:
        """The newest jobs of a workspace first: of these kinds, asked for before a moment."""
        with self.platform.ledger.read() as connection:
            found = store.listed(connection, workspace, kinds=kinds, before=before, limit=limit)
        return [self._live(job) for job in found]

    def cancel(self, workspace: int, job_id: str) -> Job:
        """Have a job end early; what it has committed stays. Raises `NotFound`, `Conflict`."""
        found = self.find(workspace, job_id)
        if found.finished and found.status != "cancelled":
            raise Conflict(f"The job is {found.status} already")
        queued = self.platform.write(lambda c: store.cancel(c, job_id, self.platform.now()))
        if queued:
            self._put_away(found)
            metrics.JOBS.labels(found.kind, "cancelled").inc()
        with self._signal:
            if queued:
                self._waiting.pop(job_id, None)
                self._changed()
            elif (work := self._at_work.get(job_id)) is not None:
                work.cancelled.set()
        self.hearing.tell(job_id)
        return self.find(workspace, job_id)

    def wait(self, job_id: str, timeout: float | None = None) -> Job:
        """The job once it is finished. Raises `Unavailable` when that takes longer."""
        with self._signal:
            done = self._signal.wait_for(
                lambda: job_id not in self._waiting or self._closing.is_set(), timeout
            )
        with self.platform.ledger.read() as connection:
            found = store.one(connection, job_id)
        if not done or found is None or not found.finished:
            raise Unavailable("The job is not finished yet")
        return found

    def _live(self, job: Job) -> Job:
        """A job at work with what it told since it last wrote."""
        work = self._at_work.get(job.id)
        if work is None or job.finished:
            return job
        return msgspec.structs.replace(job, progress=dict(work.progress))

    def _loop(self, lane: Lane) -> None:
        tidied: float | None = None
        while not self._closing.is_set():
            if lane == "out" and (tidied is None or time.monotonic() - tidied >= DAY):
                self.tidy()
                tidied = time.monotonic()
            if (job_id := self._take(lane)) is None:
                continue
            ended = self._tried(job_id)
            with self._signal:
                self._at_work.pop(job_id, None)
                if ended:
                    self._waiting.pop(job_id, None)
                self._changed()
            self.hearing.tell(job_id)

    def _take(self, lane: Lane) -> str | None:
        """Wait for the next job of a lane, at most a day. None when there is none."""
        with self._signal:
            self._signal.wait_for(lambda: self._closing.is_set() or self._next(lane), DAY)
            return None if self._closing.is_set() else self._next(lane)

    def _next(self, lane: Lane) -> str | None:
        for job_id, name in self._waiting.items():
            kind = self._kinds.get(name)
            if kind is not None and kind.lane == lane:
                return job_id
        return None

    def _tried(self, job_id: str) -> bool:
        """Do a job; False when it is to be taken up again."""
        try:
            ended = self._run(job_id)
            if not ended:
                with contextlib.suppress(Problem):
                    self.platform.write(lambda c: store.lay_down(c, job_id))
            return ended
        except Problem as problem:
            log.warning("job waits for the ledger", job=job_id, reason=problem.code)
            self._closing.wait(AGAIN_SECONDS)
            return False
        except Exception as error:
            log.error("job lost", job=job_id, exc_info=error)
            return True

    def tidy(self) -> None:
        """Remove the files of jobs that were finished long ago, as the settings say."""
        kept = self.platform.settings.files_days * DAY * clock.SECOND
        before = self.platform.clock.now() - kept

        def wanted(names: set[str]) -> set[str]:
            with self.platform.ledger.read() as connection:
                return store.with_files(connection, names, before)

        try:
            gone = files.tidy(self.platform.directory, wanted)
        except (Problem, OSError) as error:
            log.warning("old files cannot be removed", exc_info=error)
        else:
            if gone:
                log.info("files of old jobs removed", jobs=gone)

    def _run(self, job_id: str) -> bool:
        """Do a job; False when it is to go on at the next start."""
        begun = self._write(lambda c: store.begin(c, job_id, self.platform.now()))
        with self._signal, self.platform.ledger.read() as connection:
            job = store.one(connection, job_id)
            if job is None or job.finished:
                return True
            work = self._at_work[job_id] = Work(self.platform, job, resumed=not begun)
        if job.deaths >= MOST_DEATHS and job.result is None:
            return self._end(work, "failed", fatal(job))
        if job.cancel:
            work.cancelled.set()
        if self._closing.is_set():
            work.stopped.set()
        self.hearing.tell(job_id)
        return self._do(work)

    def _do(self, work: Work) -> bool:
        log.info("job", job=work.job.id, kind=work.job.kind, resumed=work.resumed)
        try:
            self._to_its_end(work)
        except Stopped:
            return False
        except Cancelled:
            return self._end(work, "cancelled")
        except Exception as error:
            if self._closing.is_set():
                return False
            if not isinstance(error, Problem):
                log.error("job failed", job=work.job.id, kind=work.job.kind, exc_info=error)
            return self._end(work, "failed", failure(error))
        return self._end(work, "completed")

    def _to_its_end(self, work: Work) -> None:
        """Run the job and keep its result; return once everybody can see what it did."""
        if work.job.result is None:
            work.check()
            result = self._patiently(work)
            self._write(lambda c: store.save_result(c, work.job.id, result))
        position = self.platform.committer.position.last
        while self.platform.projector.position < position:
            if work.stopped.is_set():
                raise Stopped
            with contextlib.suppress(Unavailable):
                self.platform.projector.wait(position, LOOK_SECONDS)
        # Segments that are further behind than this say so themselves.
        with contextlib.suppress(Unavailable):
            self.platform.keeper.settle(position, FOLLOW_SECONDS)

    def _patiently(self, work: Work) -> Any:
        """What the job's function returns; when the writer is too busy it goes on later."""
        while True:
            try:
                return self._kinds[work.job.kind].run(work)
            except Busy:
                work.resumed = True
                work.stopped.wait(LOOK_SECONDS)
                work.check()

    def _end(self, work: Work, status: str, result: Any = None) -> bool:
        """Write how a job ended, with what it told last; False when the process ends before."""

        def end(connection: Connection) -> None:
            if status != "failed":  # then what was told may be ahead of what was committed
                work.keep(connection)
            if result is not None:
                store.save_result(connection, work.job.id, result)
            store.finish(connection, work.job.id, status, self.platform.now())

        try:
            self._write(end)
        except Problem:
            return False
        log.info("job ended", job=work.job.id, kind=work.job.kind, status=status)
        metrics.JOBS.labels(work.job.kind, status).inc()
        self._put_away(work.job)
        return True

    def _put_away(self, job: Job) -> None:
        """Remove the files of a job that has ended, where its kind does not keep them."""
        kind = self._kinds.get(job.kind)
        if kind is not None and not kind.keeps:
            files.remove(self.platform.directory, job.id)

    def _write(self, job: Callable[[Connection], Any]) -> Any:
        """Write, again and again while the ledger is busy or cannot be written.

        Raises the `Problem` that is left when the process ends.
        """
        while True:
            try:
                return self.platform.write(job)
            except Problem:
                if self._closing.is_set() or not self.platform.committer.running:
                    raise
                self._closing.wait(AGAIN_SECONDS)
