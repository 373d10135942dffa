"""Whoever comes by any door sees and changes nothing of another workspace.

The routes are read from the application, so that a new one is held to this by itself; those of the
own API are in `api/test_who_may`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from tests import signed_in
from tests.doors.api.conftest import Api, make_api, quoted
from tests.doors.api.neighbours import SECRET, Neighbour, move_in, state
from tests.doors.conftest import Product
from user360 import app, ids
from user360.access import keys, signing
from user360.doors import gate
from user360.doors.api.operation import PREFIX
from user360.imports import drafts
from user360.imports import jobs as imports
from user360.platform import Platform

ENDLESS = ("/inbox/live", "/inbox/here", "/channels/web/stream")
PAGES = "user360.pages"
STRANGERS = ("/sign-in", "/join", "/welcome")  # for who is not signed in


def routes() -> list[tuple[str, str, bool]]:
    """Method, template, and whether it is a page, of everything that answers."""
    with Platform.temporary() as platform:
        made = app.create(platform)
    found = []
    for route in made.routes:
        if not isinstance(route, HTTPRoute) or route.path.startswith((PREFIX, *ENDLESS)):
            continue
        for method, (handler, _) in route.route_handler_map.items():
            if method != "OPTIONS":
                page = handler.fn.__module__.startswith(PAGES)
                found.append((method, route.path, page))
    return sorted(found)


ROUTES = routes()
OF_PAGES = [(method, path) for method, path, page in ROUTES if page]
OTHERS = [(method, path) for method, path, page in ROUTES if not page]


@pytest.fixture(scope="module")
def neighbour(product: Product, client: TestClient[Any]) -> Neighbour:
    return move_in(make_api(product, client))


@pytest.fixture(scope="module")
def outsider(product: Product, client: TestClient[Any]) -> Api:
    """A workspace with nothing in it."""
    return make_api(product, client)


@pytest.fixture(scope="module")
def member(outsider: Api) -> int:
    """An admin of that workspace alone."""
    return admin(outsider, "out@example.com")


def admin(api: Api, email: str) -> int:
    invited = {"email": email, "name": "Admin", "role": "admin"}
    number: int = api.post("/members", invited).json()["member"]["id"]
    return number


def begin(api: Api, member: int) -> signed_in.Session:
    """A session of a member of a workspace."""
    platform: Platform = api.client.app.state.platform
    given = (member, api.workspace.id, "a test", platform.now())
    secret = platform.write(lambda c: signing.begin(c, *given))
    platform.reload_members()
    return signed_in.Session(secret, platform.sign_ins[keys.fingerprint(secret)].csrf)


@pytest.fixture(scope="module")
def values(product: Product, neighbour: Neighbour) -> dict[str, str]:
    """What stands in the addresses of the neighbour's things."""
    platform, made, village = product.platform, neighbour.made, neighbour.api.workspace
    draft = drafts.keep(
        platform,
        drafts.Draft(
            id=ids.new_id(),
            workspace=village.id,
            actor="test",
            name=SECRET,
            size=9,
            created_at=platform.now(),
        ),
    )
    imports.upload_path(platform, draft.id).write_text(f"userId\n{SECRET}\n")
    given = {
        "public": made["conversation_id"],
        "message_id": "m1",
        "record_id": "r1",
        "name": "tier",
        "version": 1,
        "draft_id": draft.id,
        "number": made["group_id"],
        "member": made["agent_id"],
        "session_id": 1,
        "secret": "guessed",
        "flow": "welcome",
        "workspace": village.id,
        "file_id": made["attachment_id"],
        "token": "guessed",
        "user_id": "asha@example.com",
        "write_key": "guessed",
        "language": "en",
        "path": "app.css",
        **made,
    }
    return {name: quoted(str(value)) for name, value in given.items()}


def address(template: str, values: dict[str, str]) -> str:
    return re.sub(r"\{(\w+):\w+\}", lambda found: values[found[1]], template)


@pytest.fixture
def untouched(neighbour: Neighbour) -> Iterator[None]:
    """Afterwards the neighbour holds what it held."""
    yield
    assert state(neighbour.api) == neighbour.before


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(("method", "template"), OF_PAGES)
def test_a_page_shows_nothing_of_another_workspace(
    client: TestClient[Any],
    outsider: Api,
    member: int,
    values: dict[str, str],
    method: str,
    template: str,
) -> None:
    session = begin(outsider, member)
    client.cookies.set(gate.COOKIE, session.secret)
    try:
        fields = {"name": "x", "text": "x", "record": "r1"} if method == "POST" else None
        answer = client.request(
            method,
            address(template, values),
            data=fields,
            headers=session.headers,
            follow_redirects=False,
        )
    finally:
        client.cookies.clear()
    assert answer.status_code < 500, answer.text
    assert SECRET not in answer.text
    if method == "GET" and not template.startswith(STRANGERS):
        assert "/sign-in" not in answer.headers.get("location", "")


def test_the_neighbours_own_people_do_see_it(client: TestClient[Any], neighbour: Neighbour) -> None:
    session = begin(neighbour.api, admin(neighbour.api, "in@example.com"))
    client.cookies.set(gate.COOKIE, session.secret)
    try:
        for path in ("/users", "/segments", "/imports", "/inbox", "/settings/members"):
            assert SECRET in client.get(path).text, path
    finally:
        client.cookies.clear()
        neighbour.before[:] = state(neighbour.api)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(("method", "template"), OTHERS)
def test_no_other_door_shows_anything_of_another_workspace(
    client: TestClient[Any],
    outsider: Api,
    neighbour: Neighbour,
    values: dict[str, str],
    method: str,
    template: str,
) -> None:
    key, village = outsider.keys["admin"], neighbour.api.workspace.name
    body = {
        "userId": "asha@example.com",
        "previousId": "meera@example.com",
        "event": "Order Completed",
        "eventName": "Order Completed",
        "users": [{"userId": "asha@example.com"}],
        "type": "track",
        "workspace": village,
        "session": "visit-17",
        "text": "x",
    }
    for query in ({"bot": village}, {"bot": outsider.workspace.name}, {"workspace": village}):
        answer = client.request(
            method,
            address(template, values),
            params={**query, "userId": "asha@example.com", "session": "visit-17"},
            json=None if method == "GET" else body,
            headers={"x-api-key": key, "authorization": f"Bearer {key}"},
        )
        assert answer.status_code < 500, answer.text
        assert SECRET not in answer.text
