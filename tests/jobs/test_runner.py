"""The queue: in order, visible, ended early, gone on with after a restart."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from user360.clock import StillClock
from user360.errors import Busy, Conflict, Invalid, NotFound, Unavailable
from user360.ingest.call import Call
from user360.jobs import files, runner, store
from user360.jobs.job import Job
from user360.jobs.work import Work
from user360.platform import Platform
from user360.segments import define, stored
from user360.settings import Settings
from user360.storage.ledger import Connection

SMALL = Settings()
SOON = 30.0


@pytest.fixture
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


class Gate:
    """A job's function that waits until it may go on, and asks meanwhile whether it must end."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()
        self.seen: list[Job] = []

    def __call__(self, work: Work) -> Any:
        self.seen.append(work.job)
        self.begun.set()
        while not self.open.wait(0.005):
            work.check()
        return {"resumed": work.resumed}


def ask(platform: Platform, kind: str = "gated", **params: Any) -> Job:
    return platform.jobs.ask(platform.default.id, kind, params, "test")


def test_a_job_is_done_and_tells_what_it_came_to(platform: Platform) -> None:
    def work(work: Work) -> Any:
        work.told(rows=3)
        return {"sum": sum(work.job.params["of"])}

    platform.jobs.register("sum", "in", work)
    asked = ask(platform, "sum", of=[1, 2, 3])
    assert asked.status == "queued"
    done = platform.jobs.wait(asked.id, SOON)
    assert (done.status, done.result, done.progress) == ("completed", {"sum": 6}, {"rows": 3})
    assert done.created_at < (done.started_at or 0) < (done.finished_at or 0)
    assert (done.actor, done.kind, done.params) == ("test", "sum", {"of": [1, 2, 3]})
    assert platform.jobs.find(platform.default.id, asked.id) == done


def test_how_jobs_ended_is_counted(platform: Platform) -> None:
    def counted() -> float:
        labels = {"kind": "counted", "status": "completed"}
        return REGISTRY.get_sample_value("user360_jobs_total", labels) or 0.0

    before = counted()
    platform.jobs.register("counted", "in", lambda _: {})
    platform.jobs.wait(ask(platform, "counted").id, SOON)
    assert counted() == before + 1


def test_completed_means_that_everybody_can_see_it(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "FOLLOW_SECONDS", SOON)
    where = {"property": "city", "op": "is", "values": ["Pune"]}

    def define_segment(connection: Connection) -> int:
        change = platform.change(connection, platform.default, "test")
        return define.create(change, "Of Pune", "", where).id

    segment = platform.write(define_segment)

    def work(work: Work) -> Any:
        calls = [
            Call(
                workspace=work.workspace.id,
                source="api",
                ref="job",
                at=platform.now(),
                message_id=str(n),
                user_id=f"u{n}",
                properties={"city": "Pune"},
            )
            for n in range(500)
        ]
        return {"created": len(platform.settle(calls))}

    platform.jobs.register("people", "in", work)
    platform.jobs.wait(ask(platform, "people").id, SOON)
    found = platform.projector.warehouse.query("SELECT count(*) FROM w1.records").rows
    assert found == [(500,)]
    members = stored.counts(platform.projector.warehouse, platform.default, [segment])
    assert members == {segment: 500}


def test_jobs_of_a_lane_are_done_one_after_another_and_the_lanes_do_not_wait(
    platform: Platform,
) -> None:
    first, out = Gate(), Gate()
    platform.jobs.register("gated", "in", first)
    platform.jobs.register("out", "out", out)
    jobs = [ask(platform, number=n) for n in range(3)]
    assert first.begun.wait(SOON)
    other = ask(platform, "out")
    assert out.begun.wait(SOON), "what goes out does not wait for what comes in"
    states = [platform.jobs.find(platform.default.id, job.id).status for job in jobs]
    assert states == ["running", "queued", "queued"]
    first.open.set()
    out.open.set()
    for job in (*jobs, other):
        assert platform.jobs.wait(job.id, SOON).status == "completed"
    assert [job.params["number"] for job in first.seen] == [0, 1, 2]


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (
            Invalid.at("options.mapping", "There is no column Phone"),
            {
                "code": "invalid",
                "reason": "There is no column Phone",
                "errors": [
                    {
                        "path": "options.mapping",
                        "code": "invalid",
                        "message": "There is no column Phone",
                    }
                ],
            },
        ),
        (
            KeyError("asha@example.com"),
            {
                "code": "defect",
                "reason": "The job brought out a defect (KeyError); it has been logged",
                "errors": [],
            },
        ),
    ],
)
def test_a_job_that_fails_says_why_and_the_next_one_is_done(
    platform: Platform, error: Exception, result: Any
) -> None:
    def work(_work: Work) -> Any:
        raise error

    platform.jobs.register("bad", "in", work)
    platform.jobs.register("good", "in", lambda _: {})
    bad, good = ask(platform, "bad"), ask(platform, "good")
    failed = platform.jobs.wait(bad.id, SOON)
    assert (failed.status, failed.result) == ("failed", result)
    assert failed.reason == result["reason"]
    assert platform.jobs.wait(good.id, SOON).status == "completed"


def test_what_was_told_and_not_committed_is_not_kept_of_a_failed_job(platform: Platform) -> None:
    def work(work: Work) -> Any:
        platform.write(lambda c: work.keep(c, rows=20))

        def lost(connection: Any) -> None:
            work.keep(connection, rows=40)
            raise Invalid("the disk is full")

        platform.write(lost)

    platform.jobs.register("lossy", "in", work)
    assert platform.jobs.wait(ask(platform, "lossy").id, SOON).progress == {"rows": 20}


def test_a_writer_that_is_too_busy_is_waited_for(platform: Platform) -> None:
    tried: list[bool] = []

    def work(work: Work) -> Any:
        tried.append(work.resumed)
        if len(tried) < 3:
            raise Busy
        return {}

    platform.jobs.register("patient", "in", work)
    assert platform.jobs.wait(ask(platform, "patient").id, SOON).status == "completed"
    assert tried == [False, True, True]


def test_a_job_at_work_ends_where_it_is_when_cancelled(platform: Platform) -> None:
    gate = Gate()
    platform.jobs.register("gated", "in", gate)
    job = ask(platform)
    assert gate.begun.wait(SOON)
    assert platform.jobs.cancel(job.workspace, job.id).cancel
    assert platform.jobs.wait(job.id, SOON).status == "cancelled"
    again = platform.jobs.cancel(job.workspace, job.id)
    assert again.status == "cancelled", "to say it twice is no mistake"


def test_a_queued_job_is_cancelled_at_once_and_never_begins(platform: Platform) -> None:
    gate = Gate()
    platform.jobs.register("gated", "in", gate)
    first, second = ask(platform, number=1), ask(platform, number=2)
    assert gate.begun.wait(SOON)
    assert platform.jobs.cancel(second.workspace, second.id).status == "cancelled"
    assert platform.jobs.wait(second.id, SOON).started_at is None
    gate.open.set()
    assert platform.jobs.wait(first.id, SOON).status == "completed"
    assert [job.id for job in gate.seen] == [first.id]
    with pytest.raises(Conflict, match="completed already"):
        platform.jobs.cancel(first.workspace, first.id)


def test_another_workspace_sees_nothing_of_it(platform: Platform) -> None:
    platform.jobs.register("good", "in", lambda _: {})
    other = platform.add_workspace("acme").id
    job = ask(platform, "good")
    for look in (platform.jobs.find, platform.jobs.cancel):
        with pytest.raises(NotFound):
            look(other, job.id)
    assert platform.jobs.listed(other) == []


def test_jobs_are_listed_the_newest_first_by_kind_and_page(platform: Platform) -> None:
    for kind in ("one", "two"):
        platform.jobs.register(kind, "in", lambda _: {})
    asked = [ask(platform, kind) for kind in ("one", "two", "one", "one")]
    platform.jobs.wait(asked[-1].id, SOON)
    ids = [job.id for job in asked]

    def listed(**given: Any) -> list[str]:
        return [job.id for job in platform.jobs.listed(platform.default.id, **given)]

    assert listed() == ids[::-1]
    assert listed(kinds=["one"]) == [ids[3], ids[2], ids[0]]
    assert listed(limit=2) == [ids[3], ids[2]]
    assert listed(before=asked[2].created_at) == [ids[1], ids[0]]


def test_what_is_written_beside_a_job_is_written_with_it_or_not_at_all(platform: Platform) -> None:
    def refuse(_connection: Any) -> None:
        raise Invalid("no")

    with pytest.raises(Invalid):
        platform.jobs.ask(platform.default.id, "gated", {}, "test", beside=refuse)
    assert platform.jobs.listed(platform.default.id) == []


def test_closing_does_not_wait_for_a_job_and_the_next_start_goes_on_with_it(
    tmp_path: Path,
) -> None:
    gate = Gate()
    with Platform.open(tmp_path, SMALL) as platform:
        platform.jobs.register("gated", "in", gate)
        running, queued = ask(platform), ask(platform)
        assert gate.begun.wait(SOON)
    gate.open.set()
    with Platform.open(tmp_path, SMALL) as platform:
        found = platform.jobs.find(platform.default.id, running.id)
        assert found.status == "running"
        platform.jobs.register("gated", "in", gate)
        assert platform.jobs.wait(running.id, SOON).result == {"resumed": True}
        assert platform.jobs.wait(queued.id, SOON).result == {"resumed": False}


def test_a_job_whose_end_was_not_written_is_not_done_again(tmp_path: Path) -> None:
    with Platform.open(tmp_path, SMALL) as platform:
        job = ask(platform, "once")

        def as_killed(connection: Any) -> None:
            store.begin(connection, job.id, platform.now())
            store.save_result(connection, job.id, {"rows": 5})

        platform.write(as_killed)
    calls: list[Work] = []
    with Platform.open(tmp_path, SMALL) as platform:
        platform.jobs.register("once", "in", calls.append)
        assert platform.jobs.wait(job.id, SOON).result == {"rows": 5}
    assert calls == []


def test_a_job_that_was_cancelled_before_the_process_died_ends_at_the_next_start(
    tmp_path: Path,
) -> None:
    gate = Gate()
    with Platform.open(tmp_path, SMALL) as platform:
        job = ask(platform)
        platform.write(lambda c: store.begin(c, job.id, platform.now()))
        assert platform.jobs.cancel(job.workspace, job.id).status == "running"
    with Platform.open(tmp_path, SMALL) as platform:
        platform.jobs.register("gated", "in", gate)
        assert platform.jobs.wait(job.id, SOON).status == "cancelled"
    assert gate.seen == []


def test_whoever_waits_is_told_when_the_process_ends(tmp_path: Path) -> None:
    gate, told = Gate(), []
    platform = Platform.open(tmp_path, SMALL)
    platform.jobs.register("gated", "in", gate)
    job = ask(platform)

    def wait() -> None:
        try:
            platform.jobs.wait(job.id)
        except Exception as error:  # noqa: BLE001 - the test looks at whatever it is
            told.append(type(error))

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert gate.begun.wait(SOON)
    platform.jobs.close()
    waiting.join(SOON)
    platform.close()
    assert told == [Unavailable]


def test_files_of_old_jobs_go_and_those_still_wanted_stay(
    tmp_path: Path, clock: StillClock
) -> None:
    with Platform.open(tmp_path, SMALL, clock) as platform:
        old = _with_file(platform, "good")
        clock.move(days=29)
        new = _with_file(platform, "good")
        waiting = _with_file(platform, "unknown")
        on_its_way = platform.directory / files.FILES / ("0" * 32)
        on_its_way.mkdir()
        clock.move(days=2)
        for each in (old, new, waiting):
            _age(each)
        platform.jobs.tidy()
        assert [each.exists() for each in (old, new, waiting)] == [False, True, True]
        assert on_its_way.exists()
        _age(on_its_way)
        platform.jobs.tidy()
        assert not on_its_way.exists()


def _with_file(platform: Platform, kind: str) -> Path:
    platform.jobs.register("good", "in", lambda _: {})
    job = ask(platform, kind)
    directory = files.directory(platform.directory, job.id)
    (directory / "data").write_text("rows")
    if kind == "good":
        platform.jobs.wait(job.id, SOON)
    return directory


def _age(path: Path) -> None:
    long_ago = time.time() - 2 * files.DAY
    os.utime(path, (long_ago, long_ago))


def test_a_jobs_files_are_for_their_owner_alone(platform: Platform) -> None:
    found: list[int] = []
    platform.jobs.register(
        "files", "in", lambda work: found.append(work.directory.stat().st_mode & 0o777) or {}
    )
    platform.jobs.wait(ask(platform, "files").id, SOON)
    assert found == [0o700]


def test_files_that_are_not_kept_go_with_the_end_of_their_job(platform: Platform) -> None:
    gate = Gate()
    platform.jobs.register("gated", "in", gate, keeps=False)
    running, queued = ask(platform), ask(platform)
    there = [files.directory(platform.directory, job.id) for job in (running, queued)]
    assert gate.begun.wait(SOON)
    platform.jobs.cancel(queued.workspace, queued.id)
    assert [each.exists() for each in there] == [True, False]
    gate.open.set()
    platform.jobs.wait(running.id, SOON)
    assert not there[0].exists()
