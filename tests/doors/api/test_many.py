"""Many users at once: searched, written in bulk, deleted by list and by condition."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doors.api.conftest import Api, faults

PUNE = {"property": "city", "op": "is", "values": ["Pune"]}


def bulk(api: Api, users: list[Any], **given: Any) -> dict[str, Any]:
    answer = api.post("/users/bulk", {"users": users, **given})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    assert len(told["outcomes"]) == len(users)
    assert sum(told["counts"].values()) == len(users)
    return told


def statuses(told: dict[str, Any]) -> list[str]:
    return [outcome["status"] for outcome in told["outcomes"]]


def test_an_outcome_for_each_row_in_their_order(api: Api) -> None:
    api.user("old", city="Pune")
    users: list[Any] = [
        {"userId": "new", "properties": {"city": "Pune"}},
        {"userId": "old", "properties": {"city": "Goa"}},
        {"userId": "old", "properties": {"city": "Goa"}},
        {"userId": "bad", "properties": {"dob": "soon", "email": "x"}},
        {"userId": "null", "properties": {}},
        {"properties": {}},
        "what",
        None,
        {"userId": 7, "propertis": {}},
        {"userId": "last"},
    ]
    told = bulk(api, users)
    assert statuses(told) == [
        *("created", "updated", "unchanged"),
        *["failed"] * 6,
        "created",
    ]
    paths = [{f["path"] for f in outcome["errors"]} for outcome in told["outcomes"]]
    assert paths[3:9] == [
        {"users.3.properties.dob", "users.3.properties.email"},
        {"users.4.userId"},
        {"users.5.userId"},
        {"users.6"},
        {"users.7"},
        {"users.8.userId", "users.8.propertis"},
    ]
    assert told["outcomes"][0]["userId"] == "new"
    assert told["outcomes"][0]["id"] == api.get("/users/new").json()["id"]
    assert sorted(str(u) for u in api.search()) == ["last", "new", "old"]


def test_a_row_that_json_cannot_carry_fails_alone(api: Api) -> None:
    body = '{"users": [{"userId": "a"}, {"userId": "\\ud800"}, {"userId": "b", "properties": '
    body += '{"city": 1e999}}, {"userId": "c", "properties": {"city": ' + "[" * 300 + "]" * 300
    body += '}}, {"userId": "d"}]}'
    answer = api.call("POST", "/users/bulk", content=body)
    assert statuses(answer.json()) == ["created", "failed", "failed", "failed", "created"]


def test_nesting_without_end_refuses_the_whole(api: Api) -> None:
    body = '{"users": [{"userId": "a"}, {"userId": "c", "properties": {"city": '
    body += "[" * 50_000 + "]" * 50_000 + "}}]}"
    answer = api.call("POST", "/users/bulk", content=body)
    assert answer.status_code == 400
    assert "nested" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("how", "status", "left"),
    [
        ("update", "updated", {"city": "Pune", "firstName": "Asha"}),
        ("replace", "updated", {"firstName": "Asha"}),
        ("skip", "skipped", {"city": "Pune"}),
    ],
)
def test_what_becomes_of_those_that_exist(
    api: Api, how: str, status: str, left: dict[str, str]
) -> None:
    api.user("asha", city="Pune")
    users = [{"userId": "asha", "properties": {"firstName": "Asha"}}]
    assert statuses(bulk(api, users, onConflict=how)) == [status]
    assert api.get("/users/asha").json()["properties"] == left


def test_ten_thousand_rows_and_not_one_more(api: Api) -> None:
    users = [{"userId": f"u{n}", "properties": {"city": "Pune"}} for n in range(10_000)]
    assert bulk(api, users)["counts"] == {"created": 10_000}
    assert api.post("/users/search", {"where": PUNE, "limit": 1}).json()["total"] == 10_000
    answer = api.post("/users/bulk", {"users": [*users, {"userId": "one"}]})
    assert answer.status_code == 400
    assert faults(answer) == {"users": "invalid"}


def test_a_search_pages_through_everybody_once(api: Api) -> None:
    bulk(api, [{"userId": f"u{n:02}", "properties": {"city": f"c{n % 3}"}} for n in range(25)])
    found: list[Any] = []
    cursor = None
    while True:
        given = {"sort": [{"by": "city"}, {"by": "userId", "desc": True}], "limit": 4}
        page = api.post("/users/search", {**given, "cursor": cursor}).json()
        assert page["total"] == 25
        found += [(u["properties"]["city"], u["userId"]) for u in page["users"]]
        if (cursor := page["cursor"]) is None:
            break
    assert found == sorted(found, key=lambda pair: (pair[0], [-ord(c) for c in pair[1]]))
    assert len(set(found)) == 25


def test_a_search_by_text_and_for_some_properties(api: Api) -> None:
    api.user("asha", firstName="Asha", lastName="Rao", email="asha@example.com", city="Pune")
    api.user("ravi", firstName="Ravi", city="Pune")
    for text in ("ASHA", "asha rao", "example.com"):
        assert api.search(text=text) == ["asha"]
    assert api.search(PUNE, text="ravi") == ["ravi"]
    page = api.post("/users/search", {"text": "asha", "properties": ["city"]}).json()
    assert page["users"][0]["properties"] == {"city": "Pune"}
    assert faults(api.post("/users/search", {"properties": ["city", "shoe"]})) == {
        "properties.1": "invalidProperty"
    }


def test_what_is_wrong_with_a_search_is_named(api: Api) -> None:
    where = {"all": [{"property": "citty", "op": "is", "values": ["x"]}, {"nope": 1}]}
    assert set(faults(api.post("/users/search", {"where": where}))) == {
        "where.all.0.property",
        "where.all.1",
    }
    for given, path in (
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"limit": "5"}, "limit"),
        ({"cursor": "zzz"}, "cursor"),
        ({"cursor": "W10"}, "cursor"),
        ({"sort": [{"by": "tags"}]}, "sort.0.by"),
        ({"sort": [{"by": "shoe"}]}, "sort.0.by"),
        ({"sort": "city"}, "sort"),
        ({"wher": {}}, "wher"),
    ):
        assert set(faults(api.post("/users/search", given))) == {path}, given


def test_deleting_by_list_tells_whom_there_was_not(api: Api) -> None:
    bulk(api, [{"userId": "a"}, {"userId": "b"}, {"userId": "c"}])
    answer = api.post("/users/delete", {"userIds": ["a", "x", "b", "a"]})
    assert answer.json() == {"deleted": 2, "missing": ["x", "a"]}
    assert api.search() == ["c"]


def test_deleting_by_condition_takes_all_of_them_or_nobody(api: Api) -> None:
    users = [{"userId": f"u{n}", "properties": {"city": "Pune"}} for n in range(1_205)]
    bulk(api, [*users, {"userId": "goa", "properties": {"city": "Goa"}}])
    refused = api.post("/users/delete", {"where": PUNE, "expect": 50})
    assert refused.status_code == 409
    assert "1205" in refused.json()["detail"]
    assert "50" in refused.json()["detail"]
    assert len(api.search(limit=1000)) == 1000
    answer = api.post("/users/delete", {"where": PUNE, "expect": 1_205})
    assert answer.json() == {"deleted": 1_205, "missing": []}
    assert api.search() == ["goa"]
    line = api.get("/audit").json()["audit"][0]
    assert (line["action"], line["detail"]) == ("users.delete", {"deleted": 1_205})


def test_deleting_must_be_said_clearly(api: Api) -> None:
    for given in ({}, {"where": PUNE}, {"where": PUNE, "userIds": ["a"], "expect": 1}):
        assert api.post("/users/delete", given).status_code == 400
    assert faults(api.post("/users/delete", {"where": {"all": []}, "expect": 0})) == {
        "where.all": "invalidCondition"
    }


def test_a_count_is_of_what_is_committed_not_of_what_was_seen(api: Api) -> None:
    """A delete sees every write before it, even one that no reader asked to see yet."""
    api.seen = "0"
    for n in range(5):
        api.client.put(
            f"/api/v1/users/u{n}",
            json={"properties": {"city": "Pune"}},
            headers={"x-api-key": api.keys["admin"]},
        )
    assert api.post("/users/delete", {"where": PUNE, "expect": 5}).json()["deleted"] == 5
