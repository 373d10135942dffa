"""Exports over the API: made in the background or at once, taken away, gone in time."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.doors.api.conftest import Api, faults
from tests.doors.conftest import Serving
from user360.exports import jobs as exports
from user360.jobs import files

DAY = 86_400_000_000


def made(api: Api, **asked: Any) -> dict[str, Any]:
    """An export once it has ended."""
    answer = api.post("/exports", asked)
    assert answer.status_code == 202, answer.text
    platform = api.client.app.state.platform
    platform.jobs.wait(answer.json()["id"], 60)
    told: dict[str, Any] = api.get(f"/exports/{answer.json()['id']}").json()
    return told


def taken(api: Api, export: dict[str, Any], **headers: str) -> httpx.Response:
    return api.call("GET", f"/exports/{export['id']}/file", headers=headers)


def streamed(api: Api, **asked: Any) -> httpx.Response:
    answer = api.post("/exports/stream", asked)
    assert answer.status_code == 200, answer.text
    return answer


def users(content: str) -> list[str]:
    return [row["userId"] for row in csv.DictReader(io.StringIO(content))]


@pytest.fixture
def people(api: Api) -> Api:
    api.user("asha@example.com", firstName="Asha", country="India", tags=["vip"])
    api.user("ben@example.com", firstName="Ben", country="Ghana")
    api.user("meera@example.com", firstName="Meera", country="India")
    api.event("asha@example.com", "Order Completed", amount=5)
    return api


def test_a_file_is_made_and_taken_away(people: Api) -> None:
    export = made(people, columns=["userId", "country"])
    assert export["status"] == "completed"
    assert (export["rows"], export["total"]) == (3, 3)
    assert export["position"] <= int(people.seen)
    answer = taken(people, export)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="{export["file"]["name"]}"'
    )
    assert answer.headers["content-length"] == str(export["file"]["bytes"])
    assert answer.text == (
        "userId,country\nasha@example.com,India\nben@example.com,Ghana\nmeera@example.com,India\n"
    )
    assert people.get("/exports").json()["exports"] == [export]


def test_whom_it_is_about_can_be_said_in_three_ways_together(people: Api) -> None:
    where = {"property": "country", "op": "is", "values": ["India"]}
    segment = people.post("/segments", {"name": "In India", "where": where}).json()["id"]
    both = ["asha@example.com", "meera@example.com"]
    assert users(streamed(people, where=where).text) == both
    assert users(streamed(people, segment=segment).text) == both
    assert users(streamed(people, text="meera", segment=segment).text) == both[1:]
    assert users(streamed(people, where={"not": where}, segment=segment).text) == []


def test_a_list_and_those_merged_into_its_members_are_exported(people: Api) -> None:
    listed = people.post("/segments", {"name": "Pilot", "userIds": ["ben@example.com"]}).json()
    people.post("/sessions/web/visit/capture", {"properties": {"city": "Accra"}})
    people.post("/sessions/web/visit/identify", {"userId": "ben@example.com"})
    given: dict[str, Any] = {"segment": listed["id"], "format": "jsonl"}
    told = json.loads(streamed(people, columns=["userId", "city", "segments"], **given).text)
    assert told == {"userId": "ben@example.com", "city": "Accra", "segments": ["Pilot"]}


def test_events_of_those_chosen_are_exported(people: Api) -> None:
    people.event("ben@example.com", "Order Completed", amount=7)
    where = {"property": "country", "op": "is", "values": ["Ghana"]}
    given = {"what": "events", "format": "jsonl"}
    told = streamed(people, names=["Order Completed"], where=where, **given).text
    assert [json.loads(line)["properties"] for line in told.splitlines()] == [{"amount": 7}]
    assert streamed(people, names=["Order Completed"], to="2001-01-01", **given).text == ""
    assert len(streamed(people, **{"from": "2001-01-01"}, **given).text.splitlines()) == 5


def test_a_stream_says_its_position_and_rows(people: Api) -> None:
    answer = streamed(people, format="jsonl", gzip=True)
    assert answer.headers["x-user360-rows"] == "3"
    assert int(answer.headers["x-user360-seq"]) > 0
    assert answer.headers["content-type"] == "application/gzip"
    assert len(gzip.decompress(answer.content).splitlines()) == 3


def test_a_name_is_safe_whatever_the_segment_is_called(people: Api) -> None:
    for name in ('../../etc/passwd"\r\nX-Bad: 1', "日本", "a" * 100):
        answer = people.post("/segments", {"name": name.replace("\r\n", " "), "userIds": []})
        told = streamed(people, segment=answer.json()["id"]).headers["content-disposition"]
        file = told.removeprefix('attachment; filename="').removesuffix('"')
        assert file.removesuffix(".csv").replace("_", "").replace("-", "").isalnum()
        assert file.isascii()
        assert len(file) < 200


def test_parts_of_a_file_can_be_asked_for(people: Api) -> None:
    export = made(people, columns=["userId"])
    whole = taken(people, export).content
    for given, part in (
        ("bytes=0-5", whole[:6]),
        ("bytes=7-", whole[7:]),
        ("bytes=-4", whole[-4:]),
        (f"bytes=0-{10**9}", whole),
    ):
        answer = taken(people, export, range=given)
        assert answer.content == part
        assert answer.status_code == (200 if part == whole else 206)
    answer = taken(people, export, range="bytes=3-4")
    assert answer.headers["content-range"] == f"bytes 3-4/{len(whole)}"
    assert taken(people, export, range="bytes=5-3").status_code == 416
    assert taken(people, export, range=f"bytes={len(whole)}-").status_code == 416
    assert taken(people, export, range="bytes=1-2,4-5").content == whole


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"format": "pdf"}, {"format": "invalid"}),
        ({"columns": ["userId", "nothing"]}, {"columns.1": "invalidProperty"}),
        ({"columns": ["city", "city"]}, {"columns.1": "invalid"}),
        ({"columns": []}, {"columns": "invalid"}),
        ({"segment": 999}, {"segment": "notFound"}),
        ({"format": "xlsx", "gzip": True}, {"gzip": "invalid"}),
        ({"names": ["Order"]}, {"names": "invalid"}),
        ({"what": "events", "from": "soon", "to": "later"}, {"from": "invalid", "to": "invalid"}),
        ({"what": "events", "columns": ["email"]}, {"columns.0": "invalidProperty"}),
        ({"where": {"property": "shoe", "op": "known"}}, {"where.property": "invalidProperty"}),
        (
            {"segment": 999, "columns": ["nothing"], "what": "users"},
            {"segment": "notFound", "columns.0": "invalidProperty"},
        ),
    ],
)
def test_what_cannot_be_done_is_named_by_its_place(
    api: Api, asked: dict[str, Any], found: dict[str, str]
) -> None:
    for path in ("/exports", "/exports/stream"):
        answer = api.post(path, asked)
        assert answer.status_code == 400
        assert faults(answer) == found


def test_a_segment_that_is_deleted_meanwhile_fails_the_job_with_a_reason(people: Api) -> None:
    segment = people.post("/segments", {"name": "Short lived", "userIds": []}).json()["id"]
    platform = people.client.app.state.platform
    asked = {"segment": segment, "columns": ["userId"]}
    people.delete(f"/segments/{segment}", force=True)
    job = platform.jobs.ask(people.workspace.id, exports.KIND, asked, "test")
    platform.jobs.wait(job.id, 60)
    told = people.get(f"/exports/{job.id}").json()
    assert told["status"] == "failed"
    assert told["errors"][0]["path"] == "segment"
    assert "no segment" in told["reason"]
    assert taken(people, told).status_code == 410


def test_a_cell_that_a_sheet_would_cut_off_fails_with_a_reason(people: Api) -> None:
    people.user("wide@example.com", tags=[f"{n}-{'x' * 240}" for n in range(200)])
    told = made(people, format="xlsx")
    assert told["status"] == "failed"
    assert "tags of r4 is longer" in told["reason"]
    assert told["errors"][0]["path"] == "format"
    assert made(people, format="csv")["status"] == "completed"


def test_a_file_expires(people: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    export = made(people)
    platform = people.client.app.state.platform
    ended = platform.jobs.find(people.workspace.id, export["id"]).finished_at
    assert ended is not None
    monkeypatch.setattr(platform, "clock", At(ended + 7 * DAY))
    answer = taken(people, export)
    assert answer.status_code == 410
    assert "expired" in answer.json()["detail"]
    assert people.get(f"/exports/{export['id']}").json()["file"] is None


class At:
    """A clock that stands still."""

    def __init__(self, us: int) -> None:
        self.us = us

    def now(self) -> int:
        return self.us


def test_old_files_are_removed_when_a_new_one_is_made(people: Api) -> None:
    export = made(people)
    directory = people.client.app.state.platform.directory
    path: Path = files.path(directory, export["id"]) / exports.FILE
    os.utime(path, (0, 0))
    made(people)
    assert not path.exists()
    assert taken(people, export).status_code == 410


def test_a_deleted_file_is_gone_from_the_disk(people: Api) -> None:
    export = made(people)
    directory = people.client.app.state.platform.directory
    assert people.delete(f"/exports/{export['id']}").status_code == 204
    assert not files.path(directory, export["id"]).exists()
    assert taken(people, export).status_code == 410
    assert people.get(f"/exports/{export['id']}").json()["file"] is None


def test_deleting_an_export_that_waits_ends_it(people: Api) -> None:
    """Another job holds the lane until the test lets it go."""
    platform, go = people.client.app.state.platform, threading.Event()
    platform.jobs.register("held", "out", lambda _work: go.wait(60))
    before = platform.jobs.ask(people.workspace.id, "held", {}, "test")
    try:
        waiting = people.post("/exports", {}).json()
        assert taken(people, waiting).status_code == 409
        assert people.delete(f"/exports/{waiting['id']}").status_code == 204
    finally:
        go.set()
    platform.jobs.wait(before.id, 60)
    assert people.get(f"/exports/{waiting['id']}").json()["status"] == "cancelled"


def test_another_workspace_finds_nothing(people: Api, other: Api) -> None:
    export = made(people)
    for method, path in (("GET", ""), ("GET", "/file"), ("DELETE", "")):
        assert other.call(method, f"/exports/{export['id']}{path}").status_code == 404
    assert other.get("/exports").json()["exports"] == []
    assert taken(people, export).status_code == 200


def test_only_jobs_that_are_exports_are_found(people: Api) -> None:
    platform = people.client.app.state.platform
    job = platform.jobs.ask(people.workspace.id, "example", {}, "test")
    assert people.get(f"/exports/{job.id}").status_code == 404
    assert people.get(f"/exports/{job.id}/file").status_code == 404


def test_every_export_leaves_a_line_in_the_audit(people: Api) -> None:
    export = made(people, format="jsonl")
    taken(people, export)
    streamed(people)
    people.delete(f"/exports/{export['id']}")
    lines = people.get("/audit").json()["audit"][:4]
    assert [line["action"] for line in lines] == [
        "export.delete",
        "export.stream",
        "export.download",
        "export.create",
    ]


def test_whoever_goes_away_is_not_waited_for(server: Serving) -> None:
    """The stream's place and its view of the warehouse are given back."""
    headers = {"x-api-key": server.product.key}
    texts = dict.fromkeys(("city", "country", "firstName", "lastName", "gender"), "x" * 250)
    rows = [{"userId": f"many-{n}", "properties": texts} for n in range(5_000)]
    with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=60) as client:
        assert client.post("/users/bulk", json={"users": rows}).status_code == 200
        for _ in range(6):  # more often than there are places
            begun = begin(client)
            next(begun.iter_raw(1_000))
            begun.close()
        whole = begin(client, columns=["userId"])
        assert len(whole.read().splitlines()) == int(whole.headers["x-user360-rows"]) >= 5_000


def begin(client: httpx.Client, **asked: Any) -> httpx.Response:
    """A stream that has begun; while all places are taken it is asked for again."""
    for _ in range(600):
        request = client.build_request("POST", "/exports/stream", json={"format": "jsonl", **asked})
        answer = client.send(request, stream=True)
        if answer.status_code != 429:
            assert answer.status_code == 200
            return answer
        answer.close()
        time.sleep(0.1)
    raise TimeoutError("no place was given back")
