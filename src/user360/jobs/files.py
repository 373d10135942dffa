"""The files that belong to jobs: a directory for each, which nobody else on the machine reads."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

FILES = "files"
DAY = 86_400


def directory(data: Path, job: str) -> Path:
    """The directory of a job's files, made when it is not there."""
    found = path(data, job)
    found.mkdir(parents=True, exist_ok=True, mode=0o700)
    return found


def path(data: Path, job: str) -> Path:
    """Where a job's files are, if it has any. `job` is an id that the ledger knows."""
    return data / FILES / job


def remove(data: Path, job: str) -> None:
    """Remove a job's files."""
    shutil.rmtree(path(data, job), ignore_errors=True)


def tidy(data: Path, wanted: Callable[[set[str]], set[str]]) -> int:
    """Remove the files of all jobs that are not `wanted`; how many jobs that were.

    What belongs to no job yet may be on its way in: it is left for a day.
    """
    there = data / FILES
    found = {each.name for each in there.iterdir()} if there.exists() else set()
    gone = 0
    for name in sorted(found - wanted(found)) if found else ():
        if time.time() - (there / name).stat().st_mtime > DAY:
            remove(data, name)
            gone += 1
    return gone
