"""Customers from the command line."""

from __future__ import annotations

import httpx
import pytest

from tests.cli.conftest import Run
from user360.cli import api as places
from user360.jobs.job import Cancelled
from user360.jobs.work import Work
from user360.many import jobs as many

PUNE = '{"property": "city", "op": "is", "values": ["Pune"]}'


def test_a_customer_is_made_shown_changed_and_deleted(at: Run) -> None:
    made = at("user", "set", "asha", "city= Pune ", "emailOptin=TRUE", "tags=vip; press;vip")
    assert made.code == 0
    asha = at("user", "get", "asha", "--json").json
    assert asha["properties"] == {"city": "Pune", "emailOptin": True, "tags": ["vip", "press"]}
    shown = at("user", "get", asha["id"], "--record").out
    assert "vip; press" in shown

    at("user", "set", "asha", "city=", "lastName==")
    assert at("user", "get", "asha", "--json").json["properties"] == {
        "emailOptin": True,
        "lastName": "=",
        "tags": ["vip", "press"],
    }
    assert at("user", "delete", "asha", "nobody", "--yes").out == "Deleted 1; there is no nobody\n"
    gone = at("user", "get", "asha")
    assert gone.code == 2
    assert gone.out == ""
    assert gone.err.startswith("Error: There is no")


def test_a_name_may_hold_any_character(at: Run) -> None:
    name = "a/b c?d#é%2F"
    assert at("user", "set", name, "city=Pune").code == 0
    assert at("user", "get", name, "--json").json["userId"] == name


def test_every_value_that_does_not_fit_is_named(at: Run) -> None:
    said = at("user", "set", "asha", "dob=soon", "email=nowhere", "shoeSize=42")
    assert said.code == 2
    for place in ("properties.dob", "properties.email", "properties.shoeSize"):
        assert place in said.err
    assert "is not NAME=VALUE" in at("user", "set", "asha", "Pune").err


def test_the_timeline_is_filtered_and_paged(at: Run) -> None:
    for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
        at("event", "send", "Purchase", "--user", "asha", "--at", day, "--id", day)
    found = at("user", "events", "asha", "--name", "Purchase", "--from", "2026-01-02", "--json")
    assert [event["id"] for event in found.json["events"]] == ["2026-01-03", "2026-01-02"]
    newest = at("user", "events", "asha", "--name", "Purchase", "--limit", "1")
    assert "2026-01-03T00:00:00.000Z" in newest.out
    assert "2026-01-02" not in newest.out


def test_a_merge_is_undone_after_showing_what_comes_back(at: Run) -> None:
    at("user", "set", "asha", "city=Pune")
    at("event", "send", "Visit", "--session", "web/s1")
    merged = at("user", "merge", "asha", "r2", "--json").json
    assert merged["record"]["userId"] == "asha"
    number = merged["mergeId"]
    assert number in at("user", "merges", "asha").out
    assert at("user", "get", "r2", "--record", "--json").json["userId"] == "asha"

    would = at("user", "undo", number, "--dry-run")
    assert would.out.startswith("r2 would be a record of its own again, with ")
    assert "events and 1 sessions" in would.out
    refused = at("user", "undo", number, said="n\n")
    assert refused.code == 2
    assert "r2 is" not in refused.out
    assert "Nothing was done" in refused.err
    assert "Undo the merge?" in refused.err
    agreed = at("user", "undo", number, said="y\n")
    assert "r2 is a record of its own again" in agreed.out
    assert at("user", "get", "r2", "--record", "--json").json["userId"] is None


def test_a_visitor_is_given_a_user_id_or_merged_into_whoever_has_it(at: Run) -> None:
    for session in ("web/1", "web/2"):
        at("event", "send", "Viewed", "--session", session)
    assert at("user", "identify", "r1", "asha").out == "r1 is asha\n"
    merged = at("user", "identify", "r2", "asha")
    assert merged.out.startswith("Merged r2 into asha; `user360 user undo ")
    assert at("user", "get", "r2", "--record", "--json").json["id"] == "r1"


def test_all_that_a_condition_is_true_of_are_deleted_after_asking(at: Run) -> None:
    for name, city in (("asha", "Pune"), ("ravi", "Pune"), ("meera", "Delhi")):
        at("user", "set", name, f"city={city}")
    alone = at("user", "delete", "--where", PUNE)
    assert alone.code == 2
    assert "Delete 2 customers with all their events?" in alone.err
    assert "--yes" in alone.err
    assert at("user", "delete", "--where", PUNE, said="y\n").out.endswith("Deleted 2\n")
    assert at("user", "get", "meera").code == 0
    assert at("user", "get", "ravi").code == 2


@pytest.mark.parametrize("at_once", [10, 1])
def test_all_that_a_condition_is_true_of_are_tagged_or_deleted_by_a_job_too(
    at: Run, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(many, "AT_ONCE", at_once)
    for name, city in (("asha", "Pune"), ("ravi", "Pune"), ("meera", "Delhi")):
        at("user", "set", name, f"city={city}")
    tagged = at("user", "tag", "--where", PUNE, "--add", "west", "--add", "vip", "--yes")
    assert (tagged.code, tagged.out) == (0, "Tagged 2\n")
    assert at("user", "get", "ravi", "--json").json["tags"] == ["west", "vip"]
    some = at("user", "tag", "ravi", "nobody", "--remove", "vip")
    assert some.out == "Tagged 1; there is no nobody\n"
    deleted = at("user", "delete", "--where", PUNE, "--yes", "--json").json
    assert (deleted["deleted"], deleted["missing"]) == (2, [])
    assert at("user", "get", "ravi").code == 2
    assert at("user", "get", "meera", "--json").json["tags"] == []


def test_a_job_that_was_ended_says_how_far_it_got(at: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(work: Work) -> None:
        work.told(total=2, done=1, changed=1, left=0)
        raise Cancelled

    monkeypatch.setattr(many, "AT_ONCE", 1)
    monkeypatch.setattr(many, "run", ended)
    for name in ("asha", "ravi"):
        at("user", "set", name, "city=Pune")
    said = at("user", "delete", "--where", PUNE, "--yes")
    assert said.code == 2
    assert "Deleted 1, then it was cancelled" in said.err


def test_whom_to_delete_must_be_said(at: Run) -> None:
    said = at("user", "delete", "--yes")
    assert said.code == 2
    assert "Give userIds, or --where" in said.err


def test_an_answer_that_is_no_answer_of_ours_is_named() -> None:
    def page(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, text="<h1>Not here</h1>")

    with pytest.raises(places.Refused, match="answered 404; is it a User 360"):
        places.Api(page, "http://127.0.0.1:1", "key").get("users", "asha")
