"""Pages and deeds of properties, events, activity and settings: who is let in, and who is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from tests import signed_in
from user360 import app
from user360.access import roles
from user360.doors import gate
from user360.pages import activity, events, inbox, me, properties, settings
from user360.platform import Platform

ROUTES = [
    (next(iter(handler.http_methods)), next(iter(handler.paths)))
    for module in (properties, events, activity, settings, me, inbox)
    for handler in module.ROUTES
    if "/inbox/live" not in handler.paths  # it goes on for as long as one looks on
]
# What a page or deed takes, where it is not what everybody who is signed in may do.
TAKES = {
    "/properties": ("declarations.read", "declarations.write"),
    "/events": ("declarations.read", "declarations.write"),
    "/activity": ("audit", ""),
    "/settings": ("workspace.read", "workspace.write"),
    "/settings/members": ("members", "members"),
    "/settings/keys": ("keys", "keys"),
    "/settings/channels": ("inbox.settings", "inbox.settings"),
    "/settings/inbox": ("inbox.settings", "inbox.settings"),
    "/settings/canned": ("inbox.settings", "inbox.settings"),
    "/inbox": ("inbox.read", "inbox.write"),
    "/inbox/{public:str}/parting": ("inbox.write", "inbox.write"),
    "/inbox/{public:str}/canned": ("inbox.write", "inbox.write"),
    "/inbox/{public:str}/template": ("inbox.write", "inbox.write"),
    "/inbox/{public:str}/contact": ("inbox.read", "records.write"),
    "/inbox/filter": ("records.read", "records.read"),
    "/me": ("workspace.read", "workspace.read"),
}


class Visitors:
    """A server, and a session of a member of each role."""

    def __init__(self, platform: Platform, client: TestClient[Any]) -> None:
        self.client = client
        self.sessions = {role: signed_in.begin(platform, role) for role in roles.OF_PEOPLE}

    def ask(self, method: str, path: str, role: str, token: str | None = None) -> Any:
        session = self.sessions[role]
        self.client.cookies.set(gate.COOKIE, session.secret)
        headers = {gate.CSRF: session.token if token is None else token}
        return self.client.request(method, path, headers=headers, follow_redirects=False)


@pytest.fixture(scope="module")
def visitors() -> Iterator[Visitors]:
    with Platform.temporary() as platform, TestClient(app.create(platform)) as client:
        yield Visitors(platform, client)


def address(path: str) -> str:
    return re.sub(r"\{\w+:(str|int)\}", "999", path)


def action(method: str, path: str) -> str:
    begins = max((each for each in TAKES if path.startswith(each)), key=len)
    return TAKES[begins][method == "POST"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_role_is_let_in_where_the_table_says(visitors: Visitors, method: str, path: str) -> None:
    for role in roles.OF_PEOPLE:
        allowed = roles.may(role, action(method, path))
        if method == "POST" and allowed:
            continue  # what it then does is told elsewhere
        answer = visitors.ask(method, address(path), role)
        assert (answer.status_code != 403) == allowed, (role, answer.status_code)
        assert answer.status_code < 500


@pytest.mark.parametrize("path", [path for method, path in ROUTES if method == "POST"])
def test_a_deed_from_another_page_is_refused(visitors: Visitors, path: str) -> None:
    answer = visitors.ask("POST", address(path), "admin", token="guessed")
    assert answer.status_code == 403
    assert "load it again" in answer.text


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_stranger_is_led_to_the_sign_in(visitors: Visitors, method: str, path: str) -> None:
    visitors.client.cookies.clear()
    answer = visitors.client.request(method, address(path), follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
