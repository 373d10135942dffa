"""What holds for every call of the original: who is let in, what is described, how no is said."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doors.conftest import Product
from tests.doors.yellow.conftest import BASE, Bot, Client
from user360.identity import people


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'"x"', b"\xff", b"[" * 9_999])
@pytest.mark.parametrize("path", ["/user", "/user/create-bulk", "/event"])
def test_a_body_that_is_no_object_is_refused(
    client: Client, bot: Bot, body: bytes, path: str
) -> None:
    answer = client.post(f"{BASE}{path}?bot=default", content=body, headers=bot.headers)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


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
