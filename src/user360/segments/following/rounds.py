"""One workspace's segments, round by round: who has to be asked, and telling what came out."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Collection, Iterator, Sequence

import msgspec
import structlog
from pyroaring import BitMap64

from user360.access.change import Change
from user360.access.workspaces import Workspace
from user360.clock import SECOND, Clock
from user360.errors import InvalidCondition, Problem
from user360.observe import metrics
from user360.segments import conditions
from user360.segments.compiler import few
from user360.segments.compiler.compile import Frame
from user360.segments.following import clock as windows
from user360.segments.following import membership, telling
from user360.segments.following.kept import Freshness, Kept, Touched
from user360.segments.following.membership import Difference
from user360.segments.following.together import Part, Together
from user360.segments.language.periods import When
from user360.segments.store import DYNAMIC
from user360.storage.warehouse import Changes, Warehouse

log = structlog.get_logger()
# How far ahead the clock is looked into, and how long before that has passed it is again.
AHEAD, MARGIN = 900 * SECOND, 60 * SECOND
# Of more people than this everybody is asked: one scan is cheaper than so many set apart.
MOST_APART = 20_000
# Seconds that one round asks everybody, segment by segment; what is left waits for the next.
LONGEST = 0.5

Told = list[list[int] | None]
Writer = Callable[[Workspace, Callable[[Change], Told]], Told]


class Round:
    """The dynamic segments of one workspace; for one thread, but for `touch` and `freshness`."""

    def __init__(
        self, workspace: Workspace, clock: Clock, write: Writer, catch_up: Callable[[], None]
    ) -> None:
        self.workspace = workspace
        self.clock = clock
        self.write = write
        self.catch_up = catch_up  # waits until the warehouse shows all that is committed
        self.kept: dict[int, Kept] = {}
        self._touched = Touched()
        self._since = 0  # when the oldest of what is not looked at yet was projected
        self._loaded = False
        self._read: tuple[object, ...] = ()
        self._meanings = conditions.Conditions(workspace)
        self._together: Together | None = None

    def touch(self, change: Changes) -> None:
        """Take in what was projected."""
        self._since = self._since or self.clock.now()
        self._touched.add(change, self.kept)

    def touch_all(self) -> None:
        """Take in that anything may have changed."""
        self._since = self._since or self.clock.now()
        self._touched.everybody = True

    def take(self) -> Touched:
        """What is to be looked at now; it is collected anew from here on."""
        taken, self._touched, self._since = self._touched, Touched(), 0
        return taken

    def freshness(self, segment: int, now: int) -> Freshness | None:
        """How true the members of a segment are; None when it was not looked at yet."""
        kept = self.kept.get(segment)
        if kept is None or not (kept.as_of or kept.error):
            return None
        oldest = kept.as_of if kept.whole else self._since
        return kept.freshness(lag=max(0, now - oldest) if oldest else 0)

    def work(self, warehouse: Warehouse, touched: Touched) -> bool:
        """Bring the segments up to what is projected and what the clock says; whether all are.

        Raises `Problem` when the warehouse cannot be asked or the ledger cannot be written. Then
        everybody is asked the next time.
        """
        try:
            self._follow(warehouse)
            return self._work(warehouse, touched, self.clock.now()) if self.kept else True
        except Exception:
            for kept in self.kept.values():
                kept.whole = True
            raise

    def _work(self, warehouse: Warehouse, touched: Touched, now: int) -> bool:
        for kept in self.kept.values():
            if touched.dead:
                kept.members -= BitMap64(touched.dead)
            # The clock was moved, or stood still for this process: nobody knows whose time came.
            kept.whole = kept.whole or touched.everybody or bool(kept.windows and kept.until < now)
        given = membership.frame(warehouse, self.workspace, now, self._meanings)
        ready = [kept for kept in self.kept.values() if self._ready(kept, given)]
        self._tell(self._some(warehouse, touched, given, ready), now)
        self._tell(self._everybody(warehouse, given, ready), now)
        for kept in ready:
            if kept.windows and not kept.whole and kept.until < now + MARGIN:
                times = membership.due(warehouse, kept, given, now + AHEAD)
                kept.look_ahead(times, given, now + AHEAD)
        return not any(kept.whole for kept in ready)

    def _follow(self, warehouse: Warehouse) -> None:
        """Take in which segments there are, and that declarations may have changed."""
        workspace = self.workspace
        read = (workspace.segments, workspace.catalogue, workspace.zone)
        if self._read and all(a is b for a, b in zip(read, self._read, strict=True)):
            return
        dynamic = {n: s for n, s in read[0].items() if s.kind == DYNAMIC}
        if not dynamic and not self._loaded:  # a workspace just made has no relations yet
            return
        # Whoever wrote before making a segment finds those people in it, and is told nothing.
        self.catch_up()
        stored = {} if self._loaded else membership.stored(warehouse, workspace)
        declared = not self._read or read[1:] != self._read[1:]
        if declared:
            self._together = None
        before = {n: kept.segment.version for n, kept in self.kept.items()}
        regrouped = before != {n: s.version for n, s in dynamic.items()}
        kept_on = {n: kept for n, kept in self.kept.items() if n in dynamic}
        for kept in kept_on.values():
            within = regrouped and (kept.nests or kept.error is not None)
            gone = not kept.static <= read[0].keys()  # a list that it asks about was deleted
            kept.define(dynamic[kept.segment.id], declared or within or gone)
        new = {n: Kept(s, stored.get(n, BitMap64())) for n, s in dynamic.items() if n not in before}
        self.kept = kept_on | new
        self._meanings = conditions.Conditions(workspace, read[0])
        self._loaded, self._read = True, read

    def _ready(self, kept: Kept, given: Frame) -> bool:
        """Whether a segment can be asked about; what it means is read where it was not yet."""
        if kept.error and given.now < kept.retry_at:
            return False
        if kept.read:
            return True
        try:
            kept.understand(given, self._meanings[kept.segment.id])
        except InvalidCondition as problem:
            kept.failed(problem.detail, given.now)
        return kept.read

    def _some(
        self, warehouse: Warehouse, touched: Touched, given: Frame, ready: Sequence[Kept]
    ) -> list[Difference]:
        """Ask about those touched, and those whose time has come."""
        asked: list[Kept] = []
        numbers: set[int] = set()
        for kept in ready:
            due = kept.take_due(given.now)
            if not kept.whole and (due or (touched and kept.asks_about(touched))):
                asked.append(kept)
                numbers |= due
        if not asked:
            return []
        names: frozenset[str] = frozenset().union(*(kept.names for kept in asked))
        if touched:
            numbers |= touched.people(names)
        if len(numbers) <= MOST_APART:
            return self._apart(warehouse, touched, given, asked, numbers, names)
        for kept in asked:
            kept.whole = True
        return []

    def _apart(
        self,
        warehouse: Warehouse,
        touched: Touched,
        given: Frame,
        asked: Sequence[Kept],
        numbers: Collection[int],
        names: Collection[str],
    ) -> list[Difference]:
        """Ask about these people, set apart once for all the segments."""
        static: frozenset[int] = frozenset().union(*(kept.static for kept in asked))
        metrics.SEGMENTS_ASKED.observe(len(numbers))
        held: frozenset[str] = frozenset().union(*(kept.held for kept in asked))
        columns: frozenset[str] = frozenset().union(*(kept.columns for kept in asked))
        apart = (warehouse, self.workspace, numbers, names, given.now, static, held)
        together = self._asked_together(warehouse.dialect)
        with few.people(*apart, columns=columns) as people:
            there = msgspec.structs.replace(people.frame, segments=self._meanings)
            below = membership.below_of(people.query("SELECT * FROM temp.merged").rows)
            parts: dict[Kept, Part] = {}
            for kept in asked:
                with _Guard(kept, given.now):
                    parts[kept] = kept.part(together, there)
            found = membership.some(people, together, parts, there, below)
            for kept in parts:
                crossing = touched.crossing(kept, When(there.now, there.zone))
                kept.add_due(
                    windows.due(
                        crossing,
                        there,
                        kept.until,
                        lambda sql: people.query(sql).rows,
                        warehouse.dialect,
                    )
                )
            if touched.regrouped or touched.dead:
                membership.measure(people.view, self.workspace, found)
        return found

    def _asked_together(self, dialect: str) -> Together:
        if self._together is None or self._together.full:
            self._together = Together(dialect)
        return self._together

    def _everybody(
        self, warehouse: Warehouse, given: Frame, ready: Sequence[Kept]
    ) -> list[Difference]:
        """Ask everybody about as many segments as there is time for in one round."""
        found: list[Difference] = []
        started = time.perf_counter()
        for kept in ready:
            if kept.whole and time.perf_counter() - started < LONGEST:
                with _Guard(kept, given.now):
                    found.append(membership.everybody(warehouse, self.workspace, kept, given))
        return found

    def _tell(self, found: Sequence[Difference], now: int) -> None:
        """Write what changed, and take it in once it is kept."""
        stale: set[int] = set()
        for batch in _batches(found):
            parts = [part for _, part in batch]
            told = self.write(self.workspace, functools.partial(_written, parts))
            for (difference, part), entered in zip(batch, told, strict=True):
                if entered is None:  # edited or deleted meanwhile: the next round asks anew
                    stale.add(part.segment.id)
                    continue
                difference.kept.take_in(entered, part.rows)
                _count(part, entered)
        for each in found:
            if each.kept.segment.id in stale:
                each.kept.whole = True
            else:
                each.kept.succeeded(now, each.position, each.size)


class _Guard:
    """Whatever goes wrong with one segment is that segment's trouble; the others go on."""

    def __init__(self, kept: Kept, now: int) -> None:
        self.kept = kept
        self.now = now

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if error is None:
            return False
        if isinstance(error, InvalidCondition):
            self.kept.failed(error.detail, self.now)
            return True
        if isinstance(error, Problem) or not isinstance(error, Exception):
            return False
        log.error("segment failed", segment=self.kept.segment.id, exc_info=error)
        self.kept.failed(f"It could not be evaluated ({type(error).__name__})", self.now)
        return True


def _batches(found: Sequence[Difference]) -> Iterator[list[tuple[Difference, telling.Part]]]:
    """The parts of differences, as many together as one commit takes."""
    batch: list[tuple[Difference, telling.Part]] = []
    size = 0.0
    for difference in found:
        for part in telling.parts(difference):
            weight = telling.weight(part)
            if batch and size + weight > 1:
                yield batch
                batch, size = [], 0.0
            batch.append((difference, part))
            size += weight
    if batch:
        yield batch


def _written(parts: Sequence[telling.Part], change: Change) -> Told:
    return telling.tell(change, parts)


def _count(part: telling.Part, entered: Sequence[int]) -> None:
    if not part.silent:
        metrics.SEGMENTS_MOVED.labels("enter").inc(len(entered))
        metrics.SEGMENTS_MOVED.labels("exit").inc(len(part.left))
