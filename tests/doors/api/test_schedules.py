"""Schedules over HTTP: made, shown without secrets, changed, run, ended."""

from __future__ import annotations

from typing import Any

import asyncssh
import pytest

from tests.doors.api.conftest import Api, faults

BODY: dict[str, Any] = {
    "name": "Nightly",
    "place": {"kind": "folder", "path": "crm"},
    "calendar": {"repeat": "daily", "time": "02:30"},
}


def made(api: Api, **given: Any) -> dict[str, Any]:
    answer = api.post("/imports/schedules", {**BODY, **given})
    assert answer.status_code == 201, answer.text
    schedule: dict[str, Any] = answer.json()
    return schedule


def test_a_schedule_is_made_shown_changed_and_ended(api: Api) -> None:
    schedule = made(api, options={"userId": "Mail"})
    assert schedule["place"] == {"kind": "folder", "path": "crm", "pattern": "userdata_*.csv"}
    assert schedule["nextAt"].endswith("02:30:00.000Z")
    path = f"/imports/schedules/{schedule['id']}"
    assert api.get(path).json() == schedule
    assert api.get("/imports/schedules").json()["schedules"] == [schedule]
    paused = api.put(path, {**BODY, "active": False}).json()
    assert (paused["active"], paused["nextAt"], paused["options"]) == (False, None, {})
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    assert api.get("/imports/schedules").json()["schedules"] == []


def test_secrets_are_never_shown_again(api: Api) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    place = {
        "kind": "sftp",
        "host": "files.example.com",
        "user": "u360",
        "hostKey": key.export_public_key().decode(),
        "password": "hush",
    }
    schedule = made(api, place=place)
    assert schedule["secrets"] == ["password"]
    bucket = {"kind": "s3", "bucket": "people", "accessKey": "AK", "secretKey": "hush"}
    assert made(api, name="b", place=bucket)["place"]["accessKey"] == "AK"
    shown = place | {"port": 22, "path": ".", "pattern": "userdata_*.csv"}
    shown.pop("password")
    assert schedule["place"] == shown
    changed = api.put(f"/imports/schedules/{schedule['id']}", {**BODY, "place": shown})
    assert changed.json()["secrets"] == ["password"]
    everything = api.get("/imports/schedules").text + api.get("/audit").text
    assert "hush" not in everything


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"name": " "}, ["name"]),
        ({"place": {"kind": "ftp"}}, ["place.kind"]),
        ({"place": {"path": "x"}}, ["place.kind"]),
        ({"place": {"kind": "folder", "patth": 1, "path": 2}}, ["place.patth", "place.path"]),
        ({"place": {"kind": "s3"}}, ["place.bucket"]),
        ({"place": {"kind": "folder", "path": "../x"}}, ["place.path"]),
        ({"place": {"kind": "folder", "pattern": "a/b"}}, ["place.pattern"]),
        (
            {"place": {"kind": "s3", "bucket": "", "endpoint": "x"}},
            ["place.bucket", "place.endpoint"],
        ),
        ({"place": {"kind": "s3", "bucket": "b", "accessKey": "AK"}}, ["place.secretKey"]),
        (
            {"place": {"kind": "sftp", "host": "", "user": "", "hostKey": "x", "port": 0}},
            ["place.host", "place.user", "place.port", "place.hostKey"],
        ),
        ({"calendar": {"repeat": "daily", "time": "25:00"}}, ["calendar.time"]),
        ({"calendar": {"repeat": "weekly", "weekday": "noday", "time": "1"}}, ["calendar.weekday"]),
        ({"calendar": {"repeat": "once", "at": "2001-01-01 00:00"}}, ["calendar.at"]),
        ({"calendar": {"repeat": "cron", "cron": "* *"}}, ["calendar.cron"]),
        (
            {"options": {"onConflict": "x", "nonsense": 1}},
            ["options.onConflict", "options.nonsense"],
        ),
        ({"options": {"dryRun": True}}, ["options.dryRun"]),
        (
            {"name": "", "calendar": {"repeat": "daily", "time": ""}, "options": {"tags": 1}},
            ["name", "calendar.time", "options.tags"],
        ),
    ],
)
def test_everything_that_is_wrong_is_named(
    api: Api, given: dict[str, Any], named: list[str]
) -> None:
    answer = api.post("/imports/schedules", {**BODY, **given})
    assert answer.status_code == 400, answer.text
    assert sorted(faults(answer)) == sorted(named)


def test_a_run_is_a_job_and_its_outcome_an_entry(api: Api) -> None:
    schedule = made(api)
    path = f"/imports/schedules/{schedule['id']}"
    answer = api.post(f"{path}/run")
    assert answer.status_code == 202, answer.text
    job = api.client.app.state.platform.jobs.wait(answer.json()["id"], 60)
    assert job.result == {"found": 0, "imports": []}
    (entry,) = api.get(f"{path}/entries").json()["entries"]
    assert (entry["status"], entry["file"], entry["importId"]) == ("failed", None, None)
    assert "USER360_IMPORT_ROOT" in entry["reason"]
    assert api.get("/imports").json()["imports"] == [], "a look is no import"


def test_entries_come_in_pages(api: Api) -> None:
    from user360.imports.schedules import store
    from user360.imports.schedules.schedule import Entry

    number = made(api)["id"]

    def enter(connection: Any) -> None:
        for n in range(5):
            store.enter(connection, number, Entry(id=0, at=n, status="missing", reason=str(n)))

    api.client.app.state.platform.write(enter)
    found, cursor = [], None
    while len(found) < 10:
        given = {"cursor": cursor} if cursor else {}
        page = api.get(f"/imports/schedules/{number}/entries", limit=2, **given).json()
        found += [entry["reason"] for entry in page["entries"]]
        if (cursor := page["cursor"]) is None:
            break
    assert found == ["4", "3", "2", "1", "0"]
    answer = api.get(f"/imports/schedules/{number}/entries", cursor="x")
    assert faults(answer) == {"cursor": "invalid"}


def test_another_workspaces_schedule_is_not_found(api: Api, other: Api) -> None:
    path = f"/imports/schedules/{made(other)['id']}"
    for answer in (
        api.get(path),
        api.put(path, BODY),
        api.delete(path),
        api.post(f"{path}/run"),
        api.get(f"{path}/entries"),
    ):
        assert answer.status_code == 404
    assert api.get("/imports/schedules").json()["schedules"] == []
    assert other.get(path).status_code == 200


def test_a_number_beyond_all_counting_is_not_found(api: Api) -> None:
    assert api.get(f"/imports/schedules/{10**30}").status_code == 404
