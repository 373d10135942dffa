"""What Segment's and RudderStack's scripts for the browser send, as recorded from them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from litestar.testing import TestClient

from tests.doors.conftest import Product

Client = TestClient[Any]
# The script of a page cannot set more than these without asking first.
BEACON = {"Content-Type": "text/plain;charset=UTF-8", "Origin": "https://shop.example"}


def browser_context() -> dict[str, Any]:
    return {
        "page": {
            "path": "/prices",
            "referrer": "",
            "search": "?utm_source=news",
            "title": "Prices",
            "url": "https://shop.example/prices?utm_source=news",
        },
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
        "userAgentData": {"brands": [], "mobile": False, "platform": "Linux"},
        "locale": "en-GB",
        "library": {"name": "analytics.js", "version": "npm:next-1.81.0"},
        "timezone": "Europe/London",
        "campaign": {"source": "news"},
    }


def segment(product: Product, kind: str, **own: Any) -> dict[str, Any]:
    """A call of Segment's script, with all that it adds to it."""
    return {
        "timestamp": "2026-11-20T05:39:58.120Z",
        "integrations": {"Segment.io": True},
        "type": kind,
        "context": browser_context(),
        "messageId": f"ajs-next-1763790000000-{kind}-{own.get('event', '')}",
        "writeKey": product.key,
        "userId": None,
        "anonymousId": "5c8e-browser",
        "sentAt": "2026-11-20T05:39:58.130Z",
        "_metadata": {"bundled": ["Segment.io"], "unbundled": [], "bundledIds": []},
        **own,
    }


@pytest.fixture
def november(monkeypatch: pytest.MonkeyPatch, product: Product) -> None:
    """The moment at which the calls were recorded, so that no clock needs correcting."""
    monkeypatch.setattr(product.platform.clock, "now", lambda: 1_795_153_198_200_000)
    monkeypatch.setattr(product.platform, "_last", 0)


@pytest.mark.usefixtures("november")
def test_a_visit_to_a_shop(client: Client, product: Product) -> None:
    def send(short: str, kind: str, **own: Any) -> None:
        body = json.dumps(segment(product, kind, **own))
        answer = client.post(f"/v1/{short}", content=body, headers=BEACON)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        assert answer.headers["access-control-allow-origin"] in ("*", "https://shop.example")

    page = {"path": "/prices", "title": "Prices", "url": "https://shop.example/prices"}
    send("p", "page", name="Prices", properties={**page, "name": "Prices"})
    send("t", "track", event="Product Viewed", properties={"sku": "cd-118"})
    send("i", "identify", userId="ana", traits={"name": "Ana Lima", "email": "ana@example.com"})
    send("g", "group", userId="ana", groupId="acme", traits={"name": "Acme"})
    send("s", "screen", userId="ana", name="Basket", properties={"name": "Basket"})
    send("a", "alias", userId="ana", previousId="5c8e-browser")
    ana = product.person("ana")
    assert ana is not None
    assert ana["properties"] == {
        "firstName": "Ana", "lastName": "Lima", "email": "ana@example.com", "groupId": "acme",
    }  # fmt: skip
    assert product.visitor("5c8e-browser") == ana
    happened = [e for e in product.events("ana") if not e["name"].startswith("USER_")]
    assert [e["name"] for e in happened] == [
        "Page Viewed", "Product Viewed", "Group", "Screen Viewed",
    ]  # fmt: skip
    assert {e["timestamp"] for e in happened} == {"2026-11-20T05:39:58.120Z"}
    assert {e["channel"] for e in happened} == {"web"}


@pytest.mark.usefixtures("november")
def test_a_page_that_is_left_sends_what_waits_as_a_beacon(client: Client, product: Product) -> None:
    waiting = [
        segment(product, "track", event="Scrolled", messageId="beacon-1"),
        segment(product, "track", event="Left", messageId="beacon-2"),
    ]
    body = {"writeKey": product.key, "batch": waiting, "sentAt": "2026-11-20T05:39:58.140Z"}
    answer = client.post("/v1/b", content=json.dumps(body), headers=BEACON)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    found = product.events(None, "Scrolled", "Left")
    assert {(e["name"], e["id"]) for e in found} == {("Scrolled", "beacon-1"), ("Left", "beacon-2")}


@pytest.mark.usefixtures("november")
def test_a_visitor_whose_clock_is_a_day_slow_is_seen_today(
    client: Client, product: Product
) -> None:
    late = segment(
        product,
        "track",
        event="Late",
        timestamp="2026-11-19T05:39:38.200Z",
        sentAt="2026-11-19T05:39:58.200Z",
    )
    assert client.post("/v1/t", content=json.dumps(late), headers=BEACON).status_code == 200
    (event,) = product.events(None, "Late")
    assert event["timestamp"] == "2026-11-20T05:39:38.200Z"


@pytest.mark.usefixtures("november")
def test_rudderstacks_script_repeats_the_traits_with_every_event(
    client: Client, product: Product
) -> None:
    sent = {
        "channel": "web",
        "context": {
            "app": {"name": "RudderLabs JavaScript SDK", "version": "3.11.0"},
            "traits": {"email": "rita@example.com", "plan": "pro", "anonymousId": "7d1f-rudder"},
            "sessionId": 1763790000,
            "sessionStart": True,
            "locale": "en-GB",
        },
        "type": "track",
        "messageId": "31b7-rudder",
        "originalTimestamp": "2026-11-20T05:39:58.120Z",
        "anonymousId": "7d1f-rudder",
        "userId": "",
        "event": "Product Viewed",
        "properties": {"sku": "cd-118"},
        "integrations": {"All": True},
        "sentAt": "2026-11-20T05:39:58.130Z",
    }
    basic = base64.b64encode(f"{product.key}:".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "AnonymousId": "N2QxZg=="}
    answer = client.post("/v1/track", json=sent, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    visitor = product.visitor("7d1f-rudder")
    assert visitor is not None
    assert visitor["userId"] is None
    assert visitor["properties"] == {"email": "rita@example.com", "plan": "pro"}


def test_the_script_asks_this_server_how_to_send_and_is_told_to_send_here(
    client: Client, product: Product
) -> None:
    answer = client.get(
        f"/v1/projects/{product.make_key('ingest')}/settings",
        headers={"Origin": "https://shop.example", "X-Forwarded-Proto": "https"},
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] in ("*", "https://shop.example")
    told = answer.json()
    sending = told["integrations"]["Segment.io"]
    assert (sending["protocol"], sending["apiHost"]) == ("https", "testserver.local/v1")
    assert told["metrics"]["sampleRate"] == 0
    for key, status in (("u3_nobodys", 401), (product.make_key("reader"), 403)):
        assert client.get(f"/v1/projects/{key}/settings").status_code == status
