"""Taking an import back whole: shown first, then done part by part, the last one first."""

from __future__ import annotations

import functools
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable

import msgspec
import pyarrow.compute as pc

from user360.access.change import Change
from user360.access.workspaces import Workspace
from user360.errors import Conflict
from user360.events import chunk, event
from user360.events import store as event_store
from user360.imports import store, takeback, undoing
from user360.imports.plan import Plan
from user360.imports.takeback import Came, Found, Source
from user360.imports.undoing import Done
from user360.ingest.batch import Batch
from user360.jobs.job import Job
from user360.jobs.work import Work
from user360.platform import Platform
from user360.segments import define, statics, usage
from user360.storage.ledger import Connection
from user360.storage.warehouse import schema_of


class UndoPlan(msgspec.Struct, rename="camel"):
    """What undoing an import does, or has done.

    `removed` records were made by the import and go; `spared` ones, counted by reason (`event`,
    `session`, `merged`, `written`), stay without what it gave. `restored` records get back what
    they held, but for `newer` values that were written since. `gone` were deleted before.
    `declared` are properties that the import declared; they stay. `segment` goes with it.
    """

    removed: int = 0
    restored: int = 0
    newer: int = 0
    gone: int = 0
    spared: dict[str, int] = {}
    declared: list[str] = msgspec.field(default_factory=list)
    segment: str | None = None

    def add(self, found: Found, came: Came) -> None:
        self.removed += len(found.going)
        self.gone += found.gone
        self.restored += came.restored
        self.newer += came.newer
        self.spared = dict(Counter(self.spared) + Counter(found.spared.values()))


def preview(platform: Platform, workspace: Workspace, job: Job) -> UndoPlan:
    """What `run` would do now; nothing is changed. Raises `Conflict` when it is undone already."""
    _refuse_twice(job)
    plan = _told(job)
    with platform.ledger.read() as connection:
        chosen = store.plan_of(connection, job.id)
        if chosen is None:
            return plan
        source = Source(job.id, chosen.at)
        made = Made(connection, job.id)
        busy = Busy(platform, workspace, made)
        busy.follow(connection)
        where = (connection, platform.ledger.dialect)
        for part in undoing.left(connection, job.id):
            done = undoing.read(connection, job.id, part)
            found = takeback.find(*where, source, done, busy.among(done.numbers))
            back = [each for each in found.back if not made.holds(each.record)]
            plan.add(found, takeback.look(*where, workspace.id, source, back))
    if chosen.made and (segment := workspace.segments.get(chosen.segment or 0)) is not None:
        plan.segment = segment.name
    return plan


def run(work: Work, job: Job) -> UndoPlan:
    """Undo the import `job`, or go on undoing it.

    Raises `Conflict` when it is undone already, and what `work.check` raises.
    """
    _refuse_twice(job)
    kept = {name: work.progress[name] for name in _KEPT if name in work.progress}
    plan = msgspec.structs.replace(_told(job), **kept)
    with work.platform.ledger.read() as connection:
        chosen = store.plan_of(connection, job.id)
        parts = undoing.left(connection, job.id)
        made = Made(connection, job.id)
    if chosen is None:
        return plan
    undo = _Undo(work, chosen, Source(job.id, chosen.at), made, plan)
    for number, part in enumerate(parts, 1):
        work.check()
        work.write(functools.partial(undo.one, part, number / len(parts)))
        plan = undo.plan
        work.step_aside()
    if chosen.made:
        work.write(undo.drop_segment)
    return undo.plan


_KEPT = ("removed", "restored", "newer", "gone", "spared")


def _refuse_twice(job: Job) -> None:
    if job.status == "undone":
        raise Conflict("The import is undone already")


def _told(job: Job) -> UndoPlan:
    return UndoPlan(declared=list(job.progress.get("declared", ())))


class _Undo:
    """Takes back one part after another, each in a transaction of its own."""

    def __init__(
        self, work: Work, chosen: Plan, source: Source, made: Made, plan: UndoPlan
    ) -> None:
        self.work, self.chosen, self.source = work, chosen, source
        self.made, self.plan = made, plan
        self.busy = Busy(work.platform, work.workspace, made)

    def one(self, part: int, share: float, connection: Connection) -> None:
        """Take one part back, and keep that it is and how far all of it is."""
        platform, workspace = self.work.platform, self.work.workspace
        dialect, job = platform.ledger.dialect, self.source.job
        self.busy.follow(connection)
        done = undoing.read(connection, job, part)
        change = platform.change(connection, workspace, self.work.job.actor)
        self._out_of_segment(change, done)
        found = takeback.find(connection, dialect, self.source, done, self.busy.among(done.numbers))
        position = platform.committer.position
        batch = Batch(connection, dialect, workspace, [], position, change.now)
        came = takeback.write(batch, self.source, found, self.work.job.id)
        came.restored -= sum(self.made.holds(root) for root in came.roots)
        undoing.forget(connection, job, part)
        plan = msgspec.structs.replace(self.plan)
        plan.add(found, came)
        told = {name: getattr(plan, name) for name in _KEPT}
        self.work.keep(connection, **told, share=round(share, 6))
        self.plan = plan

    def _out_of_segment(self, change: Change, done: Done) -> None:
        number = self.chosen.segment
        if number is not None and number in change.workspace.segments:
            statics.take_out(change, number, [*done.members, *done.numbers])

    def drop_segment(self, connection: Connection) -> None:
        """Delete the segment that the import made, unless it is used or has other members."""
        number, workspace = self.chosen.segment, self.work.workspace
        segment = None if number is None else workspace.segments.get(number)
        if segment is None or store.has_members(connection, segment.id):
            return
        if not usage.asking_about(workspace, segment.id):
            change = self.work.platform.change(connection, workspace, self.work.job.actor)
            define.delete(change, segment.id, force=False)
            self.plan.segment = segment.name


class Made:
    """The records that an import made, as far as it is not undone yet."""

    def __init__(self, connection: Connection, job: str) -> None:
        parts = undoing.left(connection, job)
        self.ranges = sorted(
            pair for part in parts for pair in undoing.read(connection, job, part).made
        )

    def holds(self, record: int) -> bool:
        place = bisect_right(self.ranges, (record, _HIGHEST)) - 1
        return place >= 0 and record <= self.ranges[place][1]


_HIGHEST = 1 << 62


class Busy:
    """The records of an import that have events of their own by now.

    The warehouse is asked once; what comes in from then on is read from the log.
    """

    def __init__(self, platform: Platform, workspace: Workspace, made: Made) -> None:
        self.workspace = workspace
        self._since: set[int] = set()
        warehouse = platform.wait()
        self._position = warehouse.position()
        if made.ranges:
            first, last = made.ranges[0][0], made.ranges[-1][1]
            names = ", ".join(f"'{name}'" for name in sorted(event.SYSTEM_NAMES))
            with warehouse.snapshot() as snapshot:
                found = snapshot.table(
                    f"SELECT DISTINCT record_id FROM {schema_of(workspace.id)}.events"
                    f" WHERE record_id BETWEEN ? AND ? AND name NOT IN ({names})"
                    " ORDER BY record_id",
                    [first, last],
                )
            self._held = array("q", found["record_id"].combine_chunks().to_pylist())
        else:
            self._held = array("q")

    def follow(self, connection: Connection) -> None:
        """Read what the log has grown by."""
        while (found := event_store.stretch(connection, self._position, _ENTRIES)).size:
            self._position = found.last
            if bodies := found.chunks.get(self.workspace.id):
                entries = chunk.unpack(bodies)
                own = entries.filter(pc.equal(entries["kind"], event.CUSTOM))
                self._since.update(own["record"].to_pylist())

    def among(self, numbers: Iterable[int]) -> set[int]:
        """Those of these records that have events of their own."""
        return {n for n in numbers if n in self._since or self._has(n)}

    def _has(self, number: int) -> bool:
        place = bisect_left(self._held, number)
        return place < len(self._held) and self._held[place] == number


_ENTRIES = 100_000
