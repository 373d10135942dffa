"""The own API by the session of a member: as their role may, and from our own pages only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from tests.signed_in import come
from user360 import app
from user360.clock import StillClock
from user360.doors import gate
from user360.platform import Platform


@pytest.fixture
def platform(clock: StillClock) -> Iterator[Platform]:
    with Platform.temporary(clock=clock) as platform:
        yield platform


@pytest.fixture
def client(platform: Platform) -> Iterator[TestClient[Any]]:
    with TestClient(app.create(platform)) as client:
        yield client


def test_a_session_reads_and_with_its_token_writes(platform: Platform, client: Any) -> None:
    token = come(platform, client, "admin")
    assert client.get("/api/v1/segments").status_code == 200
    body = {"userId": "asha", "properties": {"firstName": "Asha"}}
    for headers in ({}, {gate.CSRF: "guessed"}):
        refused = client.post("/api/v1/users", json=body, headers=headers)
        assert refused.status_code == 403
        assert "load it again" in refused.json()["detail"]
    made = client.post("/api/v1/users", json=body, headers=token)
    assert made.status_code == 201
    told = client.get("/api/v1/users/asha/history").json()
    assert "member:1" in str(told), "provenance names who wrote it"


def test_a_role_holds_for_people_as_for_keys(platform: Platform, client: Any) -> None:
    token = come(platform, client, "reader")
    assert client.get("/api/v1/segments").status_code == 200
    refused = client.post("/api/v1/users", json={"properties": {}}, headers=token)
    assert refused.status_code == 403
    assert "Somebody with the role reader" in refused.json()["detail"]


def test_a_session_that_ended_is_none(platform: Platform, client: Any, clock: StillClock) -> None:
    come(platform, client, "admin")
    assert client.get("/api/v1/segments").status_code == 200
    clock.move(days=15)
    assert client.get("/api/v1/segments").status_code == 401
    client.cookies.set(gate.COOKIE, "made up")
    assert client.get("/api/v1/segments").status_code == 401


def test_a_key_counts_before_a_session(platform: Platform, client: Any) -> None:
    come(platform, client, "reader")
    assert platform.first_key is not None
    mine = {"x-api-key": platform.first_key}
    made = client.post("/api/v1/users", json={"properties": {}, "userId": "x"}, headers=mine)
    assert made.status_code == 201
