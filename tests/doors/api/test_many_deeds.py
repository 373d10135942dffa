"""Many users deleted and tagged at once: by list, by condition, and as a job when they are many."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.doors.api.conftest import Api, faults
from user360.many import jobs

PUNE = {"property": "city", "op": "is", "values": ["Pune"]}
DEEDS: list[tuple[str, dict[str, Any]]] = [("delete", {}), ("tag", {"add": ["vip"]})]


def people(api: Api, count: int = 5) -> None:
    """So many in Pune, and one elsewhere."""
    users = [{"userId": f"u{n}", "properties": {"city": "Pune"}} for n in range(count)]
    elsewhere = {"userId": "goa", "properties": {"city": "Goa"}}
    assert api.post("/users/bulk", {"users": [*users, elsewhere]}).status_code == 200


def ended(api: Api, answer: httpx.Response) -> dict[str, Any]:
    """The job of an answer once it has ended."""
    assert answer.status_code == 202, answer.text
    api.client.app.state.platform.jobs.wait(answer.json()["id"], 30)
    job: dict[str, Any] = api.get(f"/jobs/{answer.json()['id']}").json()
    return job


def tags(api: Api, user: str) -> list[str]:
    found: list[str] = api.get(f"/users/{user}").json()["tags"]
    return found


def test_tags_by_list_tell_whom_there_was_not(api: Api) -> None:
    people(api)
    body = {"userIds": ["u0", "nobody", "u1"], "add": ["vip", " vip "], "remove": ["old"]}
    assert api.post("/users/tag", body).json() == {"tagged": 2, "missing": ["nobody"]}
    assert [tags(api, u) for u in ("u0", "u1", "u2")] == [["vip"], ["vip"], []]
    assert api.get("/users/nobody").status_code == 404


def test_tags_by_condition_are_of_all_who_match_or_of_nobody(api: Api) -> None:
    people(api)
    body = {"where": PUNE, "add": ["west"]}
    refused = api.post("/users/tag", {**body, "expect": 4})
    assert refused.status_code == 409
    assert "5 users match, 4 were expected; nobody was tagged" in refused.json()["detail"]
    answer = api.post("/users/tag", {**body, "expect": 5})
    assert answer.json() == {"tagged": 5, "missing": []}
    assert (tags(api, "u4"), tags(api, "goa")) == (["west"], [])
    line = api.get("/audit").json()["audit"][0]
    assert (line["action"], line["detail"]) == ("users.tag", {"tagged": 5})


def test_tags_that_are_none_are_refused_for_all_at_once(api: Api) -> None:
    people(api)
    for given, path in (
        ({"add": ["fine", ""]}, "add.1"),
        ({"remove": ["x" * 256]}, "remove.0"),
        ({}, "add"),
    ):
        answer = api.post("/users/tag", {"where": PUNE, "expect": 5, **given})
        assert answer.status_code == 400
        assert set(faults(answer)) == {path}


@pytest.mark.parametrize(("deed", "given"), DEEDS)
def test_whom_it_is_about_must_be_said_clearly(api: Api, deed: str, given: dict[str, Any]) -> None:
    for whom in ({}, {"where": PUNE}, {"where": PUNE, "userIds": ["a"], "expect": 1}):
        assert api.post(f"/users/{deed}", {**whom, **given}).status_code == 400


def test_very_many_are_deleted_by_a_job(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE", 4)
    people(api)
    job = ended(api, api.post("/users/delete", {"where": PUNE, "expect": 5}))
    assert (job["kind"], job["status"]) == ("users-delete", "completed")
    assert job["result"] == {"total": 5, "done": 5, "changed": 5, "left": 0}
    assert api.search() == ["goa"]
    line = api.get("/audit").json()["audit"][0]
    assert line["action"] == "users.delete"
    assert line["detail"] == {"job": job["id"], "total": 5}


def test_very_many_are_tagged_by_a_job(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE", 4)
    people(api)
    refused = api.post("/users/tag", {"where": PUNE, "expect": 6, "add": ["west"]})
    assert refused.status_code == 409
    body = {"where": PUNE, "expect": 5, "add": ["west"]}
    job = ended(api, api.by("agent").post("/users/tag", body))
    assert job["status"] == "completed"
    assert (tags(api, "u4"), tags(api, "goa")) == (["west"], [])


def test_neither_is_done_across_workspaces(
    api: Api, other: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE", 4)
    people(api)
    people(other)
    job = ended(api, api.post("/users/delete", {"where": PUNE, "expect": 5}))
    assert len(other.search()) == 6
    assert other.get(f"/jobs/{job['id']}").status_code == 404
