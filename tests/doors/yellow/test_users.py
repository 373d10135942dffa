"""Users as a bot writes, reads, lists and deletes them, one or a thousand, and what is refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.doors.conftest import Serving
from tests.doors.yellow.conftest import BASE, Bot


def test_a_user_is_created_and_read_in_the_originals_shape(bot: Bot) -> None:
    sent = {
        "userId": "asha",
        "firstName": "Asha",
        "phone": "+91 98765 43210",
        "mobile": "919876543211",
        "country": "IN",
        "dob": "1990-05-01",
        "emailOptIn": True,
        "tags": ["vip", "mumbai"],
        "plan": "pro",
    }
    answer = bot.ask("POST", "/user", sent)
    assert answer.status_code == 200
    assert answer.json()["message"] == "User created successfully"
    data = answer.json()["data"]
    fixed = {n: data.pop(n) for n in ("id", "botId", "createdAt", "updatedAt", "profileComplete")}
    assert data == {
        "userId": {"value": "asha", "propertyType": "System"},
        "firstName": {"value": "Asha", "propertyType": "System"},
        "country": {"value": "IN", "propertyType": "System"},
        "phone": {"value": "919876543210", "propertyType": "System"},
        "dob": {"value": "1990-05-01", "propertyType": "System"},
        "emailOptin": {"value": True, "propertyType": "System"},
        "tags": {"value": ["vip", "mumbai"], "propertyType": "System"},
        "plan": {"value": "pro", "propertyType": "Custom"},
        "mobile": {"value": "919876543211", "propertyType": "Custom"},
    }
    assert fixed["id"] == {"value": "default_asha"}
    assert fixed["botId"] == {"value": "default"}
    assert fixed["profileComplete"] == {"value": "50.00"}
    assert fixed["createdAt"].keys() == fixed["updatedAt"].keys() == {"value", "propertyType"}
    read = bot.ask("GET", "/user/asha").json()
    assert read == {"message": "Fetched user successfully", "data": data | fixed}


def test_creating_an_existing_user_replaces_what_is_given_and_keeps_the_rest(bot: Bot) -> None:
    bot.data("POST", "/user", {"userId": "ravi", "firstName": "Ravi", "tags": ["a", "b"]})
    data = bot.data("POST", "/user", {"userId": "ravi", "city": "Pune", "tags": ["c"]})
    assert data["firstName"]["value"] == "Ravi"
    assert data["city"]["value"] == "Pune"
    assert data["tags"]["value"] == ["c"]


def test_updating_replaces_and_clears(bot: Bot) -> None:
    bot.data("POST", "/user", {"userId": "meera", "firstName": "Meera", "city": "Pune"})
    answer = bot.ask("PUT", "/user/meera", {"city": None, "tags": ["x"], "emailOptin": "false"})
    assert answer.json()["message"] == "User updated successfully"
    data = answer.json()["data"]
    assert "city" not in data
    assert (data["tags"]["value"], data["emailOptin"]["value"]) == (["x"], False)
    assert data["firstName"]["value"] == "Meera"


def test_only_what_is_asked_for_is_read(bot: Bot) -> None:
    bot.data("POST", "/user", {"userId": "123456", "email": "a@example.com", "city": "Pune"})

    def names(**query: Any) -> set[str]:
        data = bot.data("GET", "/user/123456", **query)
        return data.keys() - {"id", "botId", "createdAt", "updatedAt", "profileComplete"}

    assert names() == names(properties="") == {"userId", "email", "city"}
    assert names(properties="email,tags", userId="true") == {"userId", "email"}
    assert names(properties="email, city", userId="no") == {"email", "city"}
    assert names(properties="email", allProperties="true") == {"userId", "email", "city"}
    assert names(userId="false") == {"email", "city"}
    status, error = bot.refused("GET", "/user/123456", properties="email,hobby")
    assert (status, "hobby" in error) == (400, True)


def test_users_are_listed_in_the_order_they_were_made(bot: Bot) -> None:
    for n in range(5):
        bot.data("POST", "/user", {"userId": f"listed-{n}"})
    answer = bot.ask("GET", "/user", limit=1_000)
    assert answer.json()["message"] == "Fetched users successfully"
    ids = [user["userId"]["value"] for user in answer.json()["data"] if "userId" in user]
    start = ids.index("listed-0")
    assert ids[start : start + 5] == [f"listed-{n}" for n in range(5)]
    page = bot.data("GET", "/user", offset=1, limit=2)
    assert [user["userId"]["value"] for user in page] == ids[1:3]
    assert bot.data("GET", "/user", offset=10_000) == []


def test_a_deleted_user_is_gone(bot: Bot) -> None:
    bot.data("POST", "/user", {"userId": "gone"})
    answer = bot.ask("DELETE", "/user/gone")
    assert (answer.status_code, answer.json()["message"]) == (200, "User deleted successfully")
    assert int(answer.headers["x-user360-seq"]) > 0
    assert bot.refused("GET", "/user/gone")[0] == 404
    assert bot.refused("DELETE", "/user/gone")[0] == 404
    assert bot.refused("PUT", "/user/gone", {"city": "Pune"})[0] == 404


@pytest.mark.parametrize("user_id", ["a@example.com", "+91 98765", "ünï", "a_b", "loan:7.5%", "🙂"])
def test_a_user_id_may_hold_any_characters(bot: Bot, user_id: str) -> None:
    bot.data("POST", "/user", {"userId": user_id})
    assert bot.data("GET", f"/user/{quote(user_id)}")["userId"]["value"] == user_id


@pytest.mark.parametrize("user_id", ["a/b", "a%2Fb", "what?#", "a+b c", "x/../y", "create-bulk/"])
def test_a_user_id_arrives_as_it_was_sent_over_the_wire(server: Serving, user_id: str) -> None:
    base, query = f"{server.url}{BASE}/user", {"bot": "default"}
    headers = {"x-api-key": server.product.key}
    httpx.post(base, json={"userId": user_id}, params=query, headers=headers)
    one = f"{base}/{quote(user_id, safe='')}"
    read = httpx.get(one, params=query, headers=headers)
    assert read.json()["data"]["userId"]["value"] == user_id
    assert httpx.delete(one, params=query, headers=headers).status_code == 200
    assert httpx.get(one, params=query, headers=headers).status_code == 404


def test_many_users_are_created_and_asked_after(bot: Bot) -> None:
    bot.data("POST", "/user", {"userId": "bulk-0", "city": "Pune", "firstName": "Old"})
    users = [
        {"userId": "bulk-0", "city": "Goa"},
        {"userId": "bulk-1", "city": "Goa"},
        {"userId": "bulk-2", "email": "nobody", "hobby": "chess"},
        {"city": "Goa"},
        "nonsense",
        {"userId": "null"},
    ]
    answer = bot.ask("POST", "/user/create-bulk", {"users": users}, uponConflict="UPDATE_EXISTING")
    assert answer.json().keys() == {"message", "data"}
    done = bot.data("GET", "/user/create-bulk", id=answer.json()["data"])
    assert done["comment"] == "finished processing"
    failed = done["result"].pop("failedUsers")
    assert done["result"] == {
        "newUsers": {"bulk-1": "default"},
        "conflictedUsers": {"bulk-0": "default"},
    }
    assert failed.keys() == {
        "users.2.email", "users.2.hobby", "users.3.userId", "users.4", "users.5.userId",
    }  # fmt: skip
    kept = bot.data("GET", "/user/bulk-0")
    assert (kept["city"]["value"], kept["firstName"]["value"]) == ("Goa", "Old")


def test_what_exists_is_retained_when_asked_so(bot: Bot) -> None:
    bot.data("POST", "/user", {"userId": "kept-0", "city": "Pune"})
    users = [{"userId": "kept-0", "city": "Goa"}, {"userId": "kept-1", "city": "Goa"}]
    job = bot.data("POST", "/user/create-bulk", {"users": users}, uponConflict="RETAIN_IMPORTED")
    assert bot.data("GET", "/user/create-bulk", id=job)["result"] == {
        "newUsers": {"kept-1": "default"},
        "conflictedUsers": {"kept-0": "default"},
    }
    assert bot.data("GET", "/user/kept-0")["city"]["value"] == "Pune"


def test_a_thousand_users_and_no_more(bot: Bot) -> None:
    users = [{"userId": f"k-{n}"} for n in range(1_000)]
    job = bot.data("POST", "/user/create-bulk", {"users": users})
    assert len(bot.data("GET", "/user/create-bulk", id=job)["result"]["newUsers"]) == 1_000
    too_many = {"users": [*users, {"userId": "k-1000"}]}
    assert bot.refused("POST", "/user/create-bulk", too_many)[0] == 400
    assert bot.refused("GET", "/user/k-1000")[0] == 404


def test_a_job_of_nobody_is_not_found(bot: Bot) -> None:
    assert bot.refused("GET", "/user/create-bulk", id="0" * 32)[0] == 404
    assert bot.refused("GET", "/user/create-bulk")[0] == 400


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, ["userId"]),
        ({"userId": None}, ["userId"]),
        ({"userId": ["a"]}, ["userId"]),
        ({"userId": " "}, ["userId"]),
        ({"userId": "undefined"}, ["userId"]),
        ({"userId": "x", "email": "nobody", "dob": "May", "hobby": 1}, ["email", "dob", "hobby"]),
        ({"userId": "x", "createdAt": "2024-01-01"}, ["createdAt"]),
    ],
    ids=str,
)
def test_a_bad_user_is_refused_by_name(bot: Bot, body: Any, places: list[str]) -> None:
    status, error = bot.refused("POST", "/user", body)
    assert status == 400
    assert all(f"{place}: " in error for place in places)


@pytest.mark.parametrize(
    "query",
    [{"offset": -1}, {"limit": 0}, {"limit": 1_001}, {"limit": "x"}, {"offset": 2**70}],
    ids=str,
)
def test_a_bad_page_is_refused(bot: Bot, query: dict[str, Any]) -> None:
    assert bot.refused("GET", "/user", **query)[0] == 400


def test_a_bad_choice_upon_conflict_is_refused(bot: Bot) -> None:
    assert bot.refused("POST", "/user/create-bulk", {"users": []}, uponConflict="x")[0] == 400
