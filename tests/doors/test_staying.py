"""Whoever does something in the inbox is there, with whatever program; who only looks is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from tests import signed_in
from tests.inbox.counter import Counter
from user360 import app, ids
from user360.clock import StillClock
from user360.platform import Platform
from user360.settings import from_environment

KEY = {"x-api-key": "u3_staying-tests-only-key"}


@pytest.fixture
def platform(clock: StillClock) -> Iterator[Platform]:
    with Platform.temporary(from_environment(admin_key=KEY["x-api-key"]), clock) as platform:
        yield platform


@pytest.fixture
def client(platform: Platform) -> Iterator[TestClient[Any]]:
    with TestClient(app.create(platform)) as client:
        yield client


@pytest.mark.parametrize("door", ["page", "api"])
def test_a_deed_tells_that_she_is_there(
    platform: Platform, client: TestClient[Any], clock: StillClock, door: str
) -> None:
    counter = Counter(platform, clock)
    counter.workspace = platform.default
    public = ids.public_conversation_id(counter.says("s"))
    headers, her = signed_in.come(platform, client, "agent"), signed_in.member(platform, "agent")
    attendance = client.app.state.presence.attendance
    begun = attendance.gone_since(platform.default.id, her)
    clock.move(minutes=3)
    assert client.get(f"/inbox/{public}").status_code == 200
    assert attendance.gone_since(platform.default.id, her) == begun
    if door == "page":
        answer = client.post(f"/inbox/{public}/say", headers=headers, data={"text": "Hi"})
    else:
        url = f"/api/v1/conversations/{public}/reply"
        answer = client.post(url, headers=headers, json={"text": "Hi"})
    assert answer.status_code == 200, answer.text
    assert attendance.gone_since(platform.default.id, her) == clock.now()


def test_a_key_is_nobody_who_may_leave(
    platform: Platform, client: TestClient[Any], clock: StillClock
) -> None:
    her = signed_in.member(platform, "agent")
    attendance = client.app.state.presence.attendance
    begun = attendance.gone_since(platform.default.id, her)
    clock.move(minutes=3)
    body = {"availability": "available"}
    assert client.patch(f"/api/v1/agents/{her}", headers=KEY, json=body).status_code == 200
    assert attendance.gone_since(platform.default.id, her) == begun


def test_since_when_somebody_is_away_by_the_system_is_told(
    platform: Platform, client: TestClient[Any], clock: StillClock
) -> None:
    counter = Counter(platform, clock)
    counter.workspace = platform.default
    her = signed_in.member(platform, "agent")
    counter.set_agent(her, availability="available")
    presence = client.app.state.presence
    presence.attendance.came(platform.default.id, her)
    presence.turn()
    presence.attendance.left(platform.default.id, her)
    clock.move(minutes=5)
    presence.turn()
    told = client.get("/api/v1/agents", headers=KEY).json()["agents"]
    (agent,) = (each for each in told if each["member"] == her)
    assert agent["availability"] == "away"
    assert agent["leftAt"] is not None
    body = {"availability": "available"}
    told = client.patch(f"/api/v1/agents/{her}", headers=KEY, json=body).json()
    assert (told["availability"], told["leftAt"]) == ("available", None)


def test_who_was_set_away_and_answers_by_the_api_is_back(
    platform: Platform, client: TestClient[Any], clock: StillClock
) -> None:
    counter = Counter(platform, clock)
    counter.workspace = platform.default
    headers, her = signed_in.come(platform, client, "agent"), signed_in.member(platform, "agent")
    counter.set_agent(her, availability="busy")
    public = ids.public_conversation_id(counter.says("s"))
    presence = client.app.state.presence
    presence.attendance.came(platform.default.id, her)
    presence.turn()
    presence.attendance.left(platform.default.id, her)
    clock.move(minutes=6)
    presence.turn()
    assert platform.default.desk.agents[her].availability == "away"
    clock.move(minutes=1)
    url = f"/api/v1/conversations/{public}/notes"
    assert client.post(url, headers=headers, json={"text": "Hers"}).status_code == 200
    presence.turn()
    assert platform.default.desk.agents[her].availability == "busy"
