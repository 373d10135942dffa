"""Editing a segment with care: seen before it is saved, and taken back afterwards."""

from __future__ import annotations

import pytest

from tests.doors.api.conftest import Api, faults
from tests.doors.api.test_segments import PUNE, make, members

GOA = {"property": "city", "op": "is", "values": ["Goa"]}


@pytest.fixture
def town(api: Api) -> Api:
    for name, city in (("asha", "Pune"), ("ravi", "Pune"), ("meera", "Goa")):
        api.user(name, city=city)
    return api


def test_who_would_enter_and_leave_is_seen_before_saving(town: Api) -> None:
    made = make(town, name="Pune", where=PUNE)
    town.post("/users/bulk", {"users": [{"userId": "asha", "properties": {"firstName": "A"}}]})
    where = {"any": [GOA, {"property": "firstName", "op": "is", "values": ["A"]}]}
    told = town.post(f"/segments/{made['id']}/preview", {"where": where}).json()
    assert (told["count"], told["enter"], told["leave"]) == (2, 1, 1)
    assert [u["userId"] for u in told["entering"]] == ["meera"]
    assert [u["userId"] for u in told["leaving"]] == ["ravi"]
    assert members(town, made, sort="userId") == ["asha", "ravi"]
    edited = town.patch(f"/segments/{made['id']}", {"where": where}).json()
    assert edited["count"] == told["count"]


def test_a_preview_of_an_edit_refuses_what_the_edit_would(town: Api) -> None:
    made, listed = make(town, name="Pune", where=PUNE), make(town, name="L", userIds=[])
    bad = {"where": {"property": "citi", "op": "known"}}
    assert faults(town.post(f"/segments/{made['id']}/preview", bad)) == {
        "where.property": "invalidProperty"
    }
    told = town.post(f"/segments/{listed['id']}/preview", {"where": PUNE})
    assert faults(told) == {"where": "invalid"}


def test_every_change_of_a_definition_is_a_version(town: Api) -> None:
    made = make(town, name="Pune", where=PUNE)
    path = f"/segments/{made['id']}"
    assert made["version"] == 1
    assert town.patch(path, {"name": "Pune", "where": PUNE}).json()["version"] == 1
    assert town.patch(path, {"where": GOA}).json()["version"] == 2
    assert town.by("editor").patch(path, {"name": "Goa", "description": "x"}).status_code == 200
    found = town.get(f"{path}/versions").json()["versions"]
    assert [(v["version"], v["name"], v["where"]) for v in found] == [
        (3, "Goa", GOA),
        (2, "Pune", GOA),
        (1, "Pune", PUNE),
    ]
    assert found[0]["actor"] != found[1]["actor"]
    assert town.get(f"{path}/versions/2").json() == found[1]
    for number in ("0", "4", "9" * 23):
        assert town.get(f"{path}/versions/{number}").status_code == 404
        assert town.post(f"{path}/versions/{number}/restore").status_code == 404


def test_an_older_version_is_put_in_force_again_as_a_new_one(town: Api) -> None:
    made = make(town, name="Pune", description="first", where=PUNE)
    path = f"/segments/{made['id']}"
    town.patch(path, {"where": GOA, "name": "Goa", "description": ""})
    back = town.post(f"{path}/versions/1/restore").json()
    assert (back["version"], back["name"], back["description"]) == (3, "Pune", "first")
    assert (back["where"], back["count"]) == (PUNE, 2)
    assert town.post(f"{path}/versions/3/restore").json()["version"] == 3
    actions = [line["action"] for line in town.get("/audit").json()["audit"]]
    assert actions.count("segment.update") == 3


def test_a_version_that_is_no_longer_right_is_not_restored(town: Api) -> None:
    town.post("/properties", {"name": "plan", "type": "string"})
    made = make(town, name="Plans", where={"property": "plan", "op": "known"})
    path = f"/segments/{made['id']}"
    town.patch(path, {"where": PUNE, "name": "Now"})
    make(town, name="Plans", userIds=[])
    assert town.post(f"{path}/versions/1/restore").status_code == 409
    town.patch(path, {"name": "Still"})
    town.delete("/properties/plan", force="true")
    assert town.post(f"{path}/versions/2/restore").json()["where"] == PUNE
    refused = town.post(f"{path}/versions/1/restore")
    assert refused.status_code in (400, 409)
    assert town.get(path).json()["where"] == PUNE


def test_an_edit_of_a_broken_segment_is_held_against_its_last_members(town: Api) -> None:
    town.post("/properties", {"name": "plan", "type": "string"})
    made = make(town, name="No plan", where={"property": "plan", "op": "unknown"})
    assert made["says"] == "People for whom plan is unknown."
    town.delete("/properties/plan", force="true")
    assert town.get(f"/segments/{made['id']}").json()["says"] is None
    told = town.post(f"/segments/{made['id']}/preview", {"where": PUNE}).json()
    assert (told["count"], told["enter"], told["leave"]) == (2, 0, 1)
    assert [u["userId"] for u in told["leaving"]] == ["meera"]
    assert told["says"] == 'People for whom city is "Pune".'
    assert town.patch(f"/segments/{made['id']}", {"where": PUNE}).json()["count"] == 2
