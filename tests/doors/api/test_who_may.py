"""Every call asked with every role, with no key, and with the key of another workspace.

The calls are read from the description, so that a new one is held to this by itself.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from litestar.testing import TestClient

from tests.doors.api.conftest import Api, make_api, quoted
from tests.doors.api.neighbours import SECRET, Neighbour, move_in, state
from tests.doors.api.test_examples import body_of
from tests.doors.conftest import Product
from user360.access import roles
from user360.doors.api import ROUTES
from user360.doors.api.operation import Operation

CALLS = [(next(iter(h.http_methods)), next(iter(h.paths)), h.opt["operation"]) for h in ROUTES]
NUMBER = re.compile(r"\{[a-z_]+:int\}")
each_call = pytest.mark.parametrize(
    ("method", "template", "operation"), CALLS, ids=[f"{m} {p}" for m, p, _ in CALLS]
)


def ask(api: Api, method: str, template: str, operation: Operation, **values: Any) -> Any:
    """The example of a call, with `values` in its path where they are given."""
    path = template.removeprefix("/api/v1")
    for name, given in operation.example.path.items():
        text = quoted(str(values.get(name, given)))
        path = path.replace(f"{{{name}:str}}", text).replace(f"{{{name}:int}}", text)
    return api.call(method, path, params=operation.example.query, **body_of(operation))


@each_call
def test_a_role_does_what_the_table_says_and_no_more(
    api: Api, method: str, template: str, operation: Operation
) -> None:
    for role in roles.ALL:
        answer = ask(api.by(role), method, template, operation)
        allowed = answer.status_code not in (401, 403)
        may = roles.may(role, operation.may) and not operation.everywhere
        assert allowed == may, (role, answer.text)
        if not allowed:
            assert answer.json()["type"] == "urn:user360:problem:forbidden"


@pytest.fixture(scope="module")
def neighbour(product: Product, client: TestClient[Any]) -> Neighbour:
    """One for all calls, for none of them may change it: who finds it changed is the first."""
    return move_in(make_api(product, client))


@pytest.mark.parametrize(("method", "template"), [(m, p) for m, p, _ in CALLS])
def test_nobody_without_a_key_gets_anything(
    neighbour: Neighbour, method: str, template: str
) -> None:
    api = neighbour.api
    for headers in (
        {"x-api-key": ""},
        {"x-api-key": "u3_wrong"},
        {"x-api-key": "", "authorization": "Bearer wrong"},
        {"x-api-key": "", "authorization": "Basic !!"},
    ):
        path = NUMBER.sub("1", template.removeprefix("/api/v1")).replace(":str", "")
        answer = api.call(method, path, headers=headers)
        assert answer.status_code == 401
        assert "Basic" in answer.headers["www-authenticate"]


def test_a_key_is_taken_in_each_of_its_forms(neighbour: Neighbour) -> None:
    api = neighbour.api
    key = api.keys["reader"]
    for given in (
        {"headers": {"x-api-key": key}},
        {"headers": {"x-api-key": "", "authorization": f"Bearer {key}"}},
        {"headers": {"x-api-key": ""}, "auth": (key, "")},
    ):
        assert api.call("GET", "/workspace", **given).status_code == 200


@each_call
def test_another_workspace_sees_and_changes_nothing(
    neighbour: Neighbour, other: Api, method: str, template: str, operation: Operation
) -> None:
    answer = ask(other, method, template, operation, **neighbour.made)
    assert SECRET not in answer.text
    assert state(neighbour.api) == neighbour.before
    own = any(part in template for part in ("/sessions/", "/channels/"))  # each has its own
    if operation.example.path and method != "PUT" and not own:
        assert answer.status_code in (404, 409), answer.text
