"""The own API over the wire, served as in production."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import httpx

from tests.doors.conftest import Serving


def ask(server: Serving, method: str, path: str, body: object = None) -> tuple[int, str]:
    """One request with its path exactly as given, which clever clients would tidy up."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, body=text, headers={"x-api-key": server.product.key})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_names_in_paths_arrive_exactly(server: Serving) -> None:
    for name, encoded in (
        ("a/b", "a%2Fb"),
        ("..", "%2E%2E"),
        ("a b+c", "a%20b+c"),
        ("😀", "%F0%9F%98%80"),
        ("50%", "50%25"),
        ("x?y#z", "x%3Fy%23z"),
        ("search", "search"),
    ):
        status, text = ask(server, "PUT", f"/api/v1/users/{encoded}", {"properties": {}})
        assert (status, json.loads(text)["userId"]) == (201, name)
        assert ask(server, "GET", f"/api/v1/users/{encoded}")[0] == 200
        assert ask(server, "POST", f"/api/v1/users/{encoded}/tags", {"add": ["x"]})[0] == 200
        assert ask(server, "DELETE", f"/api/v1/users/{encoded}")[0] == 204


def test_paths_that_are_nothing_are_refused(server: Serving) -> None:
    for path, status in (
        ("/api/v1/users/%ff", 400),
        ("/api/v1/users/%", 404),
        ("/api/v1/users/%zz", 404),
        ("/api/v1//users", 405),
        ("/api/v1/users/a/b/c", 404),
        ("/nothing//", 404),
        ("/%2e%2e/", 404),
    ):
        got, text = ask(server, "GET", path)
        assert got == status, path
        assert json.loads(text)["status"] == status


def test_a_body_in_pieces_is_read_whole(server: Serving) -> None:
    def pieces() -> object:
        yield b'{"userId": "pieces",'
        yield b' "properties": {}}'

    answer = httpx.post(
        f"{server.url}/api/v1/users",
        content=pieces(),  # type: ignore[arg-type]
        headers={"x-api-key": server.product.key},
    )
    assert answer.status_code == 201


def test_a_browser_may_ask_and_read_the_position(server: Serving) -> None:
    origin = {"origin": "https://shop.example"}
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}
    allowed = httpx.options(f"{server.url}/api/v1/events", headers=origin | asked)
    assert allowed.status_code == 204
    assert "POST" in allowed.headers["access-control-allow-methods"]
    answer = httpx.get(
        f"{server.url}/api/v1/workspace", headers=origin | {"x-api-key": server.product.key}
    )
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "X-User360-Seq" in answer.headers["access-control-expose-headers"]
    refused = httpx.get(f"{server.url}/api/v1/workspace", headers=origin)
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "*"
