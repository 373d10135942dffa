"""A job that the process dies of is not tried for ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.jobs.test_runner import SMALL, SOON, Gate, ask
from user360.jobs import store
from user360.jobs.job import Job
from user360.platform import Platform
from user360.storage.ledger import Connection


def died(platform: Platform, job: Job, **progress: Any) -> None:
    """Leave the ledger as a process does that died with a job in its hands."""

    def write(connection: Connection) -> None:
        store.begin(connection, job.id, platform.now())
        if progress:
            store.save_progress(connection, job.id, progress)

    platform.write(write)


def test_a_job_the_process_dies_of_is_tried_three_times_and_no_more(tmp_path: Path) -> None:
    calls: list[bool] = []
    with Platform.open(tmp_path, SMALL) as platform:
        job = ask(platform, "deadly")
        died(platform, job, rows=7)
    for _ in range(2):
        with Platform.open(tmp_path, SMALL) as platform:
            died(platform, job)
    with Platform.open(tmp_path, SMALL) as platform:
        after = ask(platform, "harmless")
        platform.jobs.register("deadly", "in", lambda _: calls.append(True) or {})
        platform.jobs.register("harmless", "in", lambda _: {})
        found = platform.jobs.wait(job.id, SOON)
        assert (found.status, found.progress) == ("failed", {"rows": 7})
        assert "died 3 times in a row" in found.reason
        assert platform.jobs.wait(after.id, SOON).status == "completed"
    assert calls == []


def test_a_job_that_gets_on_between_deaths_is_gone_on_with(tmp_path: Path) -> None:
    with Platform.open(tmp_path, SMALL) as platform:
        job = ask(platform, "long")
    for rows in range(6):
        with Platform.open(tmp_path, SMALL) as platform:
            died(platform, job, rows=rows)
    with Platform.open(tmp_path, SMALL) as platform:
        platform.jobs.register("long", "in", lambda _: {})
        assert platform.jobs.wait(job.id, SOON).status == "completed"


def test_a_process_that_ends_in_good_order_did_not_die_of_its_job(tmp_path: Path) -> None:
    for _ in range(4):
        gate = Gate()
        with Platform.open(tmp_path, SMALL) as platform:
            platform.jobs.register("gated", "in", gate)
            found = platform.jobs.listed(platform.default.id)
            job = found[0] if found else ask(platform)
            assert gate.begun.wait(SOON)
    with Platform.open(tmp_path, SMALL) as platform:
        assert platform.jobs.find(platform.default.id, job.id).deaths == 0
        gate.open.set()
        platform.jobs.register("gated", "in", gate)
        assert platform.jobs.wait(job.id, SOON).status == "completed"
