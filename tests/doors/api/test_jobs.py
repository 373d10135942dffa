"""Jobs over HTTP: listed, read, followed, ended early; each workspace sees its own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tests.doors.api.conftest import Api, faults
from tests.doors.conftest import Serving
from user360.doors.api import job_stream
from user360.jobs.job import Job
from user360.jobs.work import Work
from user360.platform import Platform

SOON = 30.0


class Gate:
    """A job's function that waits until it may go on."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self, work: Work) -> Any:
        work.told(rows=1)
        self.begun.set()
        while not self.open.wait(0.005):
            work.check()
        return {"rows": 2}


@pytest.fixture
def gated(api: Api) -> Iterator[Gate]:
    """A kind of job that waits; whatever is left of it ends with the test."""
    gate = Gate()
    api.client.app.state.platform.jobs.register("gated", "out", gate)
    yield gate
    gate.open.set()


def ask(api: Api, kind: str = "gated") -> Job:
    job: Job = api.client.app.state.platform.jobs.ask(api.workspace.id, kind, {}, "key:1")
    return job


def test_a_job_is_read_while_it_is_at_work_and_when_it_has_ended(api: Api, gated: Gate) -> None:
    job = ask(api)
    assert gated.begun.wait(SOON)
    told = api.get(f"/jobs/{job.id}").json()
    assert (told["status"], told["progress"], told["result"]) == ("running", {"rows": 1}, None)
    gated.open.set()
    api.client.app.state.platform.jobs.wait(job.id, SOON)
    told = api.get(f"/jobs/{job.id}").json()
    assert (told["status"], told["result"], told["reason"]) == ("completed", {"rows": 2}, None)
    assert told["createdAt"] <= told["startedAt"] <= told["finishedAt"]


def test_jobs_are_listed_by_kind_and_page(api: Api) -> None:
    asked = [ask(api, kind).id for kind in ("one", "two", "one")]
    first = api.get("/jobs", limit=2).json()
    assert [job["id"] for job in first["jobs"]] == [asked[2], asked[1]]
    second = api.get("/jobs", limit=2, cursor=first["cursor"]).json()
    assert ([job["id"] for job in second["jobs"]], second["cursor"]) == ([asked[0]], None)
    assert [job["kind"] for job in api.get("/jobs", kind="two").json()["jobs"]] == ["two"]
    assert faults(api.get("/jobs", cursor="yesterday")) == {"cursor": "badRequest"}


def test_a_job_is_ended_early_and_that_is_in_the_audit(api: Api, gated: Gate) -> None:
    job = ask(api)
    assert gated.begun.wait(SOON)
    assert api.post(f"/jobs/{job.id}/cancel").json()["cancelled"]
    api.client.app.state.platform.jobs.wait(job.id, SOON)
    assert api.get(f"/jobs/{job.id}").json()["status"] == "cancelled"
    line = api.get("/audit").json()["audit"][0]
    assert (line["action"], line["target"]) == ("job.cancel", f"job:{job.id}")


def test_what_has_ended_cannot_be_cancelled(api: Api, gated: Gate) -> None:
    gated.open.set()
    job = ask(api)
    api.client.app.state.platform.jobs.wait(job.id, SOON)
    assert api.post(f"/jobs/{job.id}/cancel").status_code == 409


def test_another_workspace_and_lesser_roles_are_refused(api: Api, other: Api) -> None:
    job = ask(api, "nobody's")
    for found in (other.get(f"/jobs/{job.id}"), other.post(f"/jobs/{job.id}/cancel")):
        assert found.status_code == 404
    assert other.get(f"/jobs/{job.id}/stream").status_code == 404
    assert other.get("/jobs").json()["jobs"] == []
    assert api.by("reader").get(f"/jobs/{job.id}").status_code == 200
    assert api.by("reader").post(f"/jobs/{job.id}/cancel").status_code == 403
    assert api.by("ingest").get("/jobs").status_code == 403


def test_a_job_can_be_followed_to_its_end(server: Serving) -> None:
    gate, platform = Gate(), server.product.platform
    platform.jobs.register("followed", "out", gate)
    job = platform.jobs.ask(platform.default.id, "followed", {}, "test")
    assert gate.begun.wait(SOON)
    address = f"{server.url}/api/v1/jobs/{job.id}/stream"
    seen: list[str] = []
    headers = {"x-api-key": server.product.key}
    with httpx.stream("GET", address, headers=headers, timeout=SOON) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith("data:"):
                seen.append(json.loads(line.removeprefix("data:"))["status"])
                gate.open.set()
    assert (seen[0], seen[-1]) == ("running", "completed")


def test_a_stream_ends_when_the_process_does() -> None:
    async def follow(platform: Platform, job: Job) -> list[Any]:
        events: AsyncIterator[Any] = job_stream._events(platform, job)
        found = [await anext(events)]
        asyncio.get_running_loop().call_soon(platform.jobs.hearing.close)
        return [*found, *[event async for event in events]]

    with Platform.temporary() as platform:
        job = platform.jobs.ask(platform.default.id, "nobody's", {}, "test")
        events = asyncio.run(follow(platform, job))
    assert [json.loads(event["data"])["status"] for event in events] == ["queued", "queued"]


def test_a_quiet_stream_says_that_it_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_stream, "QUIET", 0.01)

    async def follow(platform: Platform, job: Job) -> list[Any]:
        events: Any = job_stream._events(platform, job)
        found = [await anext(events), await anext(events)]
        await events.aclose()
        return found

    with Platform.temporary() as platform:
        job = platform.jobs.ask(platform.default.id, "nobody's", {}, "test")
        first, second = asyncio.run(follow(platform, job))
    assert first["event"] == "job"
    assert second["comment"] == "still there"
