"""What takes long: how far it is, what became of it, and ending it early."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from litestar import Response
from litestar.params import FromPath, QueryParameter

from user360 import clock
from user360.doors import gate
from user360.doors.api import shapes
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Moment
from user360.errors import Problem
from user360.jobs.job import Job

ONE = {"job_id": "9f2c4e6a8b0d1c3e5f7a9b0c2d4e6f80"}
LATEST = Example(query={"limit": 2})
Status = Literal["queued", "running", "completed", "failed", "cancelled", "undone"]
Kinds = Annotated[
    list[str] | None, QueryParameter(name="kind", description="only jobs of these kinds")
]


class ShownJob(Answer):
    """A job. `progress` and `result` are as its kind means them; `reason` says why it failed.

    `cancelled` is true once somebody wants it to end early.
    """

    id: str
    kind: str
    status: Status
    actor: str
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    cancelled: bool
    progress: dict[str, Any]
    result: Any
    reason: str | None


class Jobs(Answer):
    """One page of jobs, the newest first."""

    jobs: list[ShownJob]
    cursor: str | None


def moment(us: int | None) -> str | None:
    """A time that may not have come yet, as it is answered."""
    return None if us is None else clock.to_iso(us)


def shown(job: Job) -> ShownJob:
    """A job as it is answered."""
    return ShownJob(
        id=job.id,
        kind=job.kind,
        status=job.status,
        actor=job.actor,
        created_at=clock.to_iso(job.created_at),
        started_at=moment(job.started_at),
        finished_at=moment(job.finished_at),
        cancelled=job.cancel or job.status == "cancelled",
        progress=job.progress,
        result=job.result,
        reason=job.reason or None,
    )


async def page(
    request: Asked, kinds: list[str], cursor: str | None, limit: int
) -> tuple[list[Job], str | None]:
    """One page of the caller's jobs and the cursor of the next."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    given = (workspace.id, kinds, before(cursor), limit + 1)
    found = await asyncio.to_thread(platform.jobs.listed, *given)
    following = str(found[limit - 1].created_at) if len(found) > limit else None
    return found[:limit], following


def before(cursor: str | None) -> int | None:
    """The moment a cursor stands for. Raises `Problem`."""
    if cursor is None:
        return None
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 19:
        return int(cursor)
    raise Problem.at("cursor", "cursor must be one that an earlier page answered")


async def find(request: Asked, job_id: str) -> Job:
    """A job of the caller's workspace. Raises `NotFound`."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    return await asyncio.to_thread(platform.jobs.find, workspace.id, job_id)


async def end_early(request: Asked, job: Job) -> tuple[Job, int]:
    """Cancel a job; as it is now, and the position after it. Raises `Conflict`."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    found = await asyncio.to_thread(platform.jobs.cancel, actor.workspace.id, job.id)
    _, seq = await gate.change(
        request, lambda change: change.audit("job.cancel", f"job:{job.id}", kind=job.kind)
    )
    return found, seq


@operation(
    "GET", "/jobs", "jobs.read", "List jobs", tag="jobs", example=Example(query={"limit": 2})
)
async def list_jobs(
    request: Asked, kind: Kinds = None, limit: shapes.Limit = 50, cursor: shapes.Cursor = None
) -> Response[Jobs]:
    """Imports, exports and whatever else takes long, the newest first."""
    found, following = await page(request, kind or [], cursor, limit)
    return gate.answer(Jobs(jobs=[shown(job) for job in found], cursor=following))


@operation(
    "GET",
    "/jobs/{job_id:str}",
    "jobs.read",
    "Read a job",
    tag="jobs",
    refuses=(404,),
    example=Example(path=ONE),
)
async def read(request: Asked, job_id: FromPath[str]) -> Response[ShownJob]:
    """As it is at this moment. Completed means that lists and segments show what it did."""
    return gate.answer(shown(await find(request, job_id)))


@operation(
    "POST",
    "/jobs/{job_id:str}/cancel",
    "jobs.write",
    "Cancel a job",
    tag="jobs",
    refuses=(404, 409),
    example=Example(path=ONE),
)
async def cancel(request: Asked, job_id: FromPath[str]) -> Response[ShownJob]:
    """One that waits never begins; one at work ends where it is, and what it has done stays."""
    found, seq = await end_early(request, await find(request, job_id))
    return gate.answer(shown(found), seq=seq)


ROUTES = [list_jobs, read, cancel]
