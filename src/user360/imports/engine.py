"""The import of one file: planned, read and checked by column, written piece by piece.

Each piece is one short transaction that also keeps how far the import has come, what failed and
what undoing needs. So every row is written once, whatever dies in between.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import msgspec

from user360.access.change import Change
from user360.access.workspaces import Workspace
from user360.errors import Conflict, Fault, Invalid, InvalidProperty, Problem
from user360.imports import apply, failures, piece, plan, sorting, store, suggest, trial
from user360.imports.apply import Place, Summary
from user360.imports.files import Opened
from user360.imports.options import Options
from user360.imports.piece import Piece
from user360.imports.plan import Plan
from user360.imports.rows import Ready, make_ready
from user360.jobs.work import Work
from user360.records import declare
from user360.records.properties import Property
from user360.segments import define
from user360.segments.store import STATIC
from user360.storage.ledger import Connection

# The rows of a batch; of a file of many columns the reader gives fewer.
ROWS = 10_000


class Result(Summary, kw_only=True, rename="camel"):
    """What an import came to, with the tags it gave and the segment it filled."""

    tags: list[str] = msgspec.field(default_factory=list)
    segment: str | None = None
    declared: list[str] = msgspec.field(default_factory=list)
    dry_run: bool = False


def run(work: Work, opened: Opened, options: Options) -> Result:
    """Import a file, or go on with an import that was interrupted.

    Raises `Invalid` naming every option that does not go with the file, and what `work.check`
    raises when the job is to end; what was written until then stands.
    """
    with work.platform.ledger.read() as connection:
        begun = store.plan_of(connection, work.job.id)
    chosen = _begun(work, opened, options) if begun is None else begun
    place = _place(work, work.workspace, chosen)
    done = _so_far(work, options, chosen)
    before = float(work.progress.get("share", 0))
    for ready, share in _batches(work, opened, chosen, _rows_done(work)):
        with work.platform.ledger.read() as connection:
            found = sorting.sort(connection, place.dialect, place.workspace.id, ready, chosen)
        extents = list(piece.extents(ready, found.ways))
        for number, extent in enumerate(extents, 1):
            work.check()
            now = work.platform.now()
            part = piece.cut(ready, found, chosen, work.job.id, extent, now)
            at = before + (share - before) * number / len(extents)
            done.add(_written(work, place, part, done, at))
            work.step_aside()
        before = share
    return done


def dry_run(work: Work, opened: Opened, options: Options) -> Result:
    """What `run` would come to; nothing is written but which rows would fail."""
    chosen = _planned(work, opened, options, work.platform.now())
    done = _told(Result(dry_run=True), options, chosen)
    with trial.opened(work, chosen) as attempt:
        for part, (ready, share) in enumerate(_batches(work, opened, chosen, 0)):
            work.check()
            done.add(attempt.of(ready))
            if failed := [each for _, each in ready.failed]:
                keep = functools.partial(failures.write, job=work.job.id, part=part, failed=failed)
                work.write(keep)
            work.told(**_progress(done, done.total, share))
    return done


def _begun(work: Work, opened: Opened, options: Options) -> Plan:
    """Plan, declare what is wanted and make the segment; kept, so that it is done once."""
    chosen = _planned(work, opened, options, work.platform.now())

    def begin(connection: Connection) -> Plan:
        change = work.platform.change(connection, work.workspace, work.job.actor)
        made = _declared(change, chosen)
        segment, is_new = _segment(change, options.segment)
        begun = msgspec.structs.replace(
            plan.declared(chosen, made), segment=segment, made=is_new, at=change.now
        )
        store.keep_plan(connection, work.job.id, begun)
        work.keep(connection, mapping=begun.mapping, declared=[p.name for p in made])
        return begun

    return work.write(begin)


def _planned(work: Work, opened: Opened, options: Options, at: int) -> Plan:
    workspace = work.workspace
    with work.platform.ledger.read() as connection:
        used = store.remembered(connection, workspace.id)
    found = suggest.suggest(opened, workspace.catalogue, used)
    return plan.make(options, opened.headers, found, workspace.catalogue, at, workspace.zone)


def _declared(change: Change, chosen: Plan) -> list[Property]:
    made, faults = [], []
    for column in chosen.wanted:
        try:
            made.append(declare.declare(change, column.property, column.type))
        except Problem as problem:
            path = f"mapping.{column.column}"
            faults.append(Fault(path, InvalidProperty.code, problem.detail))
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    return made


def _segment(change: Change, name: str | None) -> tuple[int | None, bool]:
    """The static segment of this name, and whether it was made now."""
    if name is None:
        return None, False
    for segment in change.workspace.segments.values():
        if segment.name == name:
            if segment.kind != STATIC:
                message = "a segment of this name has a condition; choose another name"
                raise Conflict(message, faults=[Fault("segment", "conflict", message)])
            return segment.id, False
    return define.create(change, name, "", None).id, True


def _place(work: Work, workspace: Workspace, chosen: Plan) -> Place:
    platform = work.platform
    dialect, position = platform.ledger.dialect, platform.committer.position
    return Place(workspace, dialect, position, work.job.id, chosen)


def _rows_done(work: Work) -> int:
    return int(work.progress.get("rows", 0))


def _so_far(work: Work, options: Options, chosen: Plan) -> Result:
    """What an import has come to: after an interruption, what was kept."""
    names = (*apply.COUNTS, "changes")
    kept = {name: work.progress[name] for name in names if name in work.progress}
    done = Result(**kept, declared=list(work.progress.get("declared", ())))
    return _told(done, options, chosen)


def _told(done: Result, options: Options, chosen: Plan) -> Result:
    done.tags, done.segment = list(chosen.all_tags), options.segment
    return done


def _batches(work: Work, opened: Opened, chosen: Plan, skip: int) -> Iterator[tuple[Ready, float]]:
    """The rows of the file beyond the first `skip`, made ready, each with the share read by now."""
    for batch in opened.batches(ROWS, skip):
        work.check()
        workspace = work.workspace
        required = [p.name for p in workspace.catalogue.custom if p.required]
        yield make_ready(batch, chosen, required, workspace.zone), batch.at


def _written(work: Work, place: Place, part: Piece, done: Result, share: float) -> Summary:
    """Write one piece and with it how far the import is then."""

    def job(connection: Connection) -> Summary:
        change = work.platform.change(connection, place.workspace, work.job.actor)
        came = apply.write(connection, change, place, part)
        whole = msgspec.structs.replace(done)
        whole.add(came)
        work.keep(connection, **_progress(whole, part.end, share))
        return came

    came: Summary = work.write(job)
    return came


def _progress(done: Result, rows: int, share: float) -> dict[str, Any]:
    counts = {name: getattr(done, name) for name in apply.COUNTS}
    told = {"changes": done.changes, "tags": done.tags, "segment": done.segment}
    return {**counts, **told, "rows": rows, "share": round(share, 6)}
