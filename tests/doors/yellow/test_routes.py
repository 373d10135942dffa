"""The original's API as a bot knows it: the calls of its documentation, and what they answer."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from litestar.testing import TestClient

from tests.doors.conftest import Product, Serving
from user360.events import store as event_store
from user360.events.definitions import Definition
from user360.identity import people
from user360.records import store as record_store
from user360.records.properties import Catalogue, Property, Type
from user360.storage.ledger import Connection

Client = TestClient[Any]
BASE = "/cdp/api/v1"


@pytest.fixture(scope="module", autouse=True)
def _declared(product: Product) -> None:
    """A bot's own properties are declared before it writes them."""

    def declare(connection: Connection) -> None:
        workspace = product.platform.default
        plan, alternate = Property(101, "plan", Type.STRING), Property(102, "mobile", Type.PHONE)
        for kept in (plan, alternate):
            record_store.save_property(connection, workspace.id, kept, product.platform.now())
        workspace.catalogue = Catalogue([plan, alternate], workspace.catalogue.version)

    product.platform.write(declare)


class Bot:
    """A bot of yellow.ai whose host was changed to this one."""

    def __init__(self, client: Client, key: str) -> None:
        self.client = client
        self.headers = {"x-api-key": key}

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        params = {"bot": "default", **query}
        return self.client.request(
            method, f"{BASE}{path}", json=body, params=params, headers=self.headers
        )

    def data(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = self.ask(method, path, body, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def refused(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, str]:
        answer = self.ask(method, path, body, **query)
        assert list(answer.json()) == ["error"]
        return answer.status_code, answer.json()["error"]


@pytest.fixture
def bot(client: Client, product: Product) -> Bot:
    return Bot(client, product.key)


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


def test_an_event_creates_its_user_and_is_listed_at_once(bot: Bot) -> None:
    sent = {
        "userId": "918074212400",
        "eventName": "wa_1_custom_event",
        "source": "CUSTOM",
        "payload": {"link": "12-12-2023", "visits": 3},
    }
    answer = bot.ask("POST", "/event", sent)
    assert answer.json()["message"] == "Event created successfully"
    created = answer.json()["data"]
    assert created.keys() == {
        "id", "botId", "userId", "event", "source", "payload", "createdAt",
    }  # fmt: skip
    assert created["event"] == "wa_1_custom_event"
    assert created["payload"] == sent["payload"]
    own, made = bot.data("GET", "/event", userId="918074212400")
    assert own == created | {"updatedAt": own["updatedAt"]}
    assert (made["event"], made["source"]) == ("USER_CREATE", "SYSTEM")
    internal = bot.data("GET", "/user/918074212400")["id"]["value"]
    assert bot.data("GET", "/event", userId=internal, eventName="wa_1_custom_event") == [own]


def test_events_are_paged_by_the_time_of_the_last(bot: Bot) -> None:
    for n in range(5):
        event = {"userId": "paged", "eventName": "Step", "payload": {"n": n}}
        bot.data("POST", "/event", event)
        time.sleep(0.002)
    seen: list[int] = []
    query: dict[str, Any] = {"userId": "paged", "eventName": "Step", "limit": 2}
    while True:
        page = bot.data("GET", "/event", **query)
        fresh = [e["payload"]["n"] for e in page if e["payload"]["n"] not in seen]
        if not fresh:
            break
        seen += fresh
        query["offsetTimestamp"] = page[-1]["createdAt"]
    assert seen == [4, 3, 2, 1, 0]
    assert bot.refused("GET", "/event", userId="paged", offsetTimestamp="then")[0] == 400
    early = bot.data("GET", "/event", userId="paged", offsetTimestamp="2020-01-01T00:00:00+05:30")
    assert early == []


def test_an_event_that_is_not_taken_any_more(bot: Bot, product: Product) -> None:
    def deactivate(connection: Connection) -> None:
        definition = Definition("Heartbeat", active=False)
        product.platform.default.definitions["Heartbeat"] = definition
        event_store.save_definition(connection, product.platform.default.id, definition)

    product.platform.write(deactivate)
    status, error = bot.refused("POST", "/event", {"userId": "x", "eventName": "Heartbeat"})
    assert (status, "Heartbeat" in error) == (406, True)


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
    ("body", "place"),
    [
        ({"eventName": "x"}, "userId"),
        ({"userId": "x"}, "eventName"),
        ({"userId": "x", "eventName": 5}, "eventName"),
        ({"userId": "x", "eventName": "y" * 201}, "eventName"),
        ({"userId": "x", "eventName": "y", "payload": []}, "payload"),
        ({"userId": "x", "eventName": "USER_CREATE"}, "eventName"),
        ({"userId": "x", "eventName": "y", "payload": {"t": "x" * 33_000}}, "payload"),
    ],
    ids=lambda body: str(body)[:40],
)
def test_a_bad_event_is_refused_by_name(bot: Bot, body: Any, place: str) -> None:
    status, error = bot.refused("POST", "/event", body)
    assert (status, place in error) == (400, True)


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'"x"', b"\xff", b"[" * 9_999])
@pytest.mark.parametrize("path", ["/user", "/user/create-bulk", "/event"])
def test_a_body_that_is_no_object_is_refused(
    client: Client, bot: Bot, body: bytes, path: str
) -> None:
    answer = client.post(f"{BASE}{path}?bot=default", content=body, headers=bot.headers)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


@pytest.mark.parametrize(
    "query",
    [{"offset": -1}, {"limit": 0}, {"limit": 1_001}, {"limit": "x"}, {"offset": 2**70}],
    ids=str,
)
def test_a_bad_page_is_refused(bot: Bot, query: dict[str, Any]) -> None:
    assert bot.refused("GET", "/user", **query)[0] == 400


def test_a_bad_choice_upon_conflict_is_refused(bot: Bot) -> None:
    assert bot.refused("POST", "/user/create-bulk", {"users": []}, uponConflict="x")[0] == 400


CALLS = [
    ("POST", "/user", {"userId": "who"}),
    ("GET", "/user/asha", None),
    ("GET", "/user", None),
    ("PUT", "/user/asha", {}),
    ("DELETE", "/user/nobody", None),
    ("POST", "/user/create-bulk", {"users": []}),
    ("GET", "/user/create-bulk", None),
    ("POST", "/event", {"userId": "who", "eventName": "x"}),
    ("GET", "/event", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_only_a_key_of_the_bot_is_let_in(
    client: Client, product: Product, method: str, path: str, body: Any
) -> None:
    def status(key: str | None, **query: str) -> int:
        headers = {} if key is None else {"x-api-key": key}
        answer = client.request(method, f"{BASE}{path}", json=body, params=query, headers=headers)
        assert list(answer.json()) == ["error"] or answer.status_code == 200
        return answer.status_code

    assert status(None, bot="default") == 401
    assert status("no such key", bot="default") == 401
    assert status(product.key, bot="another") == 401
    assert status(product.key) == 400, "which bot is never guessed"
    assert status(product.key, bot="Default") in (200, 400, 404), "names differ by more than case"


@pytest.mark.parametrize("header", ["x-api-key", "X-Auth-Token"])
def test_the_key_comes_in_the_headers_that_the_original_knows(
    client: Client, product: Product, header: str
) -> None:
    for key in (product.key, f"Bearer {product.key}"):
        answer = client.get(f"{BASE}/user?bot=default", headers={header: key})
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("admin", {"write", "read", "delete", "event"}),
        ("editor", {"write", "read", "delete", "event"}),
        ("agent", {"write", "read", "event"}),
        ("reader", {"read"}),
        ("ingest", {"event"}),
    ],
)
def test_each_role_may_do_what_it_may_elsewhere(
    client: Client, product: Product, role: str, allowed: set[str]
) -> None:
    bot = Bot(client, product.make_key(role))
    asked = {
        "write": bot.ask("POST", "/user", {"userId": f"by-{role}"}),
        "read": bot.ask("GET", "/user"),
        "delete": bot.ask("DELETE", "/user/nobody-at-all"),
        "event": bot.ask("POST", "/event", {"userId": f"of-{role}", "eventName": "x"}),
    }
    assert {name for name, answer in asked.items() if answer.status_code != 401} == allowed


def test_an_answer_that_may_not_be_json_is_not_given(client: Client, product: Product) -> None:
    headers = {"x-api-key": product.key, "Accept": "text/html"}
    answer = client.get(f"{BASE}/user?bot=default", headers=headers)
    assert (answer.status_code, list(answer.json())) == (406, ["error"])


def test_a_full_queue_is_told_in_the_originals_shape(
    bot: Bot, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(product.platform.committer, "queue_calls", 0)
    assert bot.refused("POST", "/user", {"userId": "x"})[0] == 429


def test_a_body_that_is_too_large_is_told_in_the_originals_shape(client: Client, bot: Bot) -> None:
    body = b" " * 16_777_217
    answer = client.post(f"{BASE}/user?bot=default", content=body, headers=bot.headers)
    assert (answer.status_code, list(answer.json())) == (413, ["error"])


def test_a_defect_is_told_in_the_originals_shape_and_without_detail(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: Any) -> None:
        raise RuntimeError("asha@example.com")

    monkeypatch.setattr(people, "many", broken)
    status, error = bot.refused("GET", "/user")
    assert (status, "asha" in error) == (500, False)


def test_every_call_is_described_with_an_example_that_works(client: Client, bot: Bot) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    described = {path: calls for path, calls in paths.items() if path.startswith("/cdp/")}
    assert sorted((p.removeprefix(BASE), m) for p, calls in described.items() for m in calls) == [
        ("/event", "get"),
        ("/event", "post"),
        ("/user", "get"),
        ("/user", "post"),
        ("/user/create-bulk", "get"),
        ("/user/create-bulk", "post"),
        ("/user/{user_id}", "delete"),
        ("/user/{user_id}", "get"),
        ("/user/{user_id}", "put"),
    ]
    for path, calls in sorted(described.items()):
        for method in ("post", "put"):
            if method in calls:
                content = calls[method]["requestBody"]["content"]["application/json"]
                example = content["examples"]["usual"]["value"]
                asked = path.removeprefix(BASE).format(user_id="asha@example.com")
                assert bot.ask(method.upper(), asked, example).status_code == 200
