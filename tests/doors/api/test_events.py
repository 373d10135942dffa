"""Events through the own API: sent, listed, counted, refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.doors.api.conftest import Api, faults

BOUGHT = "Order Completed"


def send(api: Api, *events: Any) -> dict[str, Any]:
    answer = api.post("/events", {"events": list(events)})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    assert len(told["outcomes"]) == len(events) == sum(told["counts"].values())
    return told


def statuses(told: dict[str, Any]) -> list[str]:
    return [outcome["status"] for outcome in told["outcomes"]]


def test_an_event_makes_its_user_and_is_stored_once(api: Api) -> None:
    event = {"userId": "asha", "name": BOUGHT, "properties": {"amount": 5}, "id": "order-1"}
    first, again = api.post("/events", event), api.post("/events", event)
    assert statuses(first.json()) == ["stored"]
    assert statuses(again.json()) == ["duplicate"]
    assert first.json()["outcomes"][0]["id"] == "order-1"
    listed = api.get("/users/asha/events", name=BOUGHT).json()["events"]
    assert [(e["id"], e["properties"], e["source"]) for e in listed] == [
        ("order-1", {"amount": 5}, "api")
    ]
    assert listed[0]["recordId"] == first.json()["outcomes"][0]["recordId"]


def test_an_event_in_a_session_makes_an_unidentified_record(api: Api) -> None:
    session = {"channel": "web", "id": "a/b"}
    told = send(api, {"session": session, "name": "Page Viewed"})
    record = api.get("/sessions/web/a%2Fb").json()["record"]
    assert record["id"] == told["outcomes"][0]["recordId"]
    assert record["userId"] is None
    listed = api.get("/events", name="Page Viewed").json()["events"]
    assert [(e["channel"], e["userId"]) for e in listed] == [("web", None)]


def test_one_bad_event_fails_alone_and_is_counted(api: Api) -> None:
    told = send(
        api,
        {"userId": "a", "name": "x", "timestamp": "2026-01-01T10:00:00+05:30"},
        {"name": "x"},
        {"userId": "a", "name": ""},
        {"userId": "a", "name": "x", "properties": {"text": "y" * 40_000}},
        {"userId": "a", "name": "x", "timestamp": "soon"},
        {"userId": "a", "name": "x", "timestamp": "2099-01-01T00:00:00Z"},
        {"userId": "a", "name": "USER_DELETE"},
        {"user": "a", "name": "x"},
        7,
        {"userId": "a", "name": "x", "session": {"channel": "web"}},
        {"userId": "a", "name": "y"},
    )
    assert statuses(told) == ["stored", *["failed"] * 9, "stored"]
    paths = [{f["path"] for f in outcome["errors"]} for outcome in told["outcomes"]]
    assert paths[1:10] == [
        {"events.1.userId"},
        {"events.2.name"},
        {"events.3.properties"},
        {"events.4.timestamp"},
        {"events.5.timestamp"},
        {"events.6.name"},
        {"events.7.user"},
        {"events.8"},
        {"events.9.session.id"},
    ]
    assert "32768" in told["outcomes"][3]["errors"][0]["message"]
    counted = api.get("/event-definitions/rejections").json()["rejections"]
    assert {row["path"] for row in counted} >= {
        f"events.{path}" for path in ("userId", "properties", "timestamp", "session.id")
    }
    assert all(row["source"] == "api" for row in counted)


def test_a_single_bad_event_is_refused(api: Api) -> None:
    assert faults(api.post("/events", {"name": "x"})) == {"userId": "invalid"}
    assert faults(api.post("/events", {"userId": "a"})) == {"name": "invalid"}
    big = {"userId": "a", "name": "x", "properties": {"text": "y" * 40_000}}
    assert faults(api.post("/events", big)) == {"properties": "invalid"}
    deep = '{"userId":"a","name":"x","properties":' + '{"a":' * 300 + "1" + "}" * 300 + "}"
    assert api.call("POST", "/events", content=deep).status_code in (200, 400)
    far = '{"userId":"a","name":"x","properties":' + '{"a":' * 9000 + "1" + "}" * 9000 + "}"
    assert api.call("POST", "/events", content=far).status_code == 400


def test_more_than_ten_thousand_are_refused_whole(api: Api) -> None:
    events = [{"userId": "a", "name": "x"}] * 10_001
    assert faults(api.post("/events", {"events": events})) == {"events": "invalid"}
    assert api.get("/users/a").status_code == 404


def test_the_listing_filters_by_everything(api: Api) -> None:
    for day, amount in ((1, 10), (2, 20), (3, "30")):
        at = f"2026-03-0{day}T12:00:00Z"
        properties = {"amount": amount, "where": {"city": "Pune" if day == 1 else "Goa"}}
        event = {"userId": f"u{day}", "name": BOUGHT, "properties": properties, "timestamp": at}
        send(api, event)
    send(api, {"userId": "u1", "name": "Other"})

    def days(**query: Any) -> list[str]:
        answer = api.get("/events", name=BOUGHT, **query)
        assert answer.status_code == 200, answer.text
        return [event["userId"] for event in answer.json()["events"]]

    def where(*tests: Any) -> str:
        return json.dumps(list(tests))

    assert days() == ["u3", "u2", "u1"]
    assert days(**{"from": "2026-03-02", "to": "2026-03-03T00:00:00Z"}) == ["u2"]
    assert days(where=where({"path": "amount", "op": "gte", "values": [15]})) == ["u2"]
    assert days(where=where({"path": "where.city", "op": "is", "values": ["goa"]})) == ["u3", "u2"]
    both = where(
        {"path": "where.city", "op": "is", "values": ["goa"]},
        {"path": "amount", "op": "lt", "values": [100]},
    )
    assert days(where=both) == ["u2"]
    assert days(source="sdk") == []
    names = api.get("/events", name=["Other", BOUGHT]).json()["events"]
    assert len(names) == 4


def test_the_listing_pages_through_every_event_once(api: Api) -> None:
    send(api, *({"userId": "a", "name": "x", "id": f"e{n}"} for n in range(23)))
    found: list[str] = []
    cursor: str | None = None
    while True:
        query = {"name": "x", "limit": 5, **({"cursor": cursor} if cursor else {})}
        page = api.get("/users/a/events", **query).json()
        found += [event["id"] for event in page["events"]]
        if (cursor := page["cursor"]) is None:
            break
    assert found == [f"e{n}" for n in reversed(range(23))]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"cursor": "zzz"}, "cursor"),
        ({"from": "soon"}, "from"),
        ({"to": "0000-00-00"}, "to"),
        ({"where": '[{"path": "a", "op": "nope"}]'}, "where.0.op"),
        ({"where": '{"path": "a"}'}, "where"),
        ({"where": "[7]"}, "where.0"),
        ({"nam": "x"}, "nam"),
        ({"limit": ["5", "6"]}, "limit"),
    ],
)
def test_what_is_wrong_with_a_listing_is_named(api: Api, query: dict[str, Any], path: str) -> None:
    answer = api.get("/events", **query)
    assert answer.status_code == 400
    assert set(faults(answer)) == {path}


def test_a_where_that_is_no_json_is_refused(api: Api) -> None:
    for text in ("[", "[" * 20_000, '["\\ud800"]', ""):
        assert api.get("/events", where=text).status_code == 400


def test_activity_counts_per_day_and_name_in_the_zone_of_the_workspace(api: Api) -> None:
    api.patch("/workspace", {"settings": {"timeZone": "Asia/Kolkata"}})
    for at in ("2026-03-01T18:29:00Z", "2026-03-01T18:31:00Z", "2026-03-02T01:00:00Z"):
        send(api, {"userId": "a", "name": BOUGHT, "timestamp": at})
    send(api, {"userId": "a", "name": "Other", "timestamp": "2026-03-01T00:00:00Z"})
    told = api.get("/users/a/activity", name=[BOUGHT, "Other"]).json()
    assert told == {
        "days": [
            {"day": "2026-03-02", "name": BOUGHT, "count": 2},
            {"day": "2026-03-01", "name": BOUGHT, "count": 1},
            {"day": "2026-03-01", "name": "Other", "count": 1},
        ],
        "names": {BOUGHT: 3, "Other": 1},
        "total": 4,
    }


def test_definitions_register_themselves_and_can_be_put_to_rest(api: Api) -> None:
    send(api, {"userId": "a", "name": BOUGHT, "properties": {"amount": 5, "coupon": "x"}})
    send(api, {"userId": "a", "name": BOUGHT, "properties": {"amount": "5"}})
    (shown,) = api.get("/event-definitions").json()["definitions"]
    assert (shown["name"], shown["volume"], shown["active"]) == (BOUGHT, 2, True)
    assert shown["properties"] == {"amount": ["number", "string"], "coupon": ["string"]}
    path = "/event-definitions/Order%20Completed"
    assert api.patch(path, {"active": False, "description": "x"}).json()["active"] is False
    assert statuses(send(api, {"userId": "a", "name": BOUGHT})) == ["dropped"]
    assert len(api.get("/users/a/events", name=BOUGHT).json()["events"]) == 2
    (row,) = api.get("/event-definitions/rejections").json()["rejections"]
    assert (row["name"], row["code"], row["count"]) == (BOUGHT, "inactive", 1)
    assert api.patch(path, {"active": True}).json()["volume"] == 2
    assert statuses(send(api, {"userId": "a", "name": BOUGHT})) == ["stored"]


def test_a_definition_is_made_once_by_hand(api: Api) -> None:
    given = {"name": "rejections", "description": "a/b"}
    assert api.post("/event-definitions", given).status_code == 201
    assert api.post("/event-definitions", given).status_code == 409
    assert api.patch("/event-definitions/rejections", {"active": False}).status_code == 200
    assert api.patch("/event-definitions/nope", {}).status_code == 404
    for bad in ("", "x" * 201, "USER_CREATE", "a\nb"):
        assert faults(api.post("/event-definitions", {"name": bad})) == {"name": "invalid"}
