"""What is answered of imports: how far one is, what is in a file, what undoing would do."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from user360 import clock
from user360.doors.api import jobs
from user360.doors.api.shapes import Answer, Moment
from user360.imports import preview as looked
from user360.jobs.job import Job
from user360.platform import Platform

COUNTS = ("new", "conflicting", "failed", "empty", "skipped")


class Import(Answer):
    """An import. `total` is the sum of `new`, `conflicting` (the userId exists), `failed`, `empty`
    (nothing in the row) and `skipped`; `changed` are those of the conflicting that changed a value.

    Until it has ended these are of the `done` rows so far, of about `expected`; `timeLeft` is in
    seconds. `changes` says on how many records each property changed, or in a dry run would;
    `declared` are the properties that were made. `undo` is the job that takes the import back;
    `reason` and `errors` say why it failed.
    """

    id: str
    status: jobs.Status
    file: str
    format: str
    dry_run: bool
    total: int
    new: int
    conflicting: int
    changed: int
    failed: int
    empty: int
    skipped: int
    done: int
    expected: int | None
    rows_per_second: float
    time_left: float | None
    tags: list[str]
    segment: str | None
    segment_id: int | None
    mapping: dict[str, str]
    declared: list[str]
    changes: dict[str, int]
    options: dict[str, Any]
    undo: str | None
    cancelled: bool
    reason: str | None
    errors: list[Any]
    actor: str
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None


class Dialect(Answer):
    """How the text of a file is written; empty where that does not apply."""

    encoding: str = ""
    delimiter: str = ""
    quote: str = ""
    compression: str = ""
    newline: str = ""


class Column(Answer):
    """What a column would become, and how that was found: `used` the last time, by an `exact` or
    a `near` name, as a `new` custom property; a column that is `left` is not imported.
    """

    column: str
    property: str | None
    how: Literal["used", "exact", "near", "new", "left"]
    type: str
    samples: list[str]


class Trouble(Answer):
    """What the sender should know of a line, or of the whole file."""

    line: int | None
    code: str
    message: str


class Preview(Answer):
    """What is in a file: its first rows as texts, and each of its columns."""

    file: str
    format: str
    dialect: Dialect
    size: int
    headers: list[str]
    rows: list[list[str | None]]
    lines: list[int]
    estimated_rows: int
    columns: list[Column]
    problems: list[Trouble]


class UndoPlan(Answer):
    """What undoing an import would do.

    `removed` records were made by it and go; `spared` ones stay, counted by the reason: an `event`
    or a `session` of their own, `merged`, or `written` since. `restored` records get back what
    they held, but for `newer` values that were written since. `gone` were deleted before.
    `declared` are properties that the import made; they stay. `segment` goes with it.
    """

    removed: int
    restored: int
    newer: int
    gone: int
    spared: dict[str, int]
    declared: list[str]
    segment: str | None


def shown(platform: Platform, job: Job) -> Import:
    """An import as it is answered."""
    told = {**job.progress, **(job.result or {})}
    ended = job.finished_at or platform.clock.now()
    seconds = 0.0 if job.started_at is None else (ended - job.started_at) / clock.SECOND
    counts = {name: told.get(name, 0) for name in COUNTS}
    done = sum(counts.values())
    at = told.get("share") or 0.0
    left = seconds * (1 - at) / at if at and not job.finished else None
    return Import(
        id=job.id,
        status=job.status,
        file=job.params["file"],
        format=job.params["format"],
        dry_run=job.params["options"].get("dryRun", False),
        total=sum(counts.values()),
        **counts,
        changed=told.get("changed", 0),
        done=done,
        expected=round(done / at) if at else None,
        rows_per_second=round(done / seconds, 1) if seconds else 0.0,
        time_left=None if left is None else round(left, 1),
        tags=told.get("tags", []),
        segment=told.get("segment"),
        segment_id=_list_of(platform, job, told.get("segment")),
        mapping=told.get("mapping", {}),
        declared=told.get("declared", []),
        changes=told.get("changes", {}),
        options=job.params["options"],
        undo=job.progress.get("undo"),
        cancelled=job.cancel or job.status == "cancelled",
        reason=job.reason or None,
        errors=told.get("errors", []),
        actor=job.actor,
        created_at=clock.to_iso(job.created_at),
        started_at=jobs.moment(job.started_at),
        finished_at=jobs.moment(job.finished_at),
    )


def _list_of(platform: Platform, job: Job, name: str | None) -> int | None:
    """The number of the segment of this name, while there is one."""
    segments = platform.workspaces[job.workspace].segments.values()
    return next((segment.id for segment in segments if segment.name == name), None)


def preview(name: str, found: looked.Preview) -> Preview:
    """What is in a file, as it is answered."""
    given = msgspec.to_builtins(found)
    return msgspec.convert({**given, "file": name, "columns": given["suggestions"]}, Preview)
