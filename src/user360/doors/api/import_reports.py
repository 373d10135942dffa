"""What became of the rows of an import, as files to take away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from typing import Annotated, BinaryIO, Literal

import msgspec
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from user360.doors import gate
from user360.doors.api import imported
from user360.doors.api.imports import ONE, find
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Asked
from user360.imports import failures
from user360.imports import report as reports
from user360.jobs import files
from user360.jobs.job import Job
from user360.storage.ledger import Connection

PIECE = 262_144
MEDIA = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
Format = Annotated[
    Literal["csv", "xlsx", "json"], QueryParameter(name="format", description="of the report")
]
Write = Callable[[BinaryIO, Connection], None]


@operation(
    "GET",
    "/imports/{import_id:str}/report",
    "imports.read",
    "What became of an import",
    tag="imports",
    refuses=(404,),
    gives=tuple(MEDIA.values()),
    example=Example(path=ONE, query={"format": "csv"}),
)
async def report(request: Asked, import_id: FromPath[str], kind: Format = "json") -> Stream:
    """The summary (JSON and XLSX), and each failed row as it was given with all its errors."""
    job = await find(request, import_id)
    summary = msgspec.to_builtins(imported.shown(gate.platform_of(request), job))

    def write(target: BinaryIO, connection: Connection) -> None:
        failed = failures.read(connection, job.id)
        if kind == "csv":
            reports.as_csv(target, failed)
        elif kind == "xlsx":
            reports.as_xlsx(target, summary, failed)
        else:
            reports.as_json(target, summary, failed)

    return await made(request, write, f"import-{job.id}.{kind}", MEDIA[kind])


@operation(
    "GET",
    "/imports/{import_id:str}/failed",
    "imports.read",
    "The failed rows of an import",
    tag="imports",
    refuses=(404,),
    gives=(MEDIA["csv"],),
    example=Example(path=ONE),
)
async def failed(request: Asked, import_id: FromPath[str]) -> Stream:
    """As they were given, to be mended and imported again."""
    job: Job = await find(request, import_id)

    def write(target: BinaryIO, connection: Connection) -> None:
        headings = reports.headings(job.params["headers"], failures.read(connection, job.id))
        reports.to_mend(target, headings, failures.read(connection, job.id))

    return await made(request, write, f"failed-{job.id}.csv", MEDIA["csv"])


async def made(request: Asked, write: Write, name: str, media: str) -> Stream:
    """A file that is made for this answer and gone after it."""
    platform = gate.platform_of(request)
    directory = platform.directory / files.FILES

    def make() -> BinaryIO:
        directory.mkdir(exist_ok=True, mode=0o700)
        with contextlib.ExitStack() as unless_made:
            target = unless_made.enter_context(tempfile.TemporaryFile(dir=directory))
            with platform.ledger.read() as connection:
                write(target, connection)
            unless_made.pop_all()
        return target

    target = await asyncio.to_thread(make)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(target.seek(0, os.SEEK_END)),
    }
    return Stream(_pieces(target), media_type=media, headers=headers)


async def _pieces(target: BinaryIO) -> AsyncIterator[bytes]:
    with target:
        target.seek(0)
        while piece := await asyncio.to_thread(target.read, PIECE):
            yield piece


ROUTES = [report, failed]
