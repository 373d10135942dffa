"""Many people deleted and tagged by a job: all that were chosen and nobody else, whatever dies."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.people import call, settle, write
from user360.errors import StorageFailed
from user360.identity import people as identity_people
from user360.identity import store as identity_store
from user360.ingest.call import Call, Outcome, Verb
from user360.jobs import files
from user360.jobs import store as job_store
from user360.jobs.job import Job
from user360.jobs.work import Work
from user360.many import jobs
from user360.many.jobs import Deed
from user360.platform import Platform

SOON = 30.0
UI = Deed("ui")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "PIECE", 10)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with Platform.open(tmp_path) as platform:
        yield platform


def people(platform: Platform, count: int = 35) -> list[int]:
    calls = [call(platform, f"u{n:02}", properties={"tags": ["old"]}) for n in range(count)]
    return [outcome.record or 0 for outcome in settle(platform, *calls)]


def ask(platform: Platform, kind: str, numbers: Sequence[int], deed: Deed = UI) -> Job:
    return jobs.ask(platform, platform.default, "member:1", kind, numbers, deed)


def done(platform: Platform, job: Job) -> tuple[str, Any]:
    found = platform.jobs.wait(job.id, SOON)
    return found.status, found.result


def told(changed: int, left: int = 0) -> dict[str, int]:
    total = changed + left
    return {"total": total, "done": total, "changed": changed, "left": left}


def living(platform: Platform) -> list[int]:
    with platform.ledger.read() as connection:
        return identity_store.living(connection, platform.default.id, 0, 1_000)


def tags(platform: Platform, numbers: Sequence[int]) -> list[list[str]]:
    with platform.ledger.read() as connection:
        given = (connection, platform.ledger.dialect, platform.default)
        return [each["tags"] for each in identity_people.many(*given, numbers)]


def test_all_who_were_chosen_are_deleted_and_nobody_else(platform: Platform) -> None:
    jobs.register(platform)
    *chosen, spared = people(platform)
    job = ask(platform, jobs.DELETE, chosen)
    assert done(platform, job) == ("completed", told(34))
    assert living(platform) == [spared]
    assert not files.path(platform.directory, job.id).exists()
    query = "SELECT DISTINCT source FROM w1.events WHERE name = 'USER_DELETE'"
    assert platform.wait().query(query).rows == [("ui",)]


def test_tags_come_and_go_beside_what_was_written_meanwhile(platform: Platform) -> None:
    chosen = people(platform, 12)
    job = ask(platform, jobs.TAG, chosen, Deed("api", ["vip"], ["old"]))
    write(platform, "u00", properties={"tags": ["old", "late"]})
    jobs.register(platform)
    assert done(platform, job) == ("completed", told(12))
    assert tags(platform, chosen) == [["late", "vip"], *[["vip"]] * 11]


def test_who_is_gone_or_lives_on_in_somebody_else_is_left_alone(platform: Platform) -> None:
    *chosen, survivor = people(platform, 4)
    visitor = write(platform, None, record=None, complete=True, properties={"city": "Pune"})
    job = ask(platform, jobs.DELETE, [*chosen, visitor])
    gone = call(platform, None, verb=Verb.DELETE, record=chosen[0])
    merged = call(platform, "u03", verb=Verb.MERGE, other=visitor, if_missing="refuse")
    settle(platform, gone, merged)
    jobs.register(platform)
    assert done(platform, job) == ("completed", told(2, left=2))
    assert living(platform) == [survivor]


def test_it_ends_where_it_is_when_it_is_cancelled(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    settle_calls = Work.settle

    def slowly(work: Work, calls: Sequence[Call]) -> list[Outcome]:
        if work.progress:
            begun.set()
            go_on.wait(SOON)
        return settle_calls(work, calls)

    monkeypatch.setattr(Work, "settle", slowly)
    jobs.register(platform)
    job = ask(platform, jobs.DELETE, people(platform))
    assert begun.wait(SOON)
    platform.jobs.cancel(job.workspace, job.id)
    go_on.set()
    ended = platform.jobs.wait(job.id, SOON)
    assert (ended.status, ended.progress["changed"]) == ("cancelled", 20)
    assert len(living(platform)) == 15


def test_after_a_death_it_goes_on_and_counts_everybody_once(tmp_path: Path) -> None:
    with Platform.open(tmp_path) as platform:
        chosen = people(platform)
        job = ask(platform, jobs.DELETE, chosen)
        # As it is when the process dies between a piece and what is kept of it.
        gone = [call(platform, None, verb=Verb.DELETE, record=number) for number in chosen[:20]]
        settle(platform, *gone)

        def as_killed(connection: Any) -> None:
            job_store.begin(connection, job.id, platform.now())
            kept = {"total": 35, "done": 10, "changed": 10, "left": 0}
            job_store.save_progress(connection, job.id, kept)

        platform.write(as_killed)
    with Platform.open(tmp_path) as platform:
        jobs.register(platform)
        assert done(platform, job) == ("completed", told(35))
        assert living(platform) == []


def test_whom_it_is_about_must_be_there(platform: Platform) -> None:
    job = ask(platform, jobs.DELETE, people(platform, 3))
    files.remove(platform.directory, job.id)
    jobs.register(platform)
    found = platform.jobs.wait(job.id, SOON)
    assert (found.status, found.result["code"]) == ("failed", StorageFailed.code)
    assert len(living(platform)) == 3


def test_without_room_for_whom_it_is_about_there_is_no_job(platform: Platform) -> None:
    (platform.directory / files.FILES).write_text("in the way")
    with pytest.raises(StorageFailed, match="cannot be written"):
        ask(platform, jobs.DELETE, [1])
    assert platform.jobs.listed(platform.default.id) == []
