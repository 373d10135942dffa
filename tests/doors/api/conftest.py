"""A workspace of its own for each test, its keys, and people who live in it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from litestar.testing import TestClient

from tests.doors.conftest import Product
from user360.access import keys, roles, workspaces
from user360.access.change import Change
from user360.access.workspaces import Workspace
from user360.doors.gate import MIN_SEQ, SEQ
from user360.storage.ledger import Connection

PREFIX = "/api/v1"
NUMBERS = itertools.count(1)


class Api:
    """The own API of one workspace, called as one of its keys.

    What was written is seen by what is read next: every answer's position goes with the next call.
    """

    def __init__(
        self, client: TestClient[Any], workspace: Workspace, held: Mapping[str, str]
    ) -> None:
        self.client = client
        self.workspace = workspace
        self.keys = held
        self.role = "admin"
        self.seen = "0"

    def by(self, role: str) -> Api:
        """The same workspace, called with a key of another role."""
        other = Api(self.client, self.workspace, self.keys)
        other.role, other.seen = role, self.seen
        return other

    def call(self, method: str, path: str, /, **given: Any) -> httpx.Response:
        headers = {"x-api-key": self.keys[self.role], MIN_SEQ: self.seen}
        headers |= given.pop("headers", {})
        answer = self.client.request(method, PREFIX + path, headers=headers, **given)
        self.seen = str(max(int(self.seen), int(answer.headers.get(SEQ, "0"))))
        return answer

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.call("GET", path, params=query)

    def post(self, path: str, body: Any = None, **query: Any) -> httpx.Response:
        return self.call("POST", path, json={} if body is None else body, params=query)

    def put(self, path: str, body: Any) -> httpx.Response:
        return self.call("PUT", path, json=body)

    def patch(self, path: str, body: Any, **query: Any) -> httpx.Response:
        return self.call("PATCH", path, json=body, params=query)

    def delete(self, path: str, **query: Any) -> httpx.Response:
        return self.call("DELETE", path, params=query)

    def user(self, user_id: str, **properties: Any) -> dict[str, Any]:
        """Write a user; the record."""
        answer = self.put(f"/users/{quoted(user_id)}", {"properties": properties})
        assert answer.status_code in (200, 201), answer.text
        record: dict[str, Any] = answer.json()
        return record

    def event(self, user_id: str, name: str, **properties: Any) -> dict[str, Any]:
        """Send an event; its outcome."""
        body = {"userId": user_id, "name": name, "properties": properties}
        answer = self.post("/events", body)
        assert answer.status_code == 200, answer.text
        outcome: dict[str, Any] = answer.json()["outcomes"][0]
        return outcome

    def search(self, where: Any = None, **given: Any) -> list[str | None]:
        """The userIds of those found."""
        answer = self.post("/users/search", {"where": where, **given})
        assert answer.status_code == 200, answer.text
        return [user["userId"] for user in answer.json()["users"]]


def quoted(name: str) -> str:
    return quote(name, safe="")


def faults(answer: httpx.Response) -> dict[str, str]:
    """Path to code of everything an answer names."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return {fault["path"]: fault["code"] for fault in answer.json()["errors"]}


def make_api(product: Product, client: TestClient[Any]) -> Api:
    """A new workspace with a key of every role."""
    platform = product.platform
    texts = {role: keys.new_key() for role in roles.ALL}

    def make(connection: Connection) -> Workspace:
        name, now = f"village{next(NUMBERS)}", platform.now()
        workspace = workspaces.create(connection, name, now)
        for role, text in texts.items():
            keys.create(connection, workspace.id, role, role, text, now)
        platform.reload_keys(connection)
        workspace.erased.vault = platform.vault
        platform.workspaces[workspace.id] = workspace
        take = platform.committer.position.take
        given: Any = {"now": now, "actor": "test", "take": take}
        Change(connection, platform.ledger.dialect, workspace, **given).tell("workspace")
        return workspace

    made = Api(client, platform.write(make), texts)
    platform.wait()
    return made


@pytest.fixture
def api(product: Product, client: TestClient[Any]) -> Api:
    return make_api(product, client)


@pytest.fixture
def other(product: Product, client: TestClient[Any]) -> Api:
    """Another workspace of the same product."""
    return make_api(product, client)
