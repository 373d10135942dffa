"""What the tracking API does not take: each bad message alone, by its path, and counted."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.doors.conftest import Product
from tests.doors.segment.conftest import Client, errors_of, track
from user360.access.workspaces import WorkspaceSettings
from user360.events import store as event_store
from user360.events.definitions import Definition
from user360.storage.ledger import Connection


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


def test_a_batch_with_a_broken_clock_is_kept_and_told(
    client: Client, product: Product, basic: dict[str, str]
) -> None:
    sent = {"batch": [track(userId="clocked")], "sentAt": "yesterday"}
    assert errors_of(client.post("/v1/batch", json=sent, headers=basic)) == {"sentAt": "invalid"}
    assert product.person("clocked") is not None


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
