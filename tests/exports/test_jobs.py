"""An export as a job: whole under its name or not there, ended early, begun again."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.exports import world
from user360.exports import jobs as exports
from user360.exports import store
from user360.jobs import files
from user360.jobs import store as job_store
from user360.platform import Platform

ASKED = {"format": "csv", "columns": ["userId"]}
LINES = b"userId\n" + b"".join(b"user-%d\n" % n for n in range(20))


@pytest.fixture
def open_platform(tmp_path: Path) -> Iterator[Platform]:
    """A directory with twenty people, open, its exports known."""
    with Platform.open(tmp_path / "data") as platform:
        world.write(platform, platform.default, [{"userId": f"user-{n}"} for n in range(20)])
        exports.register(platform)
        yield platform


def left(platform: Platform, job: str) -> list[str]:
    """The files of a job."""
    return sorted(path.name for path in files.path(platform.directory, job).glob("*"))


def asked(platform: Platform) -> str:
    return platform.jobs.ask(platform.default.id, exports.KIND, ASKED, "test").id


def test_a_file_is_whole_under_its_name(open_platform: Platform) -> None:
    job = open_platform.jobs.wait(asked(open_platform), 60)
    assert job.status == "completed"
    assert left(open_platform, job.id) == [exports.FILE]
    path = exports.file_of(open_platform, job)
    assert path is not None
    assert path.read_bytes() == LINES
    assert job.result["rows"] == 20
    assert job.result["bytes"] == len(LINES)
    assert job.result["position"] >= job.progress["position"]


def test_what_a_killed_process_left_is_made_anew(tmp_path: Path) -> None:
    with Platform.open(tmp_path / "data") as platform:
        world.write(platform, platform.default, [{"userId": f"user-{n}"} for n in range(20)])
        job_id = asked(platform)  # nobody does exports yet
        platform.write(lambda c: job_store.begin(c, job_id, platform.now()))
        part = files.directory(platform.directory, job_id) / exports.PART
        part.write_bytes(b"userId\nhalf a na")
    with Platform.open(tmp_path / "data") as platform:
        exports.register(platform)
        job = platform.jobs.wait(job_id, 60)
        assert job.status == "completed"
        assert left(platform, job_id) == [exports.FILE]
        path = exports.file_of(platform, job)
        assert path is not None
        assert path.read_bytes() == LINES


def test_one_that_is_cancelled_leaves_nothing(
    open_platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = store.read

    def cancelling(*given: Any) -> Iterator[pa.RecordBatch]:
        (unfinished,) = open_platform.jobs.listed(open_platform.default.id)
        open_platform.jobs.cancel(open_platform.default.id, unfinished.id)
        return read(*given)

    monkeypatch.setattr(store, "read", cancelling)
    job = open_platform.jobs.wait(asked(open_platform), 60)
    assert job.status == "cancelled"
    assert left(open_platform, job.id) == []


def test_a_full_disk_fails_the_export_and_nothing_else(
    open_platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(exports, "_settled", full)
        job = open_platform.jobs.wait(asked(open_platform), 60)
    assert job.status == "failed"
    assert "No space left" in job.reason
    assert left(open_platform, job.id) == []
    again = open_platform.jobs.wait(asked(open_platform), 60)
    assert again.status == "completed"
    assert list(open_platform.directory.glob("*damaged*")) == []


def test_a_process_that_ends_leaves_the_job_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = store.read
    with Platform.open(tmp_path / "data") as platform:
        world.write(platform, platform.default, [{"userId": f"user-{n}"} for n in range(20)])

        def closing(*given: Any) -> Iterator[pa.RecordBatch]:
            for work in platform.jobs._at_work.values():
                work.stopped.set()
            return read(*given)

        with monkeypatch.context() as patched:
            patched.setattr(store, "read", closing)
            exports.register(platform)
            job_id = asked(platform)
            platform.jobs.close()
        assert left(platform, job_id) == []
    with Platform.open(tmp_path / "data") as platform:
        exports.register(platform)
        assert platform.jobs.wait(job_id, 60).status == "completed"
        assert left(platform, job_id) == [exports.FILE]
