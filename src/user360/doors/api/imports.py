"""People in, in bulk: files that are imported, what became of each row, taking it all back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
from litestar import Response
from litestar.params import FromPath

from user360 import ids
from user360.doors import gate, upload
from user360.doors.api import imported, jobs, shapes
from user360.doors.api.imported import Import, Preview, UndoPlan
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked
from user360.doors.upload import Received
from user360.imports import jobs as imports
from user360.jobs import files
from user360.jobs.job import Job

ONE = {"import_id": "9f2c4e6a8b0d1c3e5f7a9b0c2d4e6f80"}
PEOPLE = "userId,First Name,city\nravi@example.com,Ravi,Pune\nlena@example.com,Lena,Bern\n"
FILE = {"type": "string", "contentMediaType": "application/octet-stream"}
OPTIONS = {
    "type": "string",
    "contentMediaType": "application/json",
    "default": "{}",
    "description": "see the guide to importing a file",
}


class Imports(Answer):
    """One page of imports, the newest first."""

    imports: list[Import]
    cursor: str | None


@contextlib.asynccontextmanager
async def coming_in(request: Asked, *texts: str) -> AsyncIterator[tuple[str, Received]]:
    """A file that has come in, and the id of the job it may belong to.

    Unless the block ends well, the file is removed again.
    """
    platform, job_id = gate.platform_of(request), ids.new_id()
    target = imports.upload_path(platform, job_id)
    try:
        yield job_id, await upload.receive(request, target, texts)
    except BaseException:
        files.remove(platform.directory, job_id)
        raise


@operation(
    "POST",
    "/imports",
    "imports.write",
    "Import a file",
    tag="imports",
    status=202,
    refuses=(413,),
    form={"file": FILE, "options": OPTIONS},
    example=Example(body={"file": PEOPLE, "options": '{"userId": "userId"}'}),
)
async def create(request: Asked) -> Response[Import]:
    """CSV, XLSX, JSON lines or Parquet of any size, as the part `file` of a form.

    It is done as a job: read it until its `status` is none of `queued` and `running`.
    """
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    async with coming_in(request, "options") as (job_id, form):
        wanted = imports.read_options(form.texts.get("options", b""))
        given = (platform, actor.workspace, actor.ref, job_id, form.name, wanted)
        job = await asyncio.to_thread(imports.ask, *given)
    return gate.answer(imported.shown(platform, job), 202, platform.committer.position.last)


@operation(
    "POST",
    "/imports/preview",
    "imports.write",
    "Look into a file",
    tag="imports",
    writes=False,
    refuses=(413,),
    form={"file": FILE},
    example=Example(body={"file": PEOPLE}),
)
async def preview(request: Asked) -> Response[Preview]:
    """How the file is written, its first rows, and what each column would become.

    The beginning of a file of lines is enough. Nothing of it is kept.
    """
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    async with coming_in(request) as (job_id, form):
        try:
            found = await asyncio.to_thread(imports.look, platform, workspace, job_id, form.name)
        finally:
            files.remove(platform.directory, job_id)
    return gate.answer(imported.preview(form.name, found))


@operation("GET", "/imports", "imports.read", "List imports", tag="imports", example=jobs.LATEST)
async def list_imports(
    request: Asked, limit: shapes.Limit = 50, cursor: shapes.Cursor = None
) -> Response[Imports]:
    """The newest first."""
    platform = gate.platform_of(request)
    found, following = await jobs.page(request, [imports.IMPORT], cursor, limit)
    shown = [imported.shown(platform, job) for job in found]
    return gate.answer(Imports(imports=shown, cursor=following))


async def find(request: Asked, import_id: str) -> Job:
    """An import of the caller's workspace. Raises `NotFound`."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    return await asyncio.to_thread(imports.find, platform, workspace, import_id)


@operation(
    "GET",
    "/imports/{import_id:str}",
    "imports.read",
    "Read an import",
    tag="imports",
    refuses=(404,),
    example=Example(path=ONE),
)
async def read(request: Asked, import_id: FromPath[str]) -> Response[Import]:
    """How far it is, and what became of its rows so far."""
    platform = gate.platform_of(request)
    return gate.answer(imported.shown(platform, await find(request, import_id)))


@operation(
    "POST",
    "/imports/{import_id:str}/cancel",
    "imports.write",
    "Cancel an import",
    tag="imports",
    refuses=(404, 409),
    example=Example(path=ONE),
)
async def cancel(request: Asked, import_id: FromPath[str]) -> Response[Import]:
    """It ends where it is. The rows that are in stay, and can be taken back."""
    found, seq = await jobs.end_early(request, await find(request, import_id))
    return gate.answer(imported.shown(gate.platform_of(request), found), seq=seq)


@operation(
    "GET",
    "/imports/{import_id:str}/undo",
    "imports.read",
    "What undoing an import would do",
    tag="imports",
    refuses=(404, 409),
    example=Example(path={"import_id": "done"}),
)
async def preview_undo(request: Asked, import_id: FromPath[str]) -> Response[UndoPlan]:
    """Nothing is changed by asking."""
    from user360.imports import undo as undoing

    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    job = await find(request, import_id)
    imports.refuse_undo(job)
    found = await asyncio.to_thread(undoing.preview, platform, workspace, job)
    return gate.answer(msgspec.convert(msgspec.to_builtins(found), UndoPlan))


@operation(
    "POST",
    "/imports/{import_id:str}/undo",
    "imports.write",
    "Undo an import",
    tag="imports",
    status=202,
    refuses=(404, 409),
    example=Example(path={"import_id": "done"}),
)
async def undo(request: Asked, import_id: FromPath[str]) -> Response[Import]:
    """Done as a job, `undo`; the import is `undone` when everybody can see it."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)

    await asyncio.to_thread(imports.undo, platform, actor.workspace, actor.ref, import_id)
    job = await find(request, import_id)
    return gate.answer(imported.shown(platform, job), 202, platform.committer.position.last)


ROUTES = [create, preview, list_imports, read, cancel, preview_undo, undo]
