"""How long a browser keeps its session: as long as it is used, and never somebody else's."""

from __future__ import annotations

import secrets
import time
from typing import Any

import jwt
import pytest

from tests.doors.conftest import Serving
from tests.doors.widget.asking import Browser, change
from user360.channels.web import sessions
from user360.errors import Invalid


@pytest.fixture(autouse=True, scope="module")
def _switched_on(server: Serving) -> None:
    change(server)


def begun(server: Serving, days: float) -> Browser:
    """A browser whose chat was used last so long ago."""
    browser = Browser(server)
    browser.says("Hello")
    platform = server.product.platform
    held = sessions.read(platform.vault, browser.token)
    then = platform.clock.now() - int(days * 86_400_000_000)
    browser.token = sessions.token(platform.vault, held.visitor, then)
    return browser


def session(token: str) -> str:
    return token.split(".")[1]


def test_a_token_that_is_used_in_time_is_renewed(server: Serving) -> None:
    one = begun(server, 20)
    told = one.start(token=one.token).json()
    assert told["token"] != one.token
    assert session(told["token"]) == session(one.token)
    assert [m["text"] for m in told["messages"]] == ["Hello"]
    said = one.says("Again").json()
    assert session(said["token"]) == session(one.token)
    with one.listening() as heard:
        assert session(heard("token")["token"]) == session(one.token)
        assert heard("message")["text"] == "Hello"
    one.token = said["token"]
    assert "token" not in one.says("It is fresh").json()
    assert one.start(token=one.token).json()["token"] == one.token


def test_one_that_was_not_used_for_long_begins_anew(server: Serving) -> None:
    one = begun(server, 91)
    for answer in (
        one.says("Am I still there?"),
        one.client.get("/messages", headers=one.headers),
        one.client.get("/stream", headers=one.headers),
        one.client.post("/seen", json={}, headers=one.headers),
        one.client.post("/typing", headers=one.headers),
        one.client.post("/files", files={"file": b"x"}, headers=one.headers),
    ):
        assert answer.status_code == 401
        assert answer.json()["type"] == "urn:user360:problem:noSession"
    told = one.start(token=one.token).json()
    assert session(told["token"]) != session(one.token)
    assert (told["messages"], told["state"], told["other"]) == ([], {}, False)


def test_how_long_is_a_setting(server: Serving) -> None:
    one = begun(server, 2)
    change(server, sessionDays=1)
    try:
        assert one.says("Hello").status_code == 401
        assert begun(server, 0.5).says("Hello").json()["token"]
    finally:
        change(server, sessionDays=None)
    assert one.says("Hello").status_code == 200


@pytest.mark.parametrize("days", [0, -1, 401, 1.5, "90", True])
def test_no_other_length_than_days_is_taken(server: Serving, days: Any) -> None:
    with pytest.raises(Invalid) as refused:
        change(server, sessionDays=days)
    assert [fault.path for fault in refused.value.faults] == ["sessionDays"]


def test_who_is_signed_in_and_comes_after_long_is_nobody_else(server: Serving) -> None:
    key = secrets.token_urlsafe(32)
    change(server, signingKey=key)
    now = int(time.time())
    asha, ravi = (jwt.encode({"sub": s, "iat": now, "exp": now + 60}, key) for s in ("a", "r"))
    one = begun(server, 0)
    one.start(token=one.token, identity=asha)
    held = sessions.read(server.product.platform.vault, one.token)
    old = sessions.token(server.product.platform.vault, held.visitor, 0)
    told = one.start(token=old, identity=asha).json()
    # What she wrote and has not sent is still hers to send; it is not his.
    assert (told["identified"], told["messages"], told["other"]) == (True, [], False)
    assert one.start(token=old, identity=ravi).json()["other"] is True
    assert one.start(token="forged", identity=asha).json()["other"] is True
