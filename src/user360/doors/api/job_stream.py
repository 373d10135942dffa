"""Following a job: each time it comes on, it is sent once more, until it has ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar.params import FromPath
from litestar.response import ServerSentEvent

from user360.doors import gate, staying
from user360.doors.api import jobs
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Asked
from user360.jobs.job import Job
from user360.platform import Platform

# Seconds: at most so often it is sent, and after so long a line that says nothing keeps the
# connection open.
EVERY, QUIET = 0.25, 15.0


@operation(
    "GET",
    "/jobs/{job_id:str}/stream",
    "jobs.read",
    "Follow a job",
    tag="jobs",
    refuses=(404,),
    gives=("text/event-stream",),
    example=Example(path={"job_id": "done"}),
)
async def stream(request: Asked, job_id: FromPath[str]) -> ServerSentEvent:
    """Server-sent events named `job`, each with the job as `GET /jobs/{id}` answers it.

    The stream ends with the job, or with the process; a client that asks again goes on.
    """
    job = await jobs.find(request, job_id)
    staying.mark_stream(request)
    return ServerSentEvent(_events(gate.platform_of(request), job))


async def _events(platform: Platform, job: Job) -> AsyncIterator[dict[str, Any]]:
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    hearing = platform.jobs.hearing

    def heard(which: str) -> None:
        if which in (job.id, ""):
            with contextlib.suppress(RuntimeError):  # the loop is closed already
                loop.call_soon_threadsafe(changed.set)

    end = hearing.listen(heard)
    try:
        while True:
            changed.clear()
            job = await asyncio.to_thread(platform.jobs.find, job.workspace, job.id)
            yield {"event": "job", "data": msgspec.json.encode(jobs.shown(job)).decode()}
            if job.finished or hearing.closed:
                return
            while not await _set_within(changed, QUIET):
                yield {"comment": "still there", "data": None}
            await asyncio.sleep(EVERY)
    finally:
        end()


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


ROUTES = [stream]
