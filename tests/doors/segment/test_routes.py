"""The tracking API as its callers see it: keys, bodies, answers, and what is known then."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.doors.conftest import Product
from tests.doors.segment.conftest import Client, track

SHORT = {"identify": "i", "track": "t", "page": "p", "screen": "s", "group": "g", "alias": "a"}


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


def test_an_empty_batch_is_a_success(client: Client, basic: dict[str, str]) -> None:
    answer = client.post("/v1/batch", json={"batch": []}, headers=basic)
    assert (answer.status_code, answer.json()) == (200, {"success": True})


def test_bodies_may_be_packed_and_of_any_type(
    client: Client, product: Product, basic: dict[str, str]
) -> None:
    body = json.dumps({"batch": [track(userId="packed")]}).encode()
    packed = {**basic, "Content-Encoding": "gzip", "Content-Type": "text/plain"}
    answer = client.post("/v1/batch", content=gzip.compress(body), headers=packed)
    assert answer.json() == {"success": True}
    assert product.person("packed") is not None


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
