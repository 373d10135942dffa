"""One writer, group commit: whatever has come in is settled together and committed once.

Callers hand in calls and are told when the commit that holds them is on disk. Durability costs
one fsync for many calls, and no two writers ever race. The queue is bounded: beyond it callers
get `Busy`, so that memory stays bounded too.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from itertools import groupby
from typing import Any

import msgspec
import structlog

from user360.access.workspaces import Workspace
from user360.clock import Clock
from user360.conversations.news import Exchange, News
from user360.errors import Busy, NotFound, Problem, StorageFailed, Unavailable
from user360.events import store as event_store
from user360.ingest import steps, talks
from user360.ingest.batch import Batch, Position
from user360.ingest.call import Call, Outcome
from user360.observe import metrics
from user360.storage.ledger import Connection, Ledger

log = structlog.get_logger()
# A commit waits, once one was shared, for as many callers as that had: those just answered ask
# again at once, and a commit for two costs little more than a commit for one. It waits as long as
# the last commit took, and at most GATHER seconds: who is still being answered then would be read
# while the others are written, and both would wait for each other's turns of the interpreter.
GATHER = 0.002
Done = Callable[[Any], None]  # takes the result, or the exception


class Item(msgspec.Struct, gc=False):
    """One thing in the queue: calls to settle, or a job to run inside the transaction."""

    calls: Sequence[Call]
    job: Callable[[Connection], Any] | None
    done: Done
    result: Any = None


class Committer:
    """The only writer of the ledger, on a thread of its own."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        workspaces: dict[int, Workspace],
        *,
        queue_calls: int,
        commit_calls: int,
        committed: Callable[[int], None],
        exchange: Exchange | None = None,
        dropped: Callable[[list[tuple[int, str]]], None] = lambda _files: None,
    ) -> None:
        self.ledger = ledger
        self.clock = clock
        self.workspaces = workspaces
        self.queue_calls = queue_calls
        self.commit_calls = commit_calls
        self.committed = committed
        self.exchange = exchange or Exchange()
        self.dropped = dropped
        self._news: list[News] = []
        self._files: list[tuple[int, str]] = []  # whose rows this commit removes
        with ledger.read() as connection:
            self.position = Position(event_store.last_position(connection))
        metrics.POSITION.set(self.position.last)
        self.settled = 0  # how many calls were settled; jobs are none
        self._queue: deque[Item] = deque()
        self._waiting = 0
        self._shared = 1  # how many callers the last commit had
        self._took = 0.0  # seconds that the last commit took
        self._enough = 1  # how many have to wait until the writer is woken
        self._signal = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._loop, name="committer", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self.ledger.checkpoints.start()

    def close(self) -> None:
        """Settle what is queued, then stop."""
        with self._signal:
            self._closing = True
            self._signal.notify()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def room(self) -> bool:
        """Whether another request would be taken in now."""
        return self._waiting < self.queue_calls

    def submit(self, calls: Sequence[Call], done: Done) -> None:
        """Queue calls; `done` gets a list of outcomes, in order, or an exception.

        `done` runs on the committer's thread and must return at once. Raises `Busy` when the
        queue is full; one request is taken whole however large it is.
        """
        self._put(Item(calls, None, done))

    def settle(self, calls: Iterable[Call]) -> list[Outcome]:
        """Submit calls and wait for their outcomes."""
        future: Future[list[Outcome]] = Future()
        self.submit(list(calls), _into(future))
        return future.result()

    def run(self, job: Callable[[Connection], Any]) -> Any:
        """Run a job in the writer's transaction, after all that was queued, and wait for it."""
        future: Future[Any] = Future()
        self.submit_job(job, _into(future))
        return future.result()

    def submit_job(self, job: Callable[[Connection], Any], done: Done) -> None:
        """Queue a job; what it raises undoes it alone and reaches `done`."""
        self._put(Item((), job, done))

    def _put(self, item: Item) -> None:
        with self._signal:
            if self._closing:
                raise Unavailable("The server is stopping")
            if self._waiting >= self.queue_calls:
                metrics.REFUSED.inc()
                raise Busy
            self._queue.append(item)
            self._waiting += max(1, len(item.calls))
            if len(self._queue) >= self._enough:
                self._signal.notify()

    def _loop(self) -> None:
        while (items := self._take()) is not None:
            self._commit(items)

    def _take(self) -> list[Item] | None:
        """Wait for work; take what has come in, up to one commit's worth. None ends the loop."""
        with self._signal:
            while not self._queue:
                if self._closing:
                    return None
                self._signal.wait()
            self._gather()
            items: list[Item] = []
            size = 0
            while self._queue and (not items or size < self.commit_calls):
                item = self._queue.popleft()
                items.append(item)
                size += max(1, len(item.calls))
            self._waiting -= size
            metrics.QUEUE_CALLS.set(self._waiting)
            self._shared = len(items)
            return items

    def _gather(self) -> None:
        """Wait a moment for the callers of the last commit; nobody waits who is alone."""
        if len(self._queue) < self._shared and not self._closing:
            self._enough = self._shared
            self._signal.wait(min(GATHER, self._took))
            self._enough = 1

    def _commit(self, items: list[Item]) -> None:
        started = time.perf_counter()
        before = self.position.last
        self._news, self._files = [], []
        try:
            with self.ledger.write() as connection:
                self._settle(connection, items)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, every caller is told
            self._recover(items, error, before)
            return
        self._took = time.perf_counter() - started
        metrics.COMMIT_SECONDS.observe(self._took)
        metrics.POSITION.set(self.position.last)
        if self.position.last != before:
            self.committed(self.position.last)
        for item in items:
            _tell(item, item.result)
        if self._news:
            talks.count(self._news)
            self.exchange.publish(self._news)
        if self._files:
            self.dropped(self._files)

    def _settle(self, connection: Connection, items: list[Item]) -> None:
        """Settle runs of calls together; a job in between sees all that came before it."""
        for is_job, run in groupby(items, key=lambda item: item.job is not None):
            if is_job:
                for item in run:
                    item.result = self._run_job(connection, item)
            else:
                self._settle_calls(connection, list(run))

    def _settle_calls(self, connection: Connection, items: list[Item]) -> None:
        calls = [call for item in items for call in item.calls]
        metrics.COMMIT_CALLS.observe(len(calls))
        self.settled += len(calls)
        outcomes: dict[int, Outcome] = {}
        by_workspace: dict[int, list[int]] = {}
        for i, call in enumerate(calls):
            by_workspace.setdefault(call.workspace, []).append(i)
        for number, places in by_workspace.items():
            batch = Batch(
                connection,
                self.ledger.dialect,
                self._workspace(number),
                [calls[i] for i in places],
                self.position,
                self.clock.now(),
            )
            outcomes.update(zip(places, steps.run(batch), strict=True))
            if batch.talks is not None:
                self._news += batch.talks.news(number)
            self._files += batch.files
        self._count(outcomes.values())
        start = 0
        for item in items:
            item.result = [outcomes[i] for i in range(start, start + len(item.calls))]
            start += len(item.calls)

    def _workspace(self, number: int) -> Workspace:
        if number not in self.workspaces:
            raise NotFound("There is no such workspace")
        return self.workspaces[number]

    def _run_job(self, connection: Connection, item: Item) -> Any:
        assert item.job is not None
        savepoint = connection.begin_nested()
        before = self.position.last
        try:
            result = item.job(connection)
        except Problem as problem:
            savepoint.rollback()
            if self.position.last != before:
                # Something was told already, and may be in force: as the ledger has it, it is not.
                self.position.last = before
                self._load(connection, self.workspaces)
            return problem
        savepoint.commit()
        return result

    def _count(self, outcomes: Iterable[Outcome]) -> None:
        statuses: dict[str, int] = {}
        for outcome in outcomes:
            statuses[outcome.status] = statuses.get(outcome.status, 0) + 1
            if outcome.problem is not None:
                for code in {f.code for f in outcome.problem.faults} or {outcome.problem.code}:
                    metrics.DROPS.labels(code).inc()
        for status, count in statuses.items():
            metrics.CALLS.labels(status).inc(count)
        if "dropped" in statuses:
            metrics.DROPS.labels("inactive").inc(statuses["dropped"])

    def _recover(self, items: list[Item], error: Exception, before: int) -> None:
        """Nothing of the transaction was kept: forget what was assumed, then find the culprit.

        When the storage failed everybody is told so. Anything else is a defect that one call
        brought out: each item is tried alone, so that only that one fails.
        """
        self.position.last = before
        self._reload(items)
        if isinstance(error, StorageFailed):
            log.error("commit failed", reason=error.detail)
            for item in items:
                _tell(item, error)
        elif len(items) > 1:
            for item in items:
                self._commit([item])
        elif len(items[0].calls) > 1:
            self._one_by_one(items[0])
        else:
            log.error("call failed", exc_info=error)
            _tell(items[0], Problem("This call brought out a defect; nothing of it was kept"))

    def _one_by_one(self, item: Item) -> None:
        """Settle each call of an item in a commit of its own."""
        outcomes: list[Outcome] = []

        def collect(result: Any) -> None:
            if isinstance(result, Exception):
                problem = result if isinstance(result, Problem) else Problem(str(result))
                outcomes.append(Outcome(status="failed", problem=problem))
            else:
                outcomes.extend(result)

        for call in item.calls:
            self._commit([Item([call], None, collect)])
        _tell(item, outcomes)

    def _reload(self, items: list[Item]) -> None:
        numbers = {call.workspace for item in items for call in item.calls}
        if any(item.job is not None for item in items):
            numbers |= self.workspaces.keys()
        try:
            with self.ledger.read() as connection:
                self._load(connection, numbers & self.workspaces.keys())
        except StorageFailed as problem:
            log.error("reload failed", reason=problem.detail)

    def _load(self, connection: Connection, numbers: Iterable[int]) -> None:
        for number in list(numbers):
            self.workspaces[number].load(connection)


def _tell(item: Item, result: Any) -> None:
    """Tell a caller. One who is gone (a closed loop, say) must not stop the writer."""
    try:
        item.done(result)
    except Exception as error:
        log.warning("caller gone", exc_info=error)


def _into(future: Future[Any]) -> Done:
    def done(result: Any) -> None:
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)

    return done
