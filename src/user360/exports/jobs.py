"""Exports as jobs: the file is made beside its name and stands there only when it is whole.

Begun again after a restart a job makes its file anew, from what is known then.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from user360 import clock
from user360.errors import StorageFailed
from user360.exports import asked as asking
from user360.exports import making
from user360.exports.asked import Asked
from user360.jobs import files
from user360.jobs.job import Job
from user360.jobs.work import Work

if TYPE_CHECKING:
    from user360.platform import Platform

log = structlog.get_logger()
KIND = "export"
FILE, PART = "export", "export.part"
DAY = 86_400


def register(platform: Platform) -> None:
    """Let a platform do exports."""
    platform.jobs.register(KIND, "out", run)


def params(asked: Asked) -> dict[str, Any]:
    """What was asked as a job keeps it."""
    found: dict[str, Any] = msgspec.to_builtins(asked)
    return found


def run(work: Work) -> dict[str, Any]:
    """Make the file of an export; what became of it."""
    tidy(work.platform)
    asked = asking.read(work.job.params)
    part = work.directory / PART
    try:
        told = _write(work, asked, part)
        work.check()
        os.replace(part, work.directory / FILE)
    except OSError as error:
        raise StorageFailed(f"The file cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return told


def _write(work: Work, asked: Asked, part: Path) -> dict[str, Any]:
    platform, workspace = work.platform, work.workspace
    last = platform.committer.position.last

    def reached(rows: int) -> None:
        work.check()
        work.told(rows=rows)

    with making.begun(platform, workspace, asked, reached, last) as made:
        work.told(rows=0, total=made.total, position=made.position)
        with part.open("wb") as file:
            for piece in made.parts:
                file.write(piece)
            file.flush()
            _settled(file.fileno())
            size = file.tell()
    return {
        "rows": made.total,
        "bytes": size,
        "position": made.position,
        "columns": [column.name for column in made.columns],
        "name": asking.file_name(asked, workspace, work.job.created_at),
    }


def _settled(descriptor: int) -> None:
    """Have what was written stand on the disk."""
    os.fsync(descriptor)


def file_of(platform: Platform, job: Job) -> Path | None:
    """The file of an export that is there for its time; None when it is not, or no more."""
    path = files.path(platform.directory, job.id) / FILE
    gone = job.status != "completed" or platform.clock.now() >= expires_at(platform, job)
    return None if gone or not path.exists() else path


def expires_at(platform: Platform, job: Job) -> int:
    """When the file of a finished export goes, in microseconds."""
    days = platform.settings.export_days
    return (job.finished_at or job.created_at) + days * DAY * clock.SECOND


def remove(platform: Platform, job: Job) -> None:
    """Remove the file of an export."""
    files.remove(platform.directory, job.id)


def tidy(platform: Platform) -> None:
    """Remove the files of exports that nobody can take away any more."""
    before = time.time() - platform.settings.export_days * DAY
    for path in (platform.directory / files.FILES).glob(f"*/{FILE}"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()
                log.info("exported file removed", job=path.parent.name)
