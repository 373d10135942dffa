"""The projector: follows the ledger's log and keeps the warehouse in step, exactly once.

A round reads the log beyond the warehouse's position, and what it names, from one snapshot of
the ledger, and applies all of it together with the new position in one transaction of the
warehouse. Whatever dies when, the next round begins where the last one that counted ended. What
entries mean for the warehouse is said by the `Reader` it is given.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import structlog

from user360.errors import StorageFailed, Unavailable
from user360.observe import metrics
from user360.storage import places
from user360.storage.compactor import Compactor
from user360.storage.ledger import Connection, Ledger
from user360.storage.warehouse import Changes, Damaged, Snapshot, Warehouse

log = structlog.get_logger()
# Seconds between the starts of two rounds under load, unless a reader waits: one round for many
# commits costs far less than a round for each. Where rounds take longer than SHARE of that, they
# start so much later that writers keep the rest of the time, up to a limit.
GATHER = 0.1
SHARE = 0.12
LONGEST_GATHER = 0.3
# Entries behind the log that are far: nobody sees a round's pause then, and sorting less at a time,
# a share of the usual, holds less memory.
FAR, FAR_SHARE = 10_000, 4
# Seconds before a failed round is tried again.
RETRY = 1.0
# Seconds that one file's taking the place of another is waited for, and a moment for it.
MOMENT, BRIEF = 10.0, 1.0


Progress = Callable[[float], None]  # told the share that is done, from 0 to 1


class Round(NamedTuple):
    """What one round brings: the changes, the position they lead to, the columns they need."""

    changes: Mapping[int, Changes]
    position: int
    columns: Mapping[int, Mapping[str, str]]


class Reader(Protocol):
    """What the log means for the warehouse."""

    def columns(self) -> Mapping[int, Mapping[str, str]]:
        """For each workspace the columns its records need: name -> type."""
        ...

    def round(self, connection: Connection, after: int) -> Round:
        """The changes after a position."""
        ...

    def fill(self, ledger: Ledger, warehouse: Warehouse, workspace: int, column: str) -> None:
        """Make a column that is missing or of another type, with the values it holds by now."""
        ...

    def rebuild(self, ledger: Ledger, warehouse: Warehouse, progress: Progress) -> None:
        """Fill an empty warehouse from the whole ledger."""
        ...


class Projector:
    """Keeps one warehouse file in step with one ledger, on a thread of its own."""

    def __init__(
        self, ledger: Ledger, path: Path, connect: Callable[[Path], Warehouse], reader: Reader
    ) -> None:
        self.ledger = ledger
        self.path = path
        self.connect = connect
        self.reader = reader
        self.position = 0
        self.error: str | None = None
        # Told, on the projector's thread, what each round brought.
        self.projected: Callable[[Mapping[int, Changes]], None] = _nobody
        # Told when the warehouse was made anew, and nobody can say what that brought.
        self.remade: Callable[[], None] = _no_one
        self._warehouse: Warehouse | None = None
        self._target = 0
        self._commits: list[tuple[int, float]] = []
        self._waiting = 0
        self._resting = False  # nothing to do: only then a commit wakes the loop
        self._closing = False
        self._broken = False
        self._swapping = 0  # the thread that puts another file here
        self._round = threading.RLock()
        self._columns: Mapping[int, Mapping[str, str]] = {}
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._loop, name="projector", daemon=True)
        self.compactor = Compactor(lambda: self._warehouse, lambda: list(self._columns))

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse for reading. Raises `Unavailable` while it is being made anew."""
        return self._open_warehouse()

    def open(self, target: int) -> None:
        """Open the file; one that is missing or damaged is made anew by the loop.

        `target` is the ledger's position.
        """
        self._target = target
        if not self.path.exists():
            # What DuckDB logged for a file that is gone must not be read into a new one.
            places.remove(self.path)
            if target:
                return
        try:
            self._take(self.connect(self.path))
            if self.position > target:
                raise Damaged("the warehouse is ahead of its ledger")
            self.prepare()
        except Damaged as problem:
            self._set_aside(str(problem))
        except StorageFailed as problem:
            self._report(problem)

    def _take(self, warehouse: Warehouse) -> None:
        warehouse.on_damage = self._wake
        self._warehouse = warehouse
        self._broken = False
        self._columns = {}
        self.remade()
        self.position = warehouse.position()
        metrics.PROJECTED.set(self.position)

    def _wake(self) -> None:
        """A reader found the engine broken."""
        with self._changed:
            self._broken = True
            self._changed.notify_all()

    def start(self) -> None:
        self._thread.start()
        self.compactor.start()

    def committed(self, position: int) -> None:
        """Told by the committer: the log has grown to `position`."""
        with self._changed:
            self._target = position
            if len(self._commits) < 10_000:
                self._commits.append((position, time.perf_counter()))
            if self._resting:
                self._changed.notify_all()

    def wait(self, position: int, timeout: float = 30.0) -> None:
        """Wait until the warehouse shows `position`. Raises `Unavailable` when it takes longer."""
        if self.position >= position and self._warehouse is not None:
            return
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
            try:
                seen = self._changed.wait_for(lambda: self.position >= position, timeout)
            finally:
                self._waiting -= 1
        if not seen:
            raise Unavailable("Lists and segments are behind; try again shortly")

    def close(self) -> None:
        self.compactor.close()
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        if self._warehouse is not None:
            self._warehouse.close()

    def _loop(self) -> None:
        due = 0.0
        while self._await_work(due):
            began = time.perf_counter()
            try:
                with self._round:
                    self._work()
                self.error = None
            except Damaged as problem:
                self._set_aside(str(problem))
            except Exception as error:  # noqa: BLE001 - the ledger goes on serving, this is retried
                self._report(error)
                self._pause()
            took = time.perf_counter() - began
            due = began + min(max(GATHER, took / SHARE), LONGEST_GATHER)

    def _await_work(self, due: float) -> bool:
        """Sleep until the log has grown; gather commits for a moment unless somebody waits."""
        with self._changed:
            self._resting = True
            self._changed.wait_for(lambda: self._closing or self._behind())
            self._resting = False
            pause = due - time.perf_counter()
            if pause > 0 and not self._waiting:
                self._changed.wait_for(lambda: self._closing or self._waiting > 0, pause)
            return not self._closing

    def _behind(self) -> bool:
        return self.position < self._target or self._warehouse is None or self._broken

    def _work(self) -> None:
        if self._warehouse is None:
            self._make_anew(lambda _done: None)
        if self._broken:
            raise Damaged("the engine refuses to go on")
        with self.ledger.read() as connection:
            touched = self._advance(connection)
        far = self._target - self.position > FAR
        least = self._fold_at // FAR_SHARE if far else self._fold_at
        for workspace in touched:
            self._open_warehouse().fold(workspace, least)

    def _advance(self, connection: Connection) -> Collection[int]:
        """One round; returns the workspaces it brought something."""
        started = time.perf_counter()
        warehouse = self._open_warehouse()
        # In this order, for what the log holds may need columns that were declared a moment ago.
        found = self.reader.round(connection, self.position)
        self.prepare(found.columns)
        if found.position != self.position:
            warehouse.apply(found.changes, found.position)
            metrics.PROJECT_SECONDS.observe(time.perf_counter() - started)
            # Whoever waits for the position may rely on everybody having been told.
            self.projected(found.changes)
            self._reached(found.position)
        return found.changes.keys()

    def replaced(self, warehouse: Warehouse) -> bool:
        """Whether another file is in the place of this one by now; then it can be asked again."""
        try:
            return self._open_warehouse() is not warehouse
        except Unavailable:
            return False

    def _open_warehouse(self) -> Warehouse:
        if self._swapping not in (0, threading.get_ident()):
            with self._changed:
                self._changed.wait_for(lambda: not self._swapping, MOMENT)
        if self._warehouse is None:
            raise Unavailable("Lists and segments are being rebuilt; records can be read")
        return self._warehouse

    @contextlib.contextmanager
    def together(self) -> Iterator[tuple[Connection, Snapshot, int]]:
        """Ledger and warehouse at one position, both standing still while they are looked at.

        Yields the ledger, the warehouse and the position; writers go on meanwhile. Raises
        `Unavailable` while the warehouse is being made anew.
        """
        with contextlib.ExitStack() as stack:
            with self._round:
                connection = stack.enter_context(self.ledger.read())
                self._open_warehouse()
                while self._advance(connection):
                    pass
                snapshot = stack.enter_context(self._open_warehouse().snapshot())
                position = self.position
            yield connection, snapshot, position

    _fold_at = 200_000

    def fold_at(self, rows: int) -> None:
        """Sort fresh events into place when a workspace has this many."""
        self._fold_at = rows

    def sort(self, workspace: int) -> None:
        """Put all events of a workspace in order now, on the caller's thread; rounds wait."""
        self._open_warehouse().sort(workspace)

    def prepare(self, needed: Mapping[int, Mapping[str, str]] | None = None) -> None:
        """Make the relations and columns that the declarations, or a round, ask for.

        Every round begins with it; who made a workspace may call it, so that it can be asked at
        once.
        """
        with self._round:
            wanted = self.reader.columns() if needed is None else needed
            if wanted == self._columns:
                return
            warehouse = self._open_warehouse()
            for workspace, columns in wanted.items():
                if columns == self._columns.get(workspace):
                    continue  # a server may have hundreds, and one declares something at a time
                for column in warehouse.prepare(workspace, columns):
                    self.reader.fill(self.ledger, warehouse, workspace, column)
            self._columns = wanted

    def _reached(self, position: int) -> None:
        now = time.perf_counter()
        metrics.PROJECTED.set(position)
        with self._changed:
            # Before anybody who waits goes on: whoever sees the position sees no old trouble.
            self.error = None
            self.position = position
            while self._commits and self._commits[0][0] <= position:
                metrics.LAG_SECONDS.observe(now - self._commits.pop(0)[1])
            self._changed.notify_all()

    def _set_aside(self, reason: str) -> None:
        """Set a damaged file aside; a new one is made by the loop."""
        log.error("warehouse set aside", reason=reason)
        self._let_go()
        places.set_aside(self.path)

    def _let_go(self) -> None:
        held, self._warehouse, self._broken = self._warehouse, None, False
        self.position = 0
        if held is not None:
            with contextlib.suppress(Exception):
                held.close()

    def _make_anew(self, progress: Progress) -> None:
        """Fill a fresh file beside the old place, and move it there once it is whole."""
        part = places.part_of(self.path)
        try:
            fresh = self.connect(part)
            try:
                self.reader.rebuild(self.ledger, fresh, progress)
                fresh.checkpoint()
            finally:
                fresh.close()
        except Damaged as problem:
            raise StorageFailed(f"The warehouse cannot be rebuilt: {problem}") from problem
        self._go_on_with(part)
        log.info("warehouse rebuilt", position=self.position)

    def _go_on_with(self, part: Path) -> None:
        """Put a file that is whole in the place of this one; who asks meanwhile waits."""
        self._swapping = threading.get_ident()
        try:
            self._let_go()
            places.put(part, self.path)
            self._take(self.connect(self.path))
            with self.ledger.read() as connection:
                while self._advance(connection):
                    pass
        finally:
            with self._changed:
                self._swapping = 0
                self._changed.notify_all()
        self._reached(self.position)

    def rebuild(self, progress: Progress = lambda _done: None) -> None:
        """Make the warehouse anew now, on the caller's thread.

        The old one answers until the new one is whole; `progress` is told the share done, 0 to 1.
        """
        with self._round:
            self._make_anew(progress)

    def renew(self) -> None:
        """Go on with a copy of the file, for in the old one is what was deleted; on the caller's
        thread. Rounds go on while it is copied. Who asks something long is let finish.

        Raises `Unavailable` when there was no moment for it, or the file is damaged.
        """
        held = self._open_warehouse()
        if not held.idle(MOMENT):
            raise Unavailable("Somebody is reading for long")
        part = places.part_of(self.path)
        try:
            held.copy(part)
        except Damaged as problem:
            self._wake()
            raise Unavailable("Lists and segments are being rebuilt") from problem
        with self._round:
            if not held.idle(BRIEF) or self._open_warehouse() is not held:
                raise Unavailable("Somebody is reading for long")
            self._go_on_with(part)
            places.forget_damaged(self.path)
        log.info("warehouse renewed", position=self.position)

    def _report(self, error: Exception) -> None:
        self.error = f"{type(error).__name__}: the warehouse could not be brought up to date"
        log.error("projection failed", exc_info=error)

    def _pause(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing, RETRY)


def _nobody(changes: Mapping[int, Changes]) -> None:
    """Who is told of a round when nobody wants to know."""


def _no_one() -> None:
    """The same for a warehouse made anew."""
