"""Imports as jobs: a real file in and in again, one after another, ended early, gone on with."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.imports import telco
from user360 import ids
from user360.imports import engine, jobs
from user360.imports.options import Options
from user360.jobs.job import Job
from user360.jobs.work import Work
from user360.platform import Platform
from user360.settings import Settings

SMALL = Settings()
SOON = 120.0


@pytest.fixture
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        jobs.register(platform)
        yield platform


def ask(platform: Platform, file: Path, **options: Any) -> Job:
    job_id = ids.new_id()
    shutil.copy(file, jobs.upload_path(platform, job_id))
    wanted = Options(**{"user_id": "userId", **options})
    return jobs.ask(platform, platform.default, "test", job_id, file.name, wanted)


def counted(platform: Platform, job: Job) -> dict[str, int]:
    """What became of the rows of an import, once it has ended well."""
    done = platform.jobs.wait(job.id, SOON)
    assert done.status == "completed", done.result
    names = ("total", "new", "conflicting", "changed", "failed", "empty", "skipped")
    return {name: done.result[name] for name in names if done.result[name]}


def users(platform: Platform) -> int:
    query = "SELECT count(*) FROM w1.records WHERE user_id IS NOT NULL"
    return int(platform.wait().query(query).rows[0][0])


def people(target: Path, count: int) -> Path:
    target.write_text("userId,city\n" + "".join(f"u{n},City {n % 7}\n" for n in range(count)))
    return target


@pytest.mark.parametrize("made_up", [False, True], ids=["as it lies there", "made up"])
def test_a_telephone_companys_customers_come_in_once(
    platform: Platform, tmp_path: Path, made_up: bool
) -> None:
    file = telco.made_up(tmp_path / "telco.csv") if made_up else telco.file(tmp_path)
    how: dict[str, Any] = {"user_id": "customerID", "create_properties": True}
    first = ask(platform, file, **how)
    assert counted(platform, first) == {"total": telco.ROWS, "new": telco.ROWS}
    assert users(platform) == telco.ROWS

    kinds = {name: p.type.value for name, p in platform.default.catalogue.by_name.items()}
    assert (kinds["TotalCharges"], kinds["tenure"]) == ("number", "number")
    number = platform.default.catalogue.by_name["TotalCharges"].id
    blank = platform.wait().query(f"SELECT count(*) FROM w1.records WHERE p{number} IS NULL")
    assert blank.rows == [(telco.BLANK,)]

    position = platform.committer.position.last
    second = ask(platform, file, default_tag=False, **how)
    assert counted(platform, second) == {"total": telco.ROWS, "conflicting": telco.ROWS}
    assert users(platform) == telco.ROWS
    assert platform.committer.position.last == position, "nothing was written to anybody"


class Held:
    """Holds an import where it is about to read its file, until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.open = threading.Event(), threading.Event()
        self.run = engine.run
        monkeypatch.setattr(engine, "run", self._run)

    def _run(self, work: Work, opened: Any, options: Options) -> Any:
        self.begun.set()
        while not self.open.wait(0.005):
            work.check()
        return self.run(work, opened, options)


def test_two_imports_queue(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    first = ask(platform, people(tmp_path / "a.csv", 10))
    second = ask(platform, people(tmp_path / "b.csv", 15))
    assert held.begun.wait(SOON)
    states = [job.status for job in platform.jobs.listed(platform.default.id)]
    assert states == ["queued", "running"]
    held.open.set()
    assert counted(platform, first) == {"total": 10, "new": 10}
    assert counted(platform, second) == {"total": 15, "new": 5, "conflicting": 10}


def test_an_import_that_is_cancelled_ends_and_its_file_goes(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    job = ask(platform, people(tmp_path / "a.csv", 10))
    assert held.begun.wait(SOON)
    platform.jobs.cancel(job.workspace, job.id)
    assert platform.jobs.wait(job.id, SOON).status == "cancelled"
    assert users(platform) == 0
    assert not (platform.directory / "files" / job.id).exists()


def test_what_a_cancelled_import_wrote_can_be_taken_back(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = engine._written

    def cancelled_after_this(work: Work, *given: Any) -> Any:
        came = written(work, *given)
        work.cancelled.set()
        return came

    monkeypatch.setattr(engine, "_written", cancelled_after_this)
    job = ask(platform, people(tmp_path / "a.csv", 30_000))
    ended = platform.jobs.wait(job.id, SOON)
    assert ended.status == "cancelled"
    came = ended.progress["new"]
    assert 0 < came < 30_000
    assert users(platform) == came
    undone = jobs.undo(platform, platform.default, "test", job.id)
    assert platform.jobs.wait(undone.id, SOON).result["removed"] == came
    assert platform.jobs.find(platform.default.id, job.id).status == "undone"
    assert users(platform) == 0


def test_an_import_goes_on_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(monkeypatch)
    file = people(tmp_path / "a.csv", 10)
    with Platform.open(tmp_path / "data", SMALL) as platform:
        jobs.register(platform)
        job = ask(platform, file)
        assert held.begun.wait(SOON)
    held.open.set()
    with Platform.open(tmp_path / "data", SMALL) as platform:
        assert platform.jobs.find(platform.default.id, job.id).status == "running"
        jobs.register(platform)
        assert counted(platform, job) == {"total": 10, "new": 10}


def test_an_import_whose_file_is_gone_says_so(platform: Platform, tmp_path: Path) -> None:
    blocking = threading.Event()
    platform.jobs.register("blocking", "in", lambda _: blocking.wait(SOON) or {})
    platform.jobs.ask(platform.default.id, "blocking", {}, "test")
    job = ask(platform, people(tmp_path / "a.csv", 10))
    jobs.upload_path(platform, job.id).unlink()
    blocking.set()
    ended = platform.jobs.wait(job.id, SOON)
    assert ended.status == "failed"
    assert ended.result["code"] == "invalid"
