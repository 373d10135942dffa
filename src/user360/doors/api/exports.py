"""Exports: people, events and what was said, as files made in the background or while sent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from user360 import clock
from user360.doors import gate, sending
from user360.doors.api import conditions, jobs, shapes
from user360.doors.api.bodies import Body
from user360.doors.api.conditions import INDIA, Condition
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Moment, Place
from user360.errors import Busy, Conflict, Gone, NotFound, Problem
from user360.exports import asked as asking
from user360.exports import jobs as exports
from user360.exports import making
from user360.exports.formats import table
from user360.jobs.job import Job

MOST_STREAMS = 4
MEDIA = (*(form.media_type for form in table.FORMATS.values()), table.GZIP)
ONE = {"export_id": "9f2c4e6a8b0d1c3e5f7a9b0c2d4e6f80"}
What = Literal["users", "events", "conversations", "messages"]
Format = Literal["csv", "jsonl", "xlsx", "parquet"]
Names = Annotated[list[str], msgspec.Meta(max_length=1_000)]


class NewExport(Body):
    """Which records, or whose events, conversations or messages, as what kind of file.

    `segment`, `where` and `text` must all hold; without any it is everybody. `columns` left out are
    userId and every property, or all of the others; of records there are `id`, `recordId`,
    `createdAt`, `updatedAt`, `profileComplete` and `segments` too. `names` choose
    events; `from` and `to` events, messages, and conversations by their beginning. `gzip` packs
    CSV and JSON lines.
    """

    what: What = "users"
    format: Format = "csv"
    gzip: bool = False
    columns: Annotated[list[str], msgspec.Meta(max_length=16_384)] | None = None
    segment: int | None = None
    where: Condition | None = None
    text: shapes.Text | None = None
    names: Names = msgspec.field(default_factory=list)
    since: str | None = msgspec.field(default=None, name="from")
    until: str | None = msgspec.field(default=None, name="to")


class File(Answer):
    """A file that can be taken away until it expires."""

    name: str
    bytes: int
    media_type: str
    expires_at: Moment


class Export(Answer):
    """An export. It shows `position` of the log; `total` is how many rows it has, or will have.

    `file` is null until it is made, and once it has expired or was deleted. `reason` and `errors`
    say why it failed.
    """

    id: str
    status: Literal["queued", "running", "completed", "failed", "cancelled", "undone"]
    what: What
    format: Format
    rows: int
    total: int | None
    rows_per_second: float | None
    seconds_left: float | None
    position: int | None
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    file: File | None
    reason: str | None
    errors: list[Place]


class Exports(Answer):
    """One page of exports, the newest first."""

    exports: list[Export]
    cursor: str | None


@operation(
    "POST",
    "/exports",
    "exports.write",
    "Export in the background",
    tag="exports",
    status=202,
    example=Example(body={"format": "csv", "columns": ["userId", "email"], "where": INDIA}),
)
async def create(request: Asked, data: JSONBody[NewExport]) -> Response[Export]:
    """A job makes the file; ask after it, then take the file away."""
    job, seq = await begin(request, await _asked(request, data))
    return gate.answer(shown(request, job), 202, seq)


async def begin(request: Asked, asked: asking.Asked) -> tuple[Job, int]:
    """Queue an export of what was checked; its job, and the position after that is noted."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)

    def ask() -> Job:
        given = (actor.workspace.id, exports.KIND, exports.params(asked), actor.ref)
        return platform.jobs.ask(*given)

    job = await asyncio.to_thread(ask)
    return job, await _noted(request, "export.create", job.id, asked)


@operation(
    "POST",
    "/exports/stream",
    "exports.write",
    "Export at once",
    tag="exports",
    writes=True,
    waits=True,
    gives=MEDIA,
    example=Example(body={"format": "jsonl", "what": "events", "names": ["Order Completed"]}),
)
async def stream(request: Asked, data: JSONBody[NewExport]) -> Stream:
    """The file is made while it is sent, no faster than it is taken.

    It shows the position in `X-User360-Seq` and has as many rows as `X-User360-Rows` says.
    """
    asked = await _asked(request, data)
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    last = max(gate.min_seq(request), platform.committer.position.last)
    free = _take_stream(request)
    opened = contextlib.ExitStack()
    opened.callback(free)

    def begin() -> making.Making:
        how = making.begun(platform, actor.workspace, asked, at_least=last)
        return opened.enter_context(how)

    try:
        made = await asyncio.to_thread(begin)
        steps = sending.Steps(_pieces(made, opened))
        await asyncio.to_thread(steps.begin)
        await _noted(request, "export.stream", asked.format, asked)
    except BaseException:
        await asyncio.to_thread(opened.close)
        raise
    name = asking.file_name(asked, actor.workspace, platform.clock.now())
    headers = {gate.SEQ: str(made.position), "X-User360-Rows": str(made.total)}
    return _file(steps, name, asking.media_type(asked), 200, headers)


def _pieces(made: making.Making, opened: contextlib.ExitStack) -> Generator[bytes, None, None]:
    with opened:
        yield from made.parts


def _take_stream(request: Asked) -> Any:
    """Take one of the places for files that are made while they are sent; how to give it back.

    Raises `Busy`.
    """
    state = request.app.state
    if state.get("streams", 0) >= MOST_STREAMS:
        raise Busy("Too many files are being sent; try again shortly, or export in the background")
    state["streams"] = state.get("streams", 0) + 1
    loop = asyncio.get_running_loop()

    def less() -> None:
        state["streams"] -= 1

    return lambda: loop.call_soon_threadsafe(less)


@operation(
    "GET",
    "/exports",
    "exports.read",
    "List exports",
    tag="exports",
    example=Example(query={"limit": 2}),
)
async def listed(
    request: Asked, limit: shapes.Limit = 50, cursor: shapes.Cursor = None
) -> Response[Exports]:
    """The newest first; those too whose file is no more."""
    found, following = await jobs.page(request, [exports.KIND], cursor, limit)
    told = [shown(request, job) for job in found]
    return gate.answer(Exports(exports=told, cursor=following))


@operation(
    "GET",
    "/exports/{export_id:str}",
    "exports.read",
    "Read an export",
    tag="exports",
    refuses=(404,),
    example=Example(path=ONE),
)
async def read(request: Asked, export_id: FromPath[str]) -> Response[Export]:
    """As it is at this moment."""
    return gate.answer(shown(request, await find(request, export_id)))


@operation(
    "GET",
    "/exports/{export_id:str}/file",
    "exports.read",
    "Take the file of an export away",
    tag="exports",
    refuses=(404, 409, 410, 416),
    gives=MEDIA,
    example=Example(path=ONE),
)
async def file(request: Asked, export_id: FromPath[str]) -> Stream:
    """Whole, or the bytes that a `Range` header asks for."""
    job = await find(request, export_id)
    path = exports.file_of(gate.platform_of(request), job)
    if path is None:
        raise _no_file(job)
    wanted = sending.span(request.headers.get("range"), path.stat().st_size)
    asked = asking.read(job.params)
    if wanted.first == 0:
        await _noted(request, "export.download", job.id, asked)
    status = 200 if wanted.whole else 206
    steps = sending.Steps(sending.of_file(path, wanted))
    headers = {**wanted.headers(), "ETag": f'"{job.id}"'}
    return _file(steps, job.result["name"], asking.media_type(asked), status, headers)


def _no_file(job: Job) -> Problem:
    if job.status == "completed":
        return Gone("The file has expired or was deleted; export again")
    if job.finished:
        return Gone(f"The export is {job.status}: there is no file")
    return Conflict("The file is still being made")


@operation(
    "DELETE",
    "/exports/{export_id:str}",
    "exports.write",
    "Delete an export's file",
    tag="exports",
    status=204,
    refuses=(404,),
    example=Example(path=ONE),
)
async def delete(request: Asked, export_id: FromPath[str]) -> Response[None]:
    """One that is not finished ends where it is."""
    return gate.answer(None, 204, await discard(request, await find(request, export_id)))


async def discard(request: Asked, job: Job) -> int:
    """End an export where it is and remove its file; the position after that is noted."""
    platform = gate.platform_of(request)
    if not job.finished:
        with contextlib.suppress(Problem):  # it may just have come to its end
            await asyncio.to_thread(platform.jobs.cancel, job.workspace, job.id)
    await asyncio.to_thread(exports.remove, platform, job)
    return await _noted(request, "export.delete", job.id, asking.read(job.params))


async def _asked(request: Asked, data: NewExport) -> asking.Asked:
    """What is asked, once nothing is wrong with it."""
    return await checked(request, asking.Asked(**msgspec.structs.asdict(data)))


async def checked(request: Asked, asked: asking.Asked) -> asking.Asked:
    """The same; whatever segment it names is used by that. Raises `Invalid`."""
    asking.check(asked, gate.actor_of(request).workspace)
    await conditions.read(request, asked.where)
    if asked.segment is not None:
        await conditions.used(request, gate.actor_of(request).workspace.segments[asked.segment])
    return asked


async def find(request: Asked, export_id: str) -> Job:
    """An export of the caller's workspace. Raises `NotFound`."""
    found = await jobs.find(request, export_id)
    if found.kind != exports.KIND:
        raise NotFound("There is no such export")
    return found


async def _noted(request: Asked, action: str, target: str, asked: asking.Asked) -> int:
    """Write a line of the audit; the position after it."""
    told = {"what": asked.what, "format": asked.format, "segment": asked.segment}
    _, seq = await gate.change(request, lambda change: change.audit(action, target, **told))
    return seq


def _file(
    steps: sending.Steps, name: str, media_type: str, status: int, headers: dict[str, str]
) -> Stream:
    told = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        **headers,
    }
    return Stream(steps, media_type=media_type, status_code=status, headers=told)


def shown(request: Asked, job: Job) -> Export:
    """An export as it is answered."""
    asked, progress = asking.read(job.params), job.progress
    result = job.result if job.status == "completed" else {}
    rows, total = progress.get("rows", 0), result.get("rows", progress.get("total"))
    rate, left = _pace(request, job, rows, total)
    return Export(
        id=job.id,
        status=job.status,
        what=asked.what,
        format=asked.format,  # type: ignore[arg-type] # one of those it was asked with
        rows=result.get("rows", rows),
        total=total,
        rows_per_second=rate,
        seconds_left=left,
        position=result.get("position", progress.get("position")),
        created_at=clock.to_iso(job.created_at),
        started_at=jobs.moment(job.started_at),
        finished_at=jobs.moment(job.finished_at),
        file=_shown_file(request, job, asked),
        reason=job.reason or None,
        errors=msgspec.convert(job.result["errors"], list[Place]) if job.reason else [],
    )


def _shown_file(request: Asked, job: Job, asked: asking.Asked) -> File | None:
    platform = gate.platform_of(request)
    if exports.file_of(platform, job) is None:
        return None
    return File(
        name=job.result["name"],
        bytes=job.result["bytes"],
        media_type=asking.media_type(asked),
        expires_at=clock.to_iso(exports.expires_at(platform, job)),
    )


def _pace(
    request: Asked, job: Job, rows: int, total: int | None
) -> tuple[float | None, float | None]:
    """Rows a second, and seconds left while it is at work."""
    if job.started_at is None or not rows:
        return None, None
    until = job.finished_at or gate.platform_of(request).clock.now()
    rate = rows / max((until - job.started_at) / clock.SECOND, 0.001)
    left = None if job.finished or total is None else round((total - rows) / rate, 1)
    return round(rate, 1), left


ROUTES = [create, stream, listed, read, file, delete]
