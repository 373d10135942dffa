"""Segments that ask about segments: what uses what, and no way round."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doors.api.conftest import Api, faults
from tests.doors.api.test_segments import PUNE, make, members

GOA = {"property": "city", "op": "is", "values": ["Goa"]}


@pytest.fixture
def town(api: Api) -> Api:
    for name, city in (("asha", "Pune"), ("ravi", "Pune"), ("meera", "Goa")):
        api.user(name, city=city)
    return api


def within(segment: dict[str, Any], inside: bool = True) -> dict[str, Any]:
    return {"segment": segment["id"], "in": inside}


def test_a_segment_of_segments_follows_them(town: Api) -> None:
    pune, goa = make(town, name="Pune", where=PUNE), make(town, name="Goa", where=GOA)
    both = make(town, name="Either", where={"any": [within(pune), within(goa)]})
    rest = make(town, name="Others", where=within(both, inside=False))
    assert (both["count"], rest["count"]) == (3, 0)
    town.patch("/users/ravi", {"properties": {"city": "Delhi"}})
    assert members(town, both, sort="userId") == ["asha", "meera"]
    assert members(town, rest) == ["ravi"]


def test_it_is_shown_where_a_segment_is_used(town: Api) -> None:
    pune = make(town, name="Pune", where=PUNE)
    friends = make(town, name="Friends", userIds=["asha"])
    both = make(town, name="Both", where={"all": [within(pune), within(friends)]})
    named = [{"id": both["id"], "name": "Both"}]
    listed = {s["name"]: s["usedBy"] for s in town.get("/segments").json()["segments"]}
    assert listed == {"Pune": named, "Friends": named, "Both": []}
    assert town.get(f"/segments/{pune['id']}").json()["usedBy"] == named


def test_no_segment_comes_to_ask_about_itself(town: Api) -> None:
    first = make(town, name="First", where=PUNE)
    second = make(town, name="Second", where=within(first))
    third = make(town, name="Third", where={"not": within(second)})
    for path, way in (
        (first, "First -> First"),
        (second, "First -> Second -> First"),
        (third, "First -> Third -> Second -> First"),
    ):
        for place in ("", "/preview"):
            call = town.post if place else town.patch
            refused = call(f"/segments/{first['id']}{place}", {"where": within(path)})
            assert refused.status_code == 400
            assert faults(refused) == {"where": "invalidCondition"}
            assert refused.json()["detail"].endswith(f": {way}")
    assert town.get(f"/segments/{first['id']}").json()["version"] == 1


def test_a_broken_inner_segment_is_named(town: Api) -> None:
    town.post("/properties", {"name": "plan", "type": "string"})
    inner = make(town, name="No plan", where={"property": "plan", "op": "unknown"})
    outer = make(town, name="Outer", where=within(inner))
    assert outer["count"] == 3
    town.delete("/properties/plan", force="true")
    assert "No plan" in town.get(f"/segments/{outer['id']}").json()["error"]
    town.post("/properties/plan/restore")
    assert town.get(f"/segments/{outer['id']}").json()["count"] == 3


def test_an_archived_segment_stays_where_it_is_named(town: Api) -> None:
    pune = make(town, name="Pune", where=PUNE)
    user = make(town, name="User", where=within(pune))
    town.post(f"/segments/{pune['id']}/archive")
    kept = {"all": [within(pune), GOA]}
    assert town.patch(f"/segments/{user['id']}", {"where": kept}).json()["count"] == 0
    assert faults(town.post("/segments", {"name": "New", "where": within(pune)})) == {
        "where.segment": "invalidCondition"
    }
