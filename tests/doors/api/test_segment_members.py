"""Lists of users: from files, from searches, from segments as they were; and who moved when."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.doors.api.conftest import Api, faults
from tests.doors.api.test_segments import PUNE, make, members


@pytest.fixture
def town(api: Api) -> Api:
    for name, city in (("asha", "Pune"), ("ravi", "Pune"), ("meera", "Goa")):
        api.user(name, city=city)
    return api


def upload(api: Api, segment: dict[str, Any], body: str | bytes, **query: Any) -> httpx.Response:
    path = f"/segments/{segment['id']}/users/file"
    headers = {"content-type": "text/csv"}
    return api.call("POST", path, content=body, headers=headers, params=query)


def test_the_users_of_a_file_are_added_and_the_unknown_lines_named(town: Api) -> None:
    made = make(town, name="Pilot", userIds=["asha"])
    told = upload(town, made, "name,userId\nA,asha\n,ravi\nX,nobody\n,\n,ravi\n").json()
    assert told == {
        "lines": 4,
        "added": 1,
        "already": 2,
        "removed": 0,
        "absent": 0,
        "unknownLines": 1,
        "count": 2,
        "unknown": [{"line": 4, "userId": "nobody"}],
    }
    assert members(town, made, sort="userId") == ["asha", "ravi"]
    told = upload(town, made, "meera\r\n\r\nasha\r\n", remove="true").json()
    assert (told["removed"], told["absent"], told["count"]) == (1, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "userId\nravi",
        "\ufeffUSERID\nravi\n",
        'city;"userId"\nPune;" ravi "\n',
        "a\tuserid\tb\n\travi\t\n",
        "ravi",
        '"name, full",userId\n"two\nlines",ravi\n',
    ],
)
def test_every_usual_form_of_a_file_is_read(town: Api, text: str) -> None:
    made = make(town, name="Pilot", userIds=[])
    assert upload(town, made, text).json()["added"] == 1


def test_a_file_of_many_lines_adds_up(town: Api) -> None:
    made = make(town, name="Pilot", userIds=[])
    lines = [f"nobody{n}" for n in range(25_000)]
    lines[24_999] = "meera"
    lines[9_999] = lines[10_000] = "asha"
    told = upload(town, made, "\n".join(lines)).json()
    assert (told["lines"], told["added"], told["already"]) == (25_000, 2, 1)
    assert told["unknownLines"] == 24_997
    assert len(told["unknown"]) == 10_000
    assert told["unknown"][-1] == {"line": 10_001 + 1, "userId": "nobody10001"}


def test_a_file_that_is_none_changes_nothing(town: Api) -> None:
    made, dynamic = make(town, name="Pilot", userIds=[]), make(town, name="D", where=PUNE)
    assert upload(town, made, b"\xff\xfe").status_code == 400
    assert upload(town, made, "").json()["lines"] == 0
    assert upload(town, dynamic, "asha").status_code == 409
    assert members(town, made) == []


def test_the_result_of_a_search_is_kept_as_a_list(town: Api) -> None:
    town.user("asha", firstName="Asha")
    found = make(town, name="Found", text="ash", kind="static")
    assert members(town, found) == ["asha"]
    both = make(town, name="Both", text="ra", where=PUNE, kind="static")
    assert members(town, both) == ["ravi"]
    refused = town.post("/segments", {"name": "x", "text": "a", "where": PUNE})
    assert faults(refused) == {"text": "invalid"}


def test_a_snapshot_stays_as_it_was(town: Api) -> None:
    pune = make(town, name="Pune", where=PUNE)
    answer = town.post(f"/segments/{pune['id']}/snapshot", {"name": "Then"})
    assert answer.status_code == 201
    then = answer.json()
    assert (then["kind"], then["count"], then["where"]) == ("static", 2, None)
    town.patch("/users/asha", {"properties": {"city": "Goa"}})
    assert members(town, then, sort="userId") == ["asha", "ravi"]
    assert members(town, pune) == ["ravi"]
    again = town.post(f"/segments/{pune['id']}/snapshot", {"name": "Then"})
    assert faults(again) == {"name": "conflict"}


def test_whoever_was_merged_away_is_in_it_once_and_taken_out_whole(town: Api) -> None:
    town.post("/sessions/web/v/capture", {"properties": {"gender": "f"}})
    made = make(town, name="Women", where={"property": "gender", "op": "known"}, kind="static")
    merged = town.post("/sessions/web/v/identify", {"userId": "asha"}).json()
    told = town.post(f"/segments/{made['id']}/users", {"add": ["asha"]}).json()
    assert (told["add"][0]["outcome"], told["count"]) == ("already", 1)
    told = town.post(f"/segments/{made['id']}/users", {"remove": ["asha"]}).json()
    assert (told["removed"], told["count"]) == (1, 0)
    town.post(f"/merges/{merged['mergeId']}/undo")
    assert members(town, made) == []


def test_who_entered_and_left_is_listed_with_the_cause(town: Api) -> None:
    pune = make(town, name="Pune", where=PUNE)
    town.patch("/users/meera", {"properties": {"city": "Pune"}})
    town.get(f"/segments/{pune['id']}")
    town.patch("/users/asha", {"properties": {"city": "Goa"}})
    path = f"/segments/{pune['id']}/changes"
    told = town.get(path).json()["changes"]
    assert [(c["userId"], c["change"], c["cause"]) for c in told[:2]] == [
        ("asha", "exit", "write"),
        ("meera", "enter", "write"),
    ]
    assert {(c["userId"], c["change"], c["cause"]) for c in told[2:]} == {
        ("asha", "enter", "edit"),
        ("ravi", "enter", "edit"),
    }
    paged = town.get(path, limit=3).json()
    rest = town.get(path, limit=3, cursor=paged["cursor"]).json()
    assert [*paged["changes"], *rest["changes"]] == told
    assert rest["cursor"] is None
    assert town.get(path, **{"from": "2999-01-01"}).json()["changes"] == []
    assert faults(town.get(path, cursor="x")) == {"cursor": "badRequest"}
    assert faults(town.get(path, to="soon")) == {"to": "invalid"}


def test_when_somebody_was_in_it_is_told(town: Api) -> None:
    pune, friends = make(town, name="Pune", where=PUNE), make(town, name="F", userIds=["asha"])
    town.patch("/users/asha", {"properties": {"city": "Goa"}})
    told = town.get("/users/asha/segments/history").json()["stays"]
    assert [(s["id"], s["name"], s["until"] is None) for s in told] == [
        (friends["id"], "F", True),
        (pune["id"], "Pune", False),
    ]
    town.delete(f"/segments/{pune['id']}")
    assert len(town.get("/users/asha/segments/history").json()["stays"]) == 1


def test_how_large_it_was_is_told(town: Api) -> None:
    for made in (make(town, name="Pune", where=PUNE), make(town, name="F", userIds=["asha"])):
        path = f"/segments/{made['id']}/sizes"
        town.get(f"/segments/{made['id']}")
        for by in ("hour", "day", "week"):
            told = town.get(path, by=by).json()
            assert [point["size"] for point in told["sizes"]] == [made["count"]]
            assert (told["by"], told["timeZone"]) == (by, "UTC")
        assert faults(town.get(path, by="hour", **{"from": "2001-01-01"})) == {"from": "invalid"}
        assert town.get(path, by="month").status_code == 400


def test_filling_is_silent_unless_it_is_asked_to_tell(town: Api) -> None:
    silent = make(town, name="Silent", where=PUNE)
    told = make(town, name="Told", where=PUNE, announce=True)
    goa = {"property": "city", "op": "is", "values": ["Goa"]}

    def moves() -> list[tuple[str, str, int]]:
        town.get("/segments")
        events = town.get("/events", name=["SEGMENT_ENTER", "SEGMENT_EXIT"]).json()["events"]
        return sorted((e["userId"], e["name"], e["properties"]["segmentId"]) for e in events)

    entered = [(name, "SEGMENT_ENTER", told["id"]) for name in ("asha", "ravi")]
    assert moves() == entered
    changes = town.get(f"/segments/{told['id']}/changes").json()["changes"]
    assert {change["cause"] for change in changes} == {"edit"}
    town.patch(f"/segments/{silent['id']}", {"where": goa})
    assert moves() == entered
    town.post(f"/segments/{silent['id']}/versions/1/restore", announce="true")
    assert moves() == sorted(
        [
            *entered,
            ("asha", "SEGMENT_ENTER", silent["id"]),
            ("ravi", "SEGMENT_ENTER", silent["id"]),
            ("meera", "SEGMENT_EXIT", silent["id"]),
        ]
    )
