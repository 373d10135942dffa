"""Erasing people for good, the receipts of it, and letting somebody come again."""

from __future__ import annotations

import asyncio

from litestar import Response
from litestar.params import FromPath
from litestar.response import Stream

from user360 import ids
from user360.access.workspaces import Workspace
from user360.doors import gate, sending
from user360.doors.api import jobs as shown_jobs
from user360.doors.api import shapes
from user360.doors.api.jobs import ShownJob
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Moment
from user360.erasure import archive, erase
from user360.erasure import jobs as erasure_jobs
from user360.errors import NotFound
from user360.platform import Platform

ZIP = "application/zip"
LEAVING = {"user_id": "meera@example.com"}
ONE = {"erasure_id": "9f2c4e6a8b0d1c3e5f7a9b0c2d4e6f80"}


class Receipt(Answer):
    """What was removed from where. `purged` once no file holds a trace of the person any more.

    `removed` counts by place: records, sessions, merges, lists, conversations, messages, events,
    logEntries, and what named the person in passing (auditLines, rejections, segments, jobs,
    jobRows, cannedAnswers, flows) or may have (files).
    `backups` are the times of backups that were made before, which nobody reaches from here.
    """

    id: str
    records: list[str]
    at: Moment
    removed: dict[str, int]
    purged: bool
    purged_at: Moment | None
    backups: list[Moment]


class Receipts(Answer):
    """One page of receipts, the newest first."""

    erasures: list[Receipt]
    cursor: str | None


async def _erased(request: Asked, who: int | str) -> Response[Receipt]:
    """Erase a record, or a userId that was deleted."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    if isinstance(who, int):
        asked = asyncio.to_thread(erase.ask, platform, actor.workspace, who, actor.ref)
    else:
        asked = asyncio.to_thread(erase.ask_deleted, platform, actor.workspace, who, actor.ref)
    told, seq = await asked
    return gate.answer(told, seq=seq)


@operation(
    "POST",
    "/users/{user_id:str}/erase",
    "records.delete",
    "Erase a user",
    tag="erasure",
    refuses=(404,),
    example=Example(path=LEAVING),
)
async def erase_user(request: Asked, user_id: FromPath[str]) -> Response[Receipt]:
    """The person is gone, with all that was merged into it, and is refused if it comes again; the
    receipt tells of the rest, which a job removes from every file. Works after a deletion, too.
    """
    try:
        number = shapes.number_of_user(request, user_id)
    except NotFound:
        return await _erased(request, user_id)
    return await _erased(request, number)


@operation(
    "POST",
    "/records/{record_id:str}/erase",
    "records.delete",
    "Erase a record",
    tag="erasure",
    refuses=(404,),
    example=Example(path={"record_id": "r2"}),
)
async def erase_record(request: Asked, record_id: FromPath[str]) -> Response[Receipt]:
    """As a user is erased; for somebody who has no userId."""
    return await _erased(request, shapes.number_of(gate.actor_of(request).workspace, record_id))


@operation(
    "GET",
    "/erasures",
    "records.delete",
    "List erasures",
    tag="erasure",
    example=Example(query={"limit": 2}),
)
async def list_erasures(
    request: Asked, limit: shapes.Limit = 50, cursor: shapes.Cursor = None
) -> Response[Receipts]:
    """The receipts, the newest first."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    found, following = await shown_jobs.page(request, [erase.KIND], cursor, limit)
    told = await asyncio.to_thread(_receipts, platform, workspace, [job.id for job in found])
    return gate.answer({"erasures": told, "cursor": following})


def _receipts(platform: Platform, workspace: Workspace, jobs: list[str]) -> list[object]:
    return [erase.find(platform, workspace, job) for job in jobs]


@operation(
    "GET",
    "/erasures/{erasure_id:str}",
    "records.delete",
    "Read a receipt",
    tag="erasure",
    refuses=(404,),
    example=Example(path=ONE),
)
async def read(request: Asked, erasure_id: FromPath[str]) -> Response[Receipt]:
    """As far as the erasure is done by now."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    return gate.answer(await asyncio.to_thread(erase.find, platform, workspace, erasure_id))


@operation(
    "POST",
    "/erasures/{erasure_id:str}/allow",
    "records.delete",
    "Allow an erased person again",
    tag="erasure",
    status=204,
    writes=False,
    refuses=(404,),
    example=Example(path=ONE),
)
async def allow(request: Asked, erasure_id: FromPath[str]) -> Response[None]:
    """Whoever was erased may come again, as somebody new; what was removed stays removed."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    await asyncio.to_thread(erase.allow_erasure, platform, actor.workspace, erasure_id, actor.ref)
    return gate.answer(None, 204)


@operation(
    "DELETE",
    "/erased/{user_id:str}",
    "records.delete",
    "Allow an erased user again",
    tag="erasure",
    status=204,
    writes=False,
    refuses=(404,),
    example=Example(path={"user_id": "leaving@example.com"}),
)
async def allow_user(request: Asked, user_id: FromPath[str]) -> Response[None]:
    """The same by any userId the person had."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    await asyncio.to_thread(erase.allow, platform, actor.workspace, user_id, actor.ref)
    return gate.answer(None, 204)


@operation(
    "POST",
    "/erasures/compact",
    "workspace.write",
    "Write the files anew",
    tag="erasure",
    status=202,
    writes=False,
)
async def compact(request: Asked) -> Response[ShownJob]:
    """Remove what erasures and deletions left in the files of the ledger and the warehouse. Small
    directories do it by themselves; of large ones writers wait meanwhile, some seconds per 100 MB.
    """
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    job = await asyncio.to_thread(
        platform.jobs.ask, actor.workspace.id, erasure_jobs.COMPACTION, {}, actor.ref
    )
    return gate.answer(shown_jobs.shown(job), 202)


@operation(
    "GET",
    "/users/{user_id:str}/archive",
    "records.read",
    "Everything about a user",
    tag="erasure",
    refuses=(404,),
    gives=(ZIP,),
    example=Example(path={"user_id": "asha@example.com"}),
)
async def archive_user(request: Asked, user_id: FromPath[str]) -> Stream:
    """One ZIP file: properties with where they came from, history, events, sessions, segments,
    conversations, messages, merges, audit and imports, each as JSON and as CSV, and the files that
    were said; `files.json` says where each is, and what is wrong with one that is not whole.
    """
    return await _archive(request, shapes.number_of_user(request, user_id))


@operation(
    "GET",
    "/records/{record_id:str}/archive",
    "records.read",
    "Everything about a record",
    tag="erasure",
    refuses=(404,),
    gives=(ZIP,),
    example=Example(path={"record_id": "r2"}),
)
async def archive_record(request: Asked, record_id: FromPath[str]) -> Stream:
    """As of a user; for somebody who has no userId."""
    return await _archive(request, shapes.number_of(gate.actor_of(request).workspace, record_id))


async def _archive(request: Asked, number: int) -> Stream:
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    made = archive.pieces(platform, actor.workspace, number)
    steps = sending.Steps(made)
    await asyncio.to_thread(steps.begin)
    headers = {
        "content-disposition": f'attachment; filename="{ids.public_record_id(number)}.zip"',
        "cache-control": "private, no-store",
    }
    return Stream(steps, media_type=ZIP, headers=headers)


ROUTES = [
    archive_user,
    archive_record,
    erase_user,
    erase_record,
    list_erasures,
    compact,
    read,
    allow,
    allow_user,
]
