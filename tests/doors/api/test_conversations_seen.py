"""Members who sign in find, read and answer what is for them; nothing else is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from tests.signed_in import come, member
from user360 import app
from user360.access.change import Change
from user360.conversations import managing
from user360.platform import Platform

PREFIX = "/api/v1"


@pytest.fixture
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


@pytest.fixture
def client(platform: Platform) -> Iterator[TestClient[Any]]:
    with TestClient(app.create(platform)) as client:
        yield client


class Floor:
    """An agent of Returns, a supervisor of Returns, and four conversations.

    c1 is hers, c2 waits in Returns, c3 waits in Sales, c4 is the supervisor's.
    """

    def __init__(self, platform: Platform, client: TestClient[Any]) -> None:
        self.platform = platform
        self.client = client
        self.key = {"x-api-key": platform.first_key or ""}
        self.her, self.his = member(platform, "agent"), member(platform, "supervisor")
        platform.write(lambda c: self._groups(platform.change(c, platform.default, "key:1")))
        for i in range(1, 5):
            self.by_key("POST", f"/sessions/web/s{i}/messages", {"from": "customer", "text": "Hi"})
        for number, to in (
            (1, {"assignee": self.her}),
            (2, {"group": 1}),
            (3, {"group": 2}),
            (4, {"assignee": self.his, "group": 2}),
        ):
            self.by_key("POST", f"/conversations/c{number}/assign", to)

    def _groups(self, change: Change) -> None:
        managing.make_group(change, "Returns")
        managing.make_group(change, "Sales")
        for number in (self.her, self.his):
            managing.set_agent(change, number, groups=[1])
        managing.set_inbox(change, {"assignment": "manual"})

    def by_key(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.client.request(method, PREFIX + path, json=body, headers=self.key)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def listed(self, **query: Any) -> set[str]:
        answer = self.client.get(f"{PREFIX}/conversations", params=query)
        return {each["id"] for each in answer.json()["conversations"]}


@pytest.fixture
def floor(platform: Platform, client: TestClient[Any]) -> Floor:
    return Floor(platform, client)


def test_an_agent_sees_hers_and_what_waits_for_her(floor: Floor) -> None:
    come(floor.platform, floor.client, "agent")
    assert floor.listed() == {"c1", "c2"}
    assert floor.listed(assignee="me") == {"c1"}
    assert floor.listed(q="hi") == {"c1", "c2"}
    counts = floor.client.get(f"{PREFIX}/conversations/counts").json()
    assert (counts["mine"], counts["active"]) == (1, 2)


def test_a_supervisor_sees_the_group(floor: Floor) -> None:
    come(floor.platform, floor.client, "supervisor")
    assert floor.listed() == {"c1", "c2", "c4"}


def test_what_is_not_hers_is_not_there(floor: Floor) -> None:
    token = come(floor.platform, floor.client, "agent")
    for path in ("", "/messages"):
        assert floor.client.get(f"{PREFIX}/conversations/c3{path}").status_code == 404
    answer = floor.client.post(
        f"{PREFIX}/conversations/c4/reply", json={"text": "Mine"}, headers=token
    )
    assert answer.status_code == 404


def test_she_answers_as_herself_and_has_it_then(floor: Floor) -> None:
    token = come(floor.platform, floor.client, "agent")
    told = floor.client.post(
        f"{PREFIX}/conversations/c2/reply", json={"text": "Hello"}, headers=token
    ).json()
    assert told["message"]["author"] == f"member:{floor.her}"
    assert told["conversation"]["assignee"] == floor.her
    refused = floor.client.post(
        f"{PREFIX}/conversations/c2/reply", json={"text": "x", "agent": floor.his}, headers=token
    )
    assert refused.status_code == 400


def test_she_says_nothing_in_the_customers_name(floor: Floor) -> None:
    token = come(floor.platform, floor.client, "agent")
    answer = floor.client.post(
        f"{PREFIX}/sessions/web/s3/messages",
        json={"from": "customer", "text": "x"},
        headers=token,
    )
    assert answer.status_code == 403


def test_a_file_said_elsewhere_is_not_hers_to_read(floor: Floor) -> None:
    form = {"file": ("x.png", b"png", "image/png")}
    made = floor.client.post(f"{PREFIX}/attachments", files=form, headers=floor.key).json()
    said = {"from": "customer", "text": "", "attachments": [{"id": made["id"]}]}
    floor.by_key("POST", "/sessions/web/s3/messages", said)
    come(floor.platform, floor.client, "agent")
    assert floor.client.get(f"{PREFIX}/attachments/{made['id']}").status_code == 404
    floor.client.cookies.clear()
    come(floor.platform, floor.client, "admin")
    assert floor.client.get(f"{PREFIX}/attachments/{made['id']}").content == b"png"
