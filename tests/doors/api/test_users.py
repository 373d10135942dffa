"""Users and records through the own API: written, read, tagged, deleted, one at a time."""

from __future__ import annotations

import pytest

from tests.doors.api.conftest import Api, faults, quoted

NAMES = [
    "a/b",
    "a b",
    "a+b",
    "a%2Fb",
    "50%",
    "😀",
    "Ünïcödé",
    "?x=1&y",
    "#5",
    "...",
    "search",
    "bulk",
    "delete",
    "a;b,c:d@e",
    'it\'s "x" <y>',
    "r1",
    "+919876543210",
]


def test_a_user_is_made_once(api: Api) -> None:
    made = api.post("/users", {"userId": "asha", "properties": {"city": "Pune"}})
    assert made.status_code == 201
    assert made.json()["id"] == "r1"
    assert made.json()["properties"] == {"city": "Pune"}
    again = api.post("/users", {"userId": "asha", "properties": {"city": "Goa"}})
    assert again.status_code == 409
    assert faults(again) == {"userId": "conflict"}
    assert api.get("/users/asha").json()["properties"] == {"city": "Pune"}


def test_a_record_can_be_made_without_a_user_id(api: Api) -> None:
    made = api.post("/users", {"properties": {"city": "Pune"}})
    assert made.status_code == 201
    assert made.json()["userId"] is None
    assert api.get(f"/records/{made.json()['id']}").json() == made.json()


@pytest.mark.parametrize("name", NAMES)
def test_a_user_id_in_a_path_is_taken_exactly(api: Api, name: str) -> None:
    path = f"/users/{quoted(name)}"
    assert api.put(path, {"properties": {"city": "Pune"}}).status_code == 201
    assert api.get(path).json()["userId"] == name
    assert api.patch(path, {"properties": {"city": "Goa"}}).status_code == 200
    assert api.post(f"{path}/tags", {"add": ["x"]}).json()["tags"] == ["x"]
    events = api.get(f"{path}/events").json()["events"]
    assert {event["userId"] for event in events} == {name}
    assert api.search() == [name]
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_a_path_that_is_no_text_is_refused(api: Api) -> None:
    assert api.get("/users/%ff").status_code == 400
    assert api.put("/users/%00", {"properties": {}}).status_code == 400
    assert api.put("/users/null", {"properties": {}}).status_code == 400


def test_put_makes_then_updates_and_patch_needs_somebody(api: Api) -> None:
    assert api.patch("/users/asha", {"properties": {}}).status_code == 404
    assert api.put("/users/asha", {"properties": {"city": "Pune"}}).status_code == 201
    assert api.put("/users/asha", {"properties": {"country": "India"}}).status_code == 200
    given = {"properties": {"city": None, "firstName": " Asha "}}
    shown = api.patch("/users/asha", given).json()["properties"]
    assert shown == {"country": "India", "firstName": "Asha"}


def test_every_bad_place_is_named(api: Api) -> None:
    given = {"properties": {"email": "x", "dob": "1.1.2000", "shoe": 44, "createdAt": "now"}}
    answer = api.put("/users/asha", given)
    assert answer.status_code == 400
    assert faults(answer) == {
        "properties.email": "invalidDataType",
        "properties.dob": "invalidDataType",
        "properties.shoe": "invalidProperty",
        "properties.createdAt": "invalidProperty",
    }
    assert api.get("/users/asha").status_code == 404


def test_a_required_property_is_asked_of_new_people_only(api: Api) -> None:
    api.user("old")
    api.post("/properties", {"name": "plan", "type": "string", "required": True})
    assert faults(api.post("/users", {"userId": "new"})) == {
        "properties.plan": "propertiesRequired"
    }
    assert api.put("/users/old", {"properties": {"city": "Pune"}}).status_code == 200
    assert api.put("/users/new", {"properties": {"plan": "free"}}).status_code == 201


def test_tags_keep_their_order_and_removing_wins(api: Api) -> None:
    api.user("asha", tags=["one"])
    answer = api.post("/users/asha/tags", {"add": ["two", "three", "one"], "remove": ["two"]})
    assert answer.json()["tags"] == ["one", "three"]
    assert answer.json()["properties"]["tags"] == ["one", "three"]
    assert faults(api.post("/users/asha/tags", {"add": [1, "x", None]})) == {
        "add.0": "invalid",
        "add.2": "invalid",
    }
    assert api.post("/users/nobody/tags", {"add": ["x"]}).status_code == 404


def test_a_deleted_user_is_gone_from_everything_and_may_come_back_new(api: Api) -> None:
    first = api.user("asha", city="Pune")
    api.event("asha", "Order Completed")
    assert api.delete("/users/asha").status_code == 204
    assert api.delete("/users/asha").status_code == 404
    assert api.search() == []
    names = [event["name"] for event in api.get("/events").json()["events"]]
    assert names == ["USER_DELETE"]
    again = api.user("asha")
    assert again["id"] != first["id"]
    assert again["properties"] == {}
    assert api.get(f"/records/{first['id']}").status_code == 404


def test_records_are_read_and_written_by_their_own_id(api: Api) -> None:
    record = api.user("asha", city="Pune")["id"]
    assert api.get(f"/records/{record}").json()["userId"] == "asha"
    assert api.patch(f"/records/{record}", {"properties": {"city": None}}).status_code == 200
    assert api.get("/users/asha").json()["properties"] == {}
    assert api.delete(f"/records/{record}").status_code == 204
    for bad in (record, "r0", "r99", "x", "1", "r1e3", "r99999999999999999999"):
        assert api.get(f"/records/{bad}").status_code == 404
        assert api.patch(f"/records/{bad}", {"properties": {}}).status_code == 404
        assert api.delete(f"/records/{bad}").status_code == 404


def test_an_answer_says_from_where_on_it_is_seen(api: Api) -> None:
    first = api.put("/users/asha", {"properties": {"city": "Pune"}})
    second = api.put("/users/asha", {"properties": {"city": "Goa"}})
    assert int(second.headers["x-user360-seq"]) > int(first.headers["x-user360-seq"])
    for _ in range(20):
        where = {"property": "city", "op": "is", "values": ["Goa"]}
        assert api.search(where) == ["asha"]
    for bad in ("x", "-1", "1.5", "99999999999"):
        answer = api.call("GET", "/events", headers={"X-User360-Min-Seq": bad})
        assert answer.status_code == 400
        assert faults(answer) == {"X-User360-Min-Seq": "badRequest"}
