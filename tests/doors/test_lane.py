"""Past the framework or through it, a caller is told the same."""

from __future__ import annotations

import gzip
from typing import Any

import httpx
import msgspec
import pytest
from litestar.testing import TestClient
from structlog.testing import capture_logs

from tests.doors.conftest import Product
from tests.waiting import early_in_a_minute
from user360.doors.lane import Lane
from user360.doors.segment import messages
from user360.platform import Platform

Client = TestClient[Any]
# A browser's post from another origin goes through the framework.
BROWSER = {"Origin": "https://shop.example"}
TRACK = b'{"type": "track", "userId": "ana", "event": "Purchase", "properties": {"amount": 1}}'
GZIP = {"Content-Encoding": "gzip"}
SAID = b'{"from": "customer", "text": "Hello", "id": "m-1"}'
SESSION = "/api/v1/sessions/web/lane/messages"
REQUESTS: dict[str, tuple[str, bytes, dict[str, str]]] = {
    "an event": ("/v1/track", TRACK, {}),
    "the short form of a path": ("/v1/t", TRACK, {}),
    "traits": ("/v1/identify", b'{"userId": "ana", "traits": {"plan": "pro"}}', {}),
    "a batch": ("/v1/batch", b'{"batch": [' + TRACK + b"]}", {}),
    "a batch with a bad message": ("/v1/batch", b'{"batch": [{"type": "x"}, ' + TRACK + b"]}", {}),
    "a packed body": ("/v1/track", gzip.compress(TRACK), GZIP),
    "a body that is not packed": ("/v1/track", TRACK, GZIP),
    "no JSON": ("/v1/track", b"{", {}),
    "a message of nobody": ("/v1/track", b'{"event": "Purchase"}', {}),
    "a body that is too large": ("/v1/track", b" " * 4_194_305, {}),
    "no key": ("/v1/track", TRACK, {"x-api-key": ""}),
    "a wrong key": ("/v1/track", TRACK, {"x-api-key": "wrong"}),
    "a path that leads nowhere": ("/v1/trace", TRACK, {}),
    "a path with a name encoded": ("/v1/trac%6B", TRACK, {}),
    "a chat": (SESSION, SAID, {}),
    "a chat in a session of any name": (SESSION.replace("lane", "a%2F%C3%A9%3F"), SAID, {}),
    "a chat in a session of no text": (SESSION.replace("lane", "%FF"), SAID, {}),
    "a chat in a session of no name": (SESSION.replace("lane", ""), SAID, {}),
    "a chat with a parameter that nobody reads": (f"{SESSION}?id=1", SAID, {}),
    "a chat that says nothing": (SESSION, b'{"from": "customer"}', {}),
    "a chat that is no JSON": (SESSION, b"{", {}),
    "a chat without a key": (SESSION, SAID, {"x-api-key": ""}),
}


def told(answer: httpx.Response) -> tuple[int, dict[str, str], Any]:
    """What is answered, without what only browsers are told."""
    headers = {
        name: value
        for name, value in answer.headers.items()
        if not name.startswith("access-control-") and name != "x-user360-seq"
    }
    return answer.status_code, headers, answer.json()


@pytest.mark.parametrize(("path", "body", "extra"), REQUESTS.values(), ids=REQUESTS)
def test_a_server_and_a_browser_are_told_the_same(
    client: Client, product: Product, path: str, body: bytes, extra: dict[str, str]
) -> None:
    headers = {"x-api-key": product.key, **extra}
    as_server = client.post(path, content=body, headers=headers)
    as_browser = client.post(path, content=body, headers={**headers, **BROWSER})
    assert told(as_server) == told(as_browser)
    assert "access-control-allow-origin" in as_browser.headers
    assert "access-control-allow-origin" not in as_server.headers
    assert ("x-user360-seq" in as_server.headers) == (as_server.status_code == 200)


def test_what_is_left_of_a_rate_limit_is_told_on_both_ways(
    client: Client, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    early_in_a_minute()
    limited = msgspec.structs.replace(product.platform.default.settings, rate_limit=3)
    monkeypatch.setattr(product.platform.default, "settings", limited)
    headers = {"x-api-key": product.make_key("ingest")}
    ways = [headers, {**headers, **BROWSER}, headers, headers, {**headers, **BROWSER}]
    answers = [client.post("/v1/track", content=TRACK, headers=way) for way in ways]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == list("21000")
    assert all(answer.headers["ratelimit-limit"] == "3" for answer in answers)


def test_what_takes_the_lane_is_counted_and_logged_like_the_rest(
    client: Client, product: Product
) -> None:
    headers = {"x-api-key": product.key}
    with capture_logs() as lines:
        client.post("/v1/track", content=TRACK, headers=headers)
        client.post("/v1/track", content=b"{", headers=headers)
        client.post("/v1/track", content=TRACK, headers={**headers, **BROWSER})
    seen = [(line["route"], line["status"], line["workspace"]) for line in lines]
    number = product.platform.default.id
    assert seen == [("/v1/track", status, number) for status in (200, 400, 200)]
    assert 'route="/v1/track",status="400"' in client.get("/metrics").text


def test_a_key_that_may_not_write_is_refused_on_both_ways(client: Client, product: Product) -> None:
    headers = {"x-api-key": product.make_key("reader")}
    as_server = client.post("/v1/track", content=TRACK, headers=headers)
    as_browser = client.post("/v1/track", content=TRACK, headers={**headers, **BROWSER})
    assert told(as_server) == told(as_browser)
    assert as_server.status_code == 403


def test_reading_from_a_route_of_the_lane_is_left_to_the_framework(client: Client) -> None:
    assert client.get("/v1/track").status_code == 405


def test_every_message_takes_the_lane(client: Client) -> None:
    lane: Any = client.app.asgi_handler
    assert isinstance(lane, Lane)
    assert lane.paths >= {f"/v1/{name}" for name in (*messages.KINDS, "batch")}
    assert "/api/v1/sessions/{channel}/{session}/messages" in lane.paths


def test_what_the_lane_says_in_a_session_is_counted_without_its_name(
    client: Client, product: Product
) -> None:
    with capture_logs() as lines:
        client.post(SESSION, content=SAID, headers={"x-api-key": product.key})
    assert [line["route"] for line in lines] == ["/api/v1/sessions/{channel}/{session}/messages"]


def test_a_key_that_may_not_say_anything_is_refused_on_both_ways(
    client: Client, product: Product
) -> None:
    headers = {"x-api-key": product.make_key("reader")}
    as_server = client.post(SESSION, content=SAID, headers=headers)
    as_browser = client.post(SESSION, content=SAID, headers={**headers, **BROWSER})
    assert told(as_server) == told(as_browser)
    assert as_server.status_code == 403


def test_what_nobody_foresaw_is_answered_plainly_on_both_ways(
    client: Client, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Platform) -> int:
        raise RuntimeError("secret")

    monkeypatch.setattr(Platform, "now", broken)
    headers = {"x-api-key": product.key}
    as_server = client.post("/v1/track", content=TRACK, headers=headers)
    as_browser = client.post("/v1/track", content=TRACK, headers={**headers, **BROWSER})
    assert told(as_server) == told(as_browser)
    assert as_server.status_code == 503
    assert "secret" not in as_server.text
