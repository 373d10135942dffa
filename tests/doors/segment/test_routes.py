"""The tracking API as its callers see it: keys, bodies, answers, and what is known then."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient

from tests.doors.conftest import Product
from user360.access.workspaces import WorkspaceSettings
from user360.events import store as event_store
from user360.events.definitions import Definition
from user360.storage.ledger import Connection

Client = TestClient[Any]
SHORT = {"identify": "i", "track": "t", "page": "p", "screen": "s", "group": "g", "alias": "a"}


@pytest.fixture
def basic(product: Product) -> dict[str, str]:
    """The header with which SDKs say whose the messages are."""
    return {"Authorization": "Basic " + base64.b64encode(f"{product.key}:".encode()).decode()}


def errors_of(answer: httpx.Response) -> dict[str, str]:
    return {error["path"]: error["code"] for error in answer.json()["errors"]}


def track(**sent: Any) -> dict[str, Any]:
    return {"type": "track", "userId": "ana", "event": "Purchase", **sent}


def test_a_visitor_browses_signs_up_and_buys(
    client: Client, product: Product, basic: dict[str, str]
) -> None:
    story = [
        {"type": "page", "anonymousId": "b-1", "name": "Prices", "messageId": "story-1"},
        {"type": "identify", "anonymousId": "b-1", "userId": "eva", "messageId": "story-2",
         "traits": {"name": "Eva Braun", "email": "EVA@example.com", "plan": "pro"}},
        {"type": "track", "userId": "eva", "event": "Purchase", "properties": {"amount": 18.5},
         "messageId": "story-3"},
    ]  # fmt: skip
    answer = client.post("/v1/batch", json={"batch": story}, headers=basic)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert int(answer.headers["x-user360-seq"]) > 0
    eva = product.person("eva")
    assert eva is not None
    assert eva["properties"] == {
        "firstName": "Eva", "lastName": "Braun", "email": "eva@example.com", "plan": "pro",
    }  # fmt: skip
    assert eva == product.visitor("b-1")
    seen = product.events("eva", "Page Viewed", "Purchase")
    assert [(e["name"], e["id"], e["source"]) for e in seen] == [
        ("Page Viewed", "story-1", "sdk"),
        ("Purchase", "story-3", "sdk"),
    ]


def test_the_same_batch_sent_again_changes_nothing(
    client: Client, product: Product, basic: dict[str, str]
) -> None:
    sent = {"batch": [track(userId="again", messageId="again-1"), track(userId="again")]}
    for _ in range(2):
        assert client.post("/v1/batch", json=sent, headers=basic).json() == {"success": True}
    ids = [e["id"] for e in product.events("again", "Purchase")]
    assert ids.count("again-1") == 1
    assert len(ids) == 3, "one without an id is a new one each time"


@pytest.mark.parametrize("kind", SHORT)
def test_each_kind_has_its_route_and_the_browsers_short_one(
    client: Client, basic: dict[str, str], kind: str
) -> None:
    sent = {"userId": f"kind-{kind}", "event": "x", "groupId": "acme", "previousId": "nobody-1"}
    for route in (kind, SHORT[kind]):
        answer = client.post(f"/v1/{route}", json=sent, headers=basic)
        assert (answer.status_code, answer.json()) == (200, {"success": True})


def test_a_batch_may_come_to_its_short_route_and_as_an_import(
    client: Client, product: Product, basic: dict[str, str]
) -> None:
    for route in ("b", "import"):
        sent = {"batch": [track(userId=f"to-{route}")]}
        assert client.post(f"/v1/{route}", json=sent, headers=basic).json() == {"success": True}
        assert product.person(f"to-{route}") is not None


def test_a_group_is_an_event_and_a_property(
    client: Client, product: Product, basic: dict[str, str]
) -> None:
    sent = {"userId": "grouped", "groupId": "acme", "traits": {"name": "Acme", "employees": 12}}
    client.post("/v1/group", json=sent, headers=basic)
    grouped = product.person("grouped")
    assert grouped is not None
    assert grouped["properties"] == {"groupId": "acme"}
    (event,) = product.events("grouped", "Group")
    assert json.loads(bytes(event["properties"])) == {
        "name": "Acme", "employees": 12, "groupId": "acme",
    }  # fmt: skip


def test_an_alias_merges_the_visitor_into_the_user(
    client: Client, product: Product, basic: dict[str, str]
) -> None:
    def send(kind: str, **sent: Any) -> None:
        assert client.post(f"/v1/{kind}", json=sent, headers=basic).json() == {"success": True}

    send("track", anonymousId="b-9", event="Product Viewed")
    send("identify", userId="zoe", traits={"firstName": "Zoe"})
    send("alias", previousId="b-9", userId="zoe")
    visitor = product.visitor("b-9")
    assert visitor is not None
    assert visitor["userId"] == "zoe"
    assert [e["name"] for e in product.events("zoe", "Product Viewed")] == ["Product Viewed"]


def test_the_write_key_may_stand_in_the_body(client: Client, product: Product) -> None:
    answer = client.post("/v1/t", json=track(userId="keyed", writeKey=product.key))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    batch = {"batch": [track(userId="keyed-2")], "writeKey": product.key}
    assert client.post("/v1/b", json=batch).status_code == 200
    assert product.person("keyed-2") is not None


@pytest.mark.parametrize("route", ["track", "t", "batch"])
@pytest.mark.parametrize("given", [{}, {"writeKey": "no such key"}, {"writeKey": 5}])
def test_without_a_valid_key_nothing_is_taken(
    client: Client, product: Product, route: str, given: dict[str, Any]
) -> None:
    before = len(product.events())
    answer = client.post(f"/v1/{route}", json=track(batch=[track()], **given))
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert len(product.events()) == before


@pytest.mark.parametrize(
    ("role", "status"),
    [("admin", 200), ("editor", 200), ("agent", 200), ("ingest", 200), ("reader", 403)],
)
def test_who_may_write_events(client: Client, product: Product, role: str, status: int) -> None:
    key = product.make_key(role)
    for header in ({"x-api-key": key}, {"Authorization": f"Bearer {key}"}):
        assert client.post("/v1/track", json=track(), headers=header).status_code == status


def test_a_bad_message_fails_alone_and_says_why(
    client: Client, product: Product, basic: dict[str, str]
) -> None:
    sent = [
        track(userId="kept-1"),
        {"type": "purchase", "userId": "ana"},
        "not even an object",
        {"type": "identify", "userId": "bad-1",
         "traits": {"email": "nobody", "birthday": "May", "address": {"city": 5}}},
        track(userId="null"),
        track(event=""),
        track(userId="ana", anonymousId="s" * 300, context={"channel": "c" * 300}),
        track(timestamp="2099-01-01T00:00:00Z"),
        track(properties={"text": "x" * 33_000}),
        {"type": "group", "userId": "ana"},
        {"type": "track", "userId": "kept-2", "event": "Purchase",
         "context": {"traits": {"email": "nobody"}}},
        track(userId="kept-3"),
    ]  # fmt: skip
    answer = client.post("/v1/batch", json={"batch": sent}, headers=basic)
    assert answer.status_code == 200
    assert answer.json()["success"] is True
    assert errors_of(answer) == {
        "batch.1.type": "malformed",
        "batch.2": "malformed",
        "batch.3.traits.email": "invalidDataType",
        "batch.3.traits.birthday": "invalidDataType",
        "batch.3.traits.address.city": "invalidDataType",
        "batch.4.userId": "invalidUserId",
        "batch.5.event": "invalid",
        "batch.6.anonymousId": "invalid",
        "batch.6.context.channel": "invalid",
        "batch.7.timestamp": "invalid",
        "batch.8": "tooLarge",
        "batch.9.groupId": "invalid",
        "batch.10.context.traits.email": "invalidDataType",
    }
    for kept in ("kept-1", "kept-2", "kept-3"):
        assert [e["name"] for e in product.events(kept, "Purchase")] == ["Purchase"]
    assert product.person("bad-1") is None


def test_every_refusal_is_counted_with_its_reason_and_without_a_value(
    client: Client, product: Product, basic: dict[str, str]
) -> None:
    def counted() -> dict[tuple[str, str, str], int]:
        with product.platform.ledger.read() as connection:
            rows = event_store.rejections(connection, product.platform.default.id)
        assert "secret" not in str(rows)
        return {(r["name"], r["path"], r["code"]): r["count"] for r in rows}

    before = counted()
    sent = [
        {"type": "secret"},
        {"type": "group", "userId": "secret"},
        {"type": "identify", "userId": "x1", "traits": {"email": "secret"}},
        track(event="Refund", timestamp="secret"),
    ]
    client.post("/v1/batch", json={"batch": sent}, headers=basic)
    client.post("/v1/track", json=track(event="Refund", timestamp="secret"), headers=basic)
    after = counted()
    assert {k: n - before.get(k, 0) for k, n in after.items() if n != before.get(k, 0)} == {
        ("unreadable", "batch.type", "malformed"): 1,
        ("group", "batch.groupId", "invalid"): 1,
        ("write", "batch.traits.email", "invalidDataType"): 1,
        ("Refund", "batch.timestamp", "invalid"): 1,
        ("Refund", "timestamp", "invalid"): 1,
    }


@pytest.mark.parametrize(
    ("route", "sent", "errors"),
    [
        ("track", {"userId": "ana"}, {"event": "invalid"}),
        ("track", {"event": "x"}, {"userId": "invalid"}),
        ("t", {"userId": "undefined", "event": "x"}, {"userId": "invalidUserId"}),
        ("identify", {"userId": "ana", "traits": {"name": 5}}, {"traits.name": "invalidDataType"}),
        ("identify", {"userId": "ana", "context": {"traits": {"birthday": 5}}},
         {"context.traits.birthday": "invalidDataType"}),
        ("identify", {"userId": "ana", "traits": {"plans": [{}]}},
         {"traits.plans": "invalidDataType"}),
        ("identify", {"userId": "ana", "traits": {"ж": 5}}, {"traits.ж": "invalidProperty"}),
        ("identify", {"type": "track", "userId": "ana"}, {"type": "malformed"}),
        ("page", {"userId": "ana", "name": 5}, {"name": "malformed"}),
        ("group", {"userId": "ana", "groupId": "g" * 256}, {"groupId": "invalidDataType"}),
        ("alias", {"userId": "ana"}, {"previousId": "invalid"}),
    ],
    ids=str,
)  # fmt: skip
def test_a_single_bad_message_is_answered_with_its_paths(
    client: Client, basic: dict[str, str], route: str, sent: Any, errors: dict[str, str]
) -> None:
    answer = client.post(f"/v1/{route}", json=sent, headers=basic)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert errors_of(answer) == errors


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b'{"batch": 5}',
        b'{"batch": null}',
        b"{}",
        b"\xff\xfe",
        b"[" * 9_999,
    ],
)
def test_a_body_that_is_no_batch_is_refused(
    client: Client, basic: dict[str, str], body: bytes
) -> None:
    assert client.post("/v1/batch", content=body, headers=basic).status_code == 400


@pytest.mark.parametrize(
    "properties",
    [b'{"n": 123456789012345678901234567890}', b'{"n": 1e308}', b'{"a": {"b": [[[1]]]}}',
     b'{"n": "\\u0000"}', b'{"n": ' + b"[" * 500 + b"]" * 500 + b"}"],
    ids=lambda body: str(body)[:40],
)  # fmt: skip
def test_awkward_properties_are_kept_or_refused_but_never_a_defect(
    client: Client, basic: dict[str, str], properties: bytes
) -> None:
    body = b'{"batch": [{"type": "track", "userId": "odd", "event": "x", "properties": '
    answer = client.post("/v1/batch", content=body + properties + b"}]}", headers=basic)
    assert answer.status_code == 200
    told = answer.json().get("errors", [])
    assert all("defect" not in error["message"] for error in told)


def test_an_empty_batch_is_a_success(client: Client, basic: dict[str, str]) -> None:
    answer = client.post("/v1/batch", json={"batch": []}, headers=basic)
    assert (answer.status_code, answer.json()) == (200, {"success": True})


def test_a_batch_with_a_broken_clock_is_kept_and_told(
    client: Client, product: Product, basic: dict[str, str]
) -> None:
    sent = {"batch": [track(userId="clocked")], "sentAt": "yesterday"}
    assert errors_of(client.post("/v1/batch", json=sent, headers=basic)) == {"sentAt": "invalid"}
    assert product.person("clocked") is not None


def test_bodies_may_be_packed_and_of_any_type(
    client: Client, product: Product, basic: dict[str, str]
) -> None:
    body = json.dumps({"batch": [track(userId="packed")]}).encode()
    packed = {**basic, "Content-Encoding": "gzip", "Content-Type": "text/plain"}
    answer = client.post("/v1/batch", content=gzip.compress(body), headers=packed)
    assert answer.json() == {"success": True}
    assert product.person("packed") is not None


def test_of_very_many_errors_the_first_are_listed_and_the_rest_told(
    client: Client, basic: dict[str, str]
) -> None:
    answer = client.post("/v1/batch", json={"batch": [{}] * 2_500}, headers=basic)
    *listed, last = answer.json()["errors"]
    assert [e["path"] for e in listed] == [f"batch.{n}.type" for n in range(1_000)]
    assert last["message"].startswith("1500 more errors")


def test_a_batch_of_more_messages_than_anyone_sends_is_not_taken(
    client: Client, basic: dict[str, str]
) -> None:
    answer = client.post("/v1/batch", json={"batch": [{}] * 50_001}, headers=basic)
    assert (answer.status_code, errors_of(answer)) == (413, {"batch": "tooLarge"})


def test_a_message_with_very_many_bad_traits_is_answered_soon(
    client: Client, basic: dict[str, str]
) -> None:
    bad = {"type": "identify", "userId": "m", "traits": {f"bad {n}": [{}] for n in range(1_000)}}
    answer = client.post("/v1/batch", json={"batch": [bad] * 20}, headers=basic)
    assert answer.elapsed.total_seconds() < 20
    assert answer.json()["errors"][0]["path"] == "batch.0.traits.bad 0"


def test_more_than_four_megabytes_are_not_taken(client: Client, basic: dict[str, str]) -> None:
    body = json.dumps({"batch": [], "padding": "x" * 4_194_304}).encode()
    assert client.post("/v1/batch", content=body, headers=basic).status_code == 413
    packed = {**basic, "Content-Encoding": "gzip"}
    answer = client.post("/v1/batch", content=gzip.compress(body), headers=packed)
    assert answer.status_code == 413


def test_a_single_message_of_more_than_32_kilobytes_is_not_taken(
    client: Client, basic: dict[str, str]
) -> None:
    sent = track(properties={"text": "x" * 33_000})
    assert client.post("/v1/track", json=sent, headers=basic).status_code == 413


def test_a_full_queue_asks_to_come_back(
    client: Client, product: Product, basic: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(product.platform.committer, "queue_calls", 0)
    answer = client.post("/v1/batch", json={"batch": [track()]}, headers=basic)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_pages_of_any_origin_may_send(client: Client, product: Product) -> None:
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = client.options("/v1/t", headers=asked)
    assert answer.status_code in (200, 204)
    assert answer.headers["access-control-allow-origin"] in ("*", "https://shop.example")
    sent = client.post(
        "/v1/t",
        json=track(writeKey=product.key),
        headers={"Origin": "https://shop.example"},
    )
    assert sent.headers["access-control-allow-origin"] in ("*", "https://shop.example")


def set_undeclared(product: Product, choice: Any) -> None:
    product.platform.default.apply(WorkspaceSettings(undeclared_traits=choice))


@pytest.mark.parametrize(
    ("choice", "kept", "errors"),
    [
        ("create", {"firstName": "Lea", "hobby": "chess", "first_seen": "2024-05-01"}, {}),
        ("ignore", {"firstName": "Lea"}, {}),
        ("reject", None, {"batch.0.traits.pastime": "invalidProperty"}),
    ],
)
def test_traits_nobody_declared(
    client: Client, product: Product, basic: dict[str, str], choice: str, kept: Any, errors: Any
) -> None:
    undeclared = {"ignore": {"sport": 1}, "reject": {"pastime": 1}}
    traits = {"firstName": "Lea", **undeclared.get(choice, {"hobby": "chess"})}
    if choice == "create":
        traits |= {"first seen": "2024-05-01", "nothing": "", "none": None}
    set_undeclared(product, choice)
    try:
        sent = {"batch": [{"type": "identify", "userId": f"lea-{choice}", "traits": traits}]}
        answer = client.post("/v1/batch", json=sent, headers=basic)
    finally:
        set_undeclared(product, "create")
    assert {e["path"]: e["code"] for e in answer.json().get("errors", [])} == errors
    lea = product.person(f"lea-{choice}")
    assert (None if lea is None else lea["properties"]) == kept


def test_events_of_an_inactive_definition_are_dropped_and_told(
    client: Client, product: Product, basic: dict[str, str]
) -> None:
    def deactivate(connection: Connection) -> None:
        definition = Definition("Heartbeat", active=False)
        product.platform.default.definitions["Heartbeat"] = definition
        event_store.save_definition(connection, product.platform.default.id, definition)

    product.platform.write(deactivate)
    sent = {"batch": [track(userId="still", event="Heartbeat"), track(userId="still")]}
    answer = client.post("/v1/batch", json=sent, headers=basic)
    assert errors_of(answer) == {"batch.0": "inactive"}
    assert [e["name"] for e in product.events("still", "Heartbeat", "Purchase")] == ["Purchase"]


def test_what_is_described_is_what_is_answered(client: Client, basic: dict[str, str]) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    own = {path: methods for path, methods in paths.items() if path.startswith("/v1/")}
    routes = [path for path, methods in own.items() if "post" in methods]
    assert len(routes) == 15
    for path in routes:
        operation = paths[path]["post"]
        example = operation["requestBody"]["content"]["application/json"]["examples"]["usual"]
        answer = client.post(path, json=example["value"], headers=basic)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        assert {"200", "400", "401", "403", "413", "429"} <= operation["responses"].keys()
