"""One piece of an import, written in one transaction with all that is kept of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from user360.access.change import Change
from user360.access.workspaces import Workspace
from user360.errors import Fault, PersonErased
from user360.imports import failures, piece, singly, store, undoing
from user360.imports.failures import Failed, Wrong
from user360.imports.piece import Piece
from user360.imports.plan import USER_ID, Plan
from user360.imports.rows import Ready
from user360.imports.singly import Told
from user360.imports.undoing import Done
from user360.ingest import bulk_records
from user360.ingest.batch import Batch, Position
from user360.ingest.bulk_records import Origin, Pen
from user360.segments import statics
from user360.storage.ledger import Connection, Dialect


class Summary(msgspec.Struct, kw_only=True):
    """What an import came to, or has come to by now; every row is counted once.

    `total` is the sum of `new`, `conflicting` (the userId existed), `failed`, `empty` and
    `skipped`; `changed` are those of the conflicting that changed something, and `changes` says on
    how many records which property changed.
    """

    total: int = 0
    new: int = 0
    conflicting: int = 0
    changed: int = 0
    failed: int = 0
    empty: int = 0
    skipped: int = 0
    changes: dict[str, int] = {}

    def add(self, other: Summary) -> None:
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.changes = dict(Counter(self.changes) + Counter(other.changes))


COUNTS = ("total", "new", "conflicting", "changed", "failed", "empty", "skipped")


class Place(msgspec.Struct, frozen=True):
    """Where an import writes: whose rows, by which job, after which plan."""

    workspace: Workspace
    dialect: Dialect
    position: Position
    job: str
    plan: Plan


def write(connection: Connection, change: Change, place: Place, part: Piece) -> Summary:
    """Write a piece with its failed rows and what undoing it needs; returns what it came to."""
    pen = Pen(
        connection,
        place.dialect,
        place.workspace,
        place.position,
        part.now,
        Origin("csv", place.job),
    )
    new, moved, refused = _still_new(connection, place, part)
    made = range(0)
    if new.rows:
        made = bulk_records.create(pen, new.user_ids, new.cells, new.told, place.plan.at)
    rows = sorted([*part.singly, *moved])
    told = _singly(connection, place, part, rows)
    failed = [*part.failed, *refused, *_failed(part.ready, rows, told, place.plan)]
    failures.write(connection, place.job, part.start, sorted(failed, key=lambda f: f.line))
    members = _members(change, place.plan, [*made, *part.same, *_records(told)])
    done = Done.of(made, told, members)
    undoing.keep(connection, place.job, part.start, done)
    return _summary(part, len(made), told, len(refused))


def _still_new(
    connection: Connection, place: Place, part: Piece
) -> tuple[piece.New, list[int], list[Failed]]:
    """What is to be made, the rows that somebody made since, and those that must not be made."""
    new, ready = part.new, part.ready
    if not new.rows:
        return new, [], []
    named = [user_id for user_id in new.user_ids if user_id is not None]
    where = (connection, place.dialect, place.workspace.id)
    known = store.known(*where, named) if named else set()
    erased = place.workspace.erased.among(named)
    pairs = list(zip(new.rows, new.user_ids, strict=True))
    moved = [row for row, user_id in pairs if user_id in known]
    faults = {row: [_ERASED] for row, user_id in pairs if user_id in erased}
    for row, _ in pairs:
        if row in ready.required and row not in faults:
            faults[row] = [_lacks(name) for name in ready.required[row]]
    faults = {row: found for row, found in faults.items() if row not in moved}
    if not moved and not faults:
        return new, [], []
    refused = _told(ready, list(faults), list(faults.values()), place.plan)
    return piece.without(new, {*moved, *faults}), moved, refused


_ERASED = Fault(USER_ID, PersonErased.code, "The person of this userId was erased")


def _lacks(name: str) -> Fault:
    return Fault(name, "propertiesRequired", f"{name} is required")


def _singly(connection: Connection, place: Place, part: Piece, rows: Sequence[int]) -> list[Told]:
    if not rows:
        return []
    calls = singly.calls(
        [piece.row_of(part.ready, row) for row in rows], place.plan, place.workspace.id, place.job
    )
    batch = Batch(connection, place.dialect, place.workspace, calls, place.position, part.now)
    return singly.write(batch, place.plan)


def _failed(ready: Ready, rows: Sequence[int], told: Sequence[Told], plan: Plan) -> list[Failed]:
    pairs = [(row, list(t.faults)) for row, t in zip(rows, told, strict=True) if t.faults]
    return _told(ready, [row for row, _ in pairs], [faults for _, faults in pairs], plan)


def _told(
    ready: Ready, rows: Sequence[int], faults: Sequence[list[Fault]], plan: Plan
) -> list[Failed]:
    columns = {c.property: c.column for c in plan.columns} | {USER_ID: plan.user_id}
    return [
        Failed(
            ready.line(row),
            given,
            tuple(Wrong(columns.get(f.path), f.path or None, f.code, f.message) for f in found),
        )
        for row, given, found in zip(rows, ready.given(rows), faults, strict=True)
    ]


def _records(told: Sequence[Told]) -> list[int]:
    """The records that rows came to, but for those that were passed over."""
    return [t.record for t in told if t.status not in ("failed", "skipped")]


def _members(change: Change, plan: Plan, records: Sequence[int]) -> set[int]:
    """Put the imported records into the import's segment; those that were not in it."""
    if plan.segment is None or not records or plan.segment not in change.workspace.segments:
        return set()
    return statics.put_in(change, plan.segment, list(dict.fromkeys(records)))


def _summary(part: Piece, made: int, told: Sequence[Told], refused: int) -> Summary:
    counts = Counter(t.status for t in told)
    return Summary(
        total=part.end - part.start,
        new=made + counts["new"],
        conflicting=len(part.same) + counts["same"] + counts["changed"],
        changed=counts["changed"],
        failed=len(part.failed) + refused + counts["failed"],
        empty=part.empty,
        skipped=part.skipped + counts["skipped"],
        changes=dict(singly.changes_of(told)),
    )
