"""What no call should ever be sent: a clear answer in one shape, and never a 5xx."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest
from litestar.testing import TestClient

from tests.doors.api.conftest import Api, faults

BODIES: dict[str, bytes] = {
    "empty": b"",
    "blank": b"   ",
    "cut off": b'{"userId": "a',
    "null": b"null",
    "a list": b"[]",
    "a text": b'"x"',
    "a number": b"5",
    "trailing": b'{"userId": "a"} x',
    "utf-16": '{"userId": "a"}'.encode("utf-16"),
    "latin-1": '{"userId": "é"}'.encode("latin-1"),
    "a mark of byte order": b'\xef\xbb\xbf{"userId": "a"}',
    "half a character": b'{"userId": "\\ud83d"}',
    "not a number": b'{"userId": "a", "properties": {"x": NaN}}',
    "beyond numbers": b'{"userId": "a", "properties": {"x": 1e999}}',
    "an endless integer": b'{"userId": "a", "properties": {"x": ' + b"9" * 10_000 + b"}}",
    "very deep": b'{"userId": "a", "properties": {"x": ' + b"[" * 99_999 + b"]" * 99_999 + b"}}",
    "deep": b'{"userId": "a", "properties": {"x": ' + b"[" * 500 + b"]" * 500 + b"}}",
    "a control character": b'{"userId": "a\x00"}',
    "form": b"userId=a",
}
CALLS = (
    ("POST", "/users"),
    ("PUT", "/users/a"),
    ("PATCH", "/users/a"),
    ("POST", "/users/a/tags"),
    ("POST", "/users/bulk"),
    ("POST", "/users/search"),
    ("POST", "/users/delete"),
    ("POST", "/events"),
    ("POST", "/sessions/web/s/capture"),
    ("POST", "/sessions/web/s/identify"),
    ("POST", "/sessions/web/s/messages"),
    ("POST", "/properties"),
    ("POST", "/segments"),
    ("POST", "/segments/preview"),
    ("PATCH", "/workspace"),
    ("POST", "/keys"),
)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_cannot_be_read_is_refused(api: Api, body: bytes) -> None:
    for method, path in CALLS:
        answer = api.call(method, path, content=body)
        assert answer.status_code == 400, (method, path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        told = answer.json()
        assert set(told) == {"type", "title", "status", "detail", "errors"}
        assert len(answer.content) < 2_000


def test_a_word_that_is_none_of_a_few_is_told_them_all(api: Api) -> None:
    answer = api.post("/keys", {"name": "A key", "role": "agnet"})
    assert answer.json()["errors"] == [
        {
            "path": "role",
            "code": "invalid",
            "message": "must be one of admin, editor, supervisor, agent, reader, ingest",
        }
    ]
    answer = api.post("/sessions/web/s/messages", {"from": "custmer", "text": "Hello"})
    assert "customer" in answer.json()["errors"][0]["message"]


def test_fields_nobody_reads_are_named_with_a_hint(api: Api) -> None:
    answer = api.post("/users", {"userid": "a", "property": {}})
    messages = {fault["path"]: fault["message"] for fault in answer.json()["errors"]}
    assert "did you mean userId?" in messages["userid"]
    assert "did you mean properties?" in messages["property"]


def test_every_wrong_shape_is_named_at_once(api: Api) -> None:
    given = {
        "where": 5,
        "sort": [{"by": 1}, {"desc": "yes", "by": "city"}, "x"],
        "limit": 0,
        "properties": ["a", 2],
    }
    assert set(faults(api.post("/users/search", given))) == {
        "where",
        "sort.0.by",
        "sort.1.desc",
        "sort.2",
        "limit",
        "properties.1",
    }


@pytest.mark.parametrize(
    ("path", "name", "values"),
    [
        ("/reports/inbox", "by", "channel, day, hour, tag, segment, agent, state, topic"),
        ("/conversations", "kind", "chat, ticket"),
    ],
)
def test_a_parameter_that_is_one_of_a_few_names_them(
    api: Api, path: str, name: str, values: str
) -> None:
    told = api.get(path, **{name: "x"}).json()
    assert [fault["path"] for fault in told["errors"]] == [name]
    assert told["detail"] == f"{name} must be one of {values}"


def test_compressed_bodies_are_unpacked_within_bounds(api: Api) -> None:
    body = json.dumps({"userId": "a", "properties": {"city": "Pune"}}).encode()

    def send(content: bytes, encoding: str) -> int:
        headers = {"content-encoding": encoding}
        return api.call("POST", "/users", content=content, headers=headers).status_code

    assert send(gzip.compress(body), "gzip") == 201
    assert send(zlib.compress(body), "deflate") == 409
    assert send(body, "gzip") == 400
    assert send(gzip.compress(body)[:-9], "gzip") == 400
    assert send(body, "br") == 400
    bomb = gzip.compress(b" " * 70_000_000)
    assert len(bomb) < 100_000
    assert send(bomb, "gzip") == 413


def test_a_body_beyond_its_bound_is_refused_before_it_is_read(api: Api) -> None:
    answer = api.call("POST", "/users", content=b"{}", headers={"content-length": "99999999999"})
    assert answer.status_code == 413
    answer = api.call("POST", "/users", content=b"{" + b" " * 68_000_000)
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:user360:problem:tooLarge"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1", 404),
        ("GET", "/api/v1/nope", 404),
        ("GET", "/api/v2/users", 404),
        ("GET", "/schema", 404),
        ("GET", "/openapi.yaml", 404),
        ("DELETE", "/api/v1/users", 405),
        ("GET", "/api/v1/users", 405),
        ("PUT", "/api/v1/events", 405),
        ("POST", "/healthz", 405),
    ],
)
def test_an_address_that_is_none_answers_in_the_same_shape(
    client: TestClient[Any], method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert ("allow" in answer.headers) == (status == 405)


def test_names_of_sessions_and_texts_are_bounded(api: Api) -> None:
    long = "x" * 256
    assert api.post(f"/sessions/{long}/s/capture", {}).status_code == 400
    assert api.post(f"/sessions/web/{long}/capture", {}).status_code == 400
    assert api.post("/sessions/web/%0A/identify", {"userId": "a"}).status_code == 400
    assert api.put(f"/users/{long}", {"properties": {}}).status_code == 400
    assert api.post("/users/search", {"text": "x" * 1001}).status_code == 400
    assert api.get("/sessions/web/nope").status_code == 404


def test_times_beyond_reason_are_refused(api: Api) -> None:
    for moment in ("1969-12-31T23:59:59Z", "2999-01-01T00:00:00Z", "soon", "", "2026-13-01"):
        answer = api.post("/sessions/web/s/capture", {"properties": {}, "timestamp": moment})
        assert faults(answer) == {"timestamp": "invalid"}


def test_health_is_told_to_anybody(client: TestClient[Any]) -> None:
    assert client.get("/healthz").json()["status"] == "alive"
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert set(ready.json()["parts"].values()) == {"ok"}
    metrics = client.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert 'user360_request_seconds_count{route="/healthz",status="200"}' in metrics.text
