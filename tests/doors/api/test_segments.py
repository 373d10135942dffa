"""Segments through the own API: by condition, by hand, archived, deleted, asked."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.doors.api.conftest import Api, faults
from tests.doors.conftest import Product
from user360.segments import store

PUNE = {"property": "city", "op": "is", "values": ["Pune"]}
BOUGHT = {"event": "Order Completed", "count": {"op": "gte", "value": 2}}


@pytest.fixture
def town(api: Api) -> Api:
    for name, city in (("asha", "Pune"), ("ravi", "Pune"), ("meera", "Goa")):
        api.user(name, city=city)
    for _ in range(2):
        api.event("asha", "Order Completed", amount=5)
    return api


def make(api: Api, **given: Any) -> dict[str, Any]:
    answer = api.post("/segments", given)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def members(api: Api, segment: dict[str, Any], **query: Any) -> list[str]:
    answer = api.get(f"/segments/{segment['id']}/users", **query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] == api.get(f"/segments/{segment['id']}").json()["count"]
    return [user["userId"] for user in answer.json()["users"]]


def test_a_dynamic_segment_follows_by_itself(town: Api) -> None:
    made = make(town, name="Pune buyers", description=" x ", where={"all": [PUNE, BOUGHT]})
    assert (made["kind"], made["count"], made["error"]) == ("dynamic", 1, None)
    assert made["where"] == {"all": [PUNE, BOUGHT]}
    assert (made["description"], made["archivedAt"]) == ("x", None)
    for _ in range(2):
        town.event("ravi", "Order Completed")
    assert members(town, made) == ["ravi", "asha"]
    town.patch("/users/asha", {"properties": {"city": "Goa"}})
    assert members(town, made) == ["ravi"]
    town.delete("/users/ravi")
    assert members(town, made) == []


def test_a_static_segment_is_changed_by_hand_only(town: Api) -> None:
    made = make(town, name="Friends", userIds=["asha", "asha", "meera"])
    assert (made["kind"], made["count"], made["where"]) == ("static", 2, None)
    path = f"/segments/{made['id']}/users"
    told = town.post(path, {"add": ["ravi", "asha"], "remove": ["meera"]}).json()
    assert (told["added"], told["removed"], told["unknown"], told["count"]) == (1, 1, 0, 2)
    assert members(town, made, sort="userId") == ["asha", "ravi"]


def test_every_user_id_has_an_outcome_and_the_known_ones_are_in(town: Api) -> None:
    made = make(town, name="Friends", userIds=["asha", "x", "meera"])
    assert made["count"] == 2
    assert [(u["path"], u["code"]) for u in made["unknown"]] == [("userIds.1", "notFound")]
    given = {"add": ["ravi", "asha", "nobody", " ravi "], "remove": ["null", "asha", "asha"]}
    told = town.post(f"/segments/{made['id']}/users", given).json()
    assert [each["outcome"] for each in told["add"]] == ["added", "already", "unknown", "already"]
    assert [each["outcome"] for each in told["remove"]] == ["unknown", "removed", "absent"]
    assert (told["added"], told["removed"], told["unknown"], told["count"]) == (1, 1, 2, 2)
    assert members(town, made, sort="userId") == ["meera", "ravi"]


def test_a_static_segment_of_those_that_match_now(town: Api) -> None:
    made = make(town, name="Then", where=PUNE, kind="static")
    assert (made["kind"], made["count"]) == ("static", 2)
    town.patch("/users/asha", {"properties": {"city": "Goa"}})
    assert members(town, made, sort="userId") == ["asha", "ravi"]


def test_a_static_member_is_followed_through_a_merge_and_its_undoing(town: Api) -> None:
    visitor = town.post("/sessions/web/v/capture", {"properties": {"gender": "f"}}).json()
    made = make(town, name="Women", where={"property": "gender", "op": "known"}, kind="static")
    assert made["count"] == 1
    merged = town.post("/sessions/web/v/identify", {"userId": "asha"}).json()
    assert merged["outcome"] == "merged"
    assert members(town, made) == ["asha"]
    assert town.get("/users/asha/segments").json()["segments"][0]["id"] == made["id"]
    town.post(f"/merges/{merged['mergeId']}/undo")
    (back,) = town.get(f"/segments/{made['id']}/users").json()["users"]
    assert back["id"] == visitor["record"]["id"]


def test_a_preview_is_what_the_segment_will_be(town: Api) -> None:
    where = {"any": [PUNE, BOUGHT]}
    seen = town.post("/segments/preview", {"where": where}).json()
    assert (seen["count"], [u["userId"] for u in seen["sample"]]) == (2, ["ravi", "asha"])
    assert seen["tookMs"] >= 0
    made = make(town, name="Same", where=where)
    assert made["count"] == seen["count"] == len(town.search(where))


def test_every_wrong_place_of_a_condition_is_named(town: Api) -> None:
    where = {"all": [{"property": "citi", "op": "is", "values": []}, {"not": {"event": ""}}]}
    for path in ("/segments/preview", "/segments"):
        given = {"where": where} if path.endswith("preview") else {"name": "x", "where": where}
        answer = town.post(path, given)
        assert answer.status_code == 400
        assert {"where.all.0.property", "where.all.1.not.event"} <= set(faults(answer))
    deep: Any = PUNE
    for _ in range(100):
        deep = {"not": deep}
    assert town.post("/segments/preview", {"where": deep}).status_code == 400
    for given in ({"name": "x"}, {"name": "x", "where": PUNE, "userIds": []}):
        assert faults(town.post("/segments", given)) == {"where": "invalid"}
    assert faults(town.post("/segments", {"name": " ", "where": PUNE})) == {"name": "invalid"}
    assert faults(town.post("/segments", {"name": "x", "where": []})) == {"where": "invalid"}


def test_names_are_unique_without_regard_to_case(town: Api) -> None:
    first = make(town, name="Buyers", where=BOUGHT)
    assert faults(town.post("/segments", {"name": "BUYERS", "userIds": []})) == {"name": "conflict"}
    second = make(town, name="Others", userIds=[])
    path = f"/segments/{second['id']}"
    assert town.patch(path, {"name": "buyers"}).status_code == 409
    assert town.patch(f"/segments/{first['id']}", {"name": "buyers"}).json()["name"] == "buyers"
    town.delete(f"/segments/{first['id']}")
    assert town.patch(path, {"name": "Buyers"}).status_code == 200


def test_a_condition_is_edited_and_a_list_is_not(town: Api) -> None:
    dynamic, static = make(town, name="D", where=BOUGHT), make(town, name="S", userIds=[])
    edited = town.patch(f"/segments/{dynamic['id']}", {"where": PUNE, "description": "y"}).json()
    assert (edited["count"], edited["where"], edited["description"]) == (2, PUNE, "y")
    assert edited["name"] == "D"
    assert faults(town.patch(f"/segments/{static['id']}", {"where": PUNE})) == {"where": "invalid"}
    assert town.post(f"/segments/{dynamic['id']}/users", {"add": []}).status_code == 409


def test_an_archived_segment_cannot_be_chosen_anew_and_goes_on_where_it_is(town: Api) -> None:
    friends = make(town, name="Friends", userIds=["asha"])
    where = {"segment": friends["id"], "in": True}
    using = make(town, name="Using", where=where)
    path = f"/segments/{friends['id']}"
    assert town.post(f"{path}/archive").json()["archivedAt"] is not None
    assert town.post(f"{path}/archive").status_code == 200
    assert faults(town.post("/segments/preview", {"where": where})) == {
        "where.segment": "invalidCondition"
    }
    assert members(town, using) == ["asha"]
    names = [s["name"] for s in town.get("/segments", archived="false").json()["segments"]]
    assert names == ["Using"]
    assert town.post(f"{path}/unarchive").json()["archivedAt"] is None
    assert town.post("/segments/preview", {"where": where}).json()["count"] == 1


def test_a_segment_in_use_is_not_deleted_unawares(town: Api) -> None:
    friends = make(town, name="Friends", userIds=["asha"])
    using = make(town, name="Using", where={"not": {"segment": friends["id"], "in": False}})
    refused = town.delete(f"/segments/{friends['id']}")
    assert refused.status_code == 409
    assert "Using" in refused.json()["detail"]
    assert town.delete(f"/segments/{friends['id']}", force="true").status_code == 204
    assert town.get(f"/segments/{friends['id']}").status_code == 404
    broken = town.get(f"/segments/{using['id']}").json()
    assert f"segment {friends['id']}, which was deleted" in broken["error"]
    assert town.patch(f"/segments/{using['id']}", {"where": PUNE}).json()["error"] is None


def test_a_segment_whose_property_is_gone_says_so(town: Api) -> None:
    town.post("/properties", {"name": "plan", "type": "string"})
    where = {"property": "plan", "op": "unknown"}
    made = make(town, name="No plan", where=where)
    refused = town.delete("/properties/plan")
    assert refused.status_code == 409
    assert "No plan" in refused.json()["detail"]
    assert town.delete("/properties/plan", force="true").status_code == 204
    shown = town.get(f"/segments/{made['id']}").json()
    assert "plan" in shown["error"]
    assert shown["freshness"]["retryAt"] is not None
    assert shown["count"] == 3, "it keeps its last members"
    assert len(members(town, made)) == 3
    page = town.get(f"/segments/{made['id']}/users").json()
    assert page["error"] == shown["error"]
    copy = town.post(f"/segments/{made['id']}/snapshot", {"name": "Saved"}).json()
    assert copy["count"] == 3
    assert town.post("/properties/plan/restore").status_code == 200
    assert town.get(f"/segments/{made['id']}").json()["error"] is None


def test_whether_one_user_is_in_it_and_why(town: Api) -> None:
    made = make(town, name="Friends", userIds=["asha"])
    dynamic = make(town, name="Pune", where=PUNE)
    for segment, user, member in (
        (made, "asha", True),
        (made, "ravi", False),
        (dynamic, "ravi", True),
        (dynamic, "meera", False),
    ):
        told = town.get(f"/segments/{segment['id']}/users/{user}").json()
        assert (told["member"], told["since"] is not None) == (member, member)
        assert told["why"]["true"] == member
    assert told["why"]["property"]["value"] == "Goa"
    assert town.get(f"/segments/{dynamic['id']}/users/nobody").status_code == 404


def test_asking_about_a_segment_is_using_it(town: Api, product: Product) -> None:
    made = make(town, name="Friends", userIds=["asha"])
    number, where = made["id"], {"segment": made["id"], "in": True}

    def long_ago() -> None:
        segment = msgspec.structs.replace(town.workspace.segments[number], used_at=0)
        product.platform.write(lambda connection: store.update(connection, segment))
        town.workspace.segments = {**town.workspace.segments, number: segment}

    for ask in (
        lambda: town.get(f"/segments/{number}"),
        lambda: town.search(where),
        lambda: town.post("/segments/preview", {"where": {"not": where}}),
    ):
        long_ago()
        ask()
        assert town.workspace.segments[number].used_at > 0


def test_members_are_searched_sorted_and_paged(town: Api) -> None:
    made = make(town, name="All", where={"property": "city", "op": "known"})
    assert members(town, made, sort="city,-userId") == ["meera", "ravi", "asha"]
    path = f"/segments/{made['id']}/users"
    found = town.get(path, text="RAV").json()
    assert [u["userId"] for u in found["users"]] == ["ravi"]
    first = town.get(path, limit=2, sort="userId").json()
    rest = town.get(path, limit=2, sort="userId", cursor=first["cursor"]).json()
    assert [u["userId"] for u in (*first["users"], *rest["users"])] == ["asha", "meera", "ravi"]
    made = make(town, name="By hand", userIds=["meera"])
    town.post(f"/segments/{made['id']}/users", {"add": ["asha"]})
    assert members(town, made, sort="since") == ["meera", "asha"]
    assert members(town, made, sort="-since") == ["asha", "meera"]
    entered = [u["since"] for u in town.get(f"/segments/{made['id']}/users").json()["users"]]
    assert all(entered)
    assert faults(town.get(path, sort="shoe")) == {"sort.0.by": "invalidProperty"}
    assert faults(town.get(path, sort="city", cursor=first["cursor"])) == {"cursor": "badRequest"}


def test_there_is_no_such_segment(api: Api) -> None:
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/archive"),
        ("POST", "/unarchive"),
        ("GET", "/users"),
        ("POST", "/users"),
        ("GET", "/users/asha"),
    ):
        for number in ("999", "-1", "0", "x", "9" * 23, "-" + "9" * 23):
            given = {"json": {}} if method in ("POST", "PATCH") else {}
            assert api.call(method, f"/segments/{number}{path}", **given).status_code == 404
