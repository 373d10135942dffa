"""The chat greets before anything is said: with what may be told to whom, and nothing is kept."""

from __future__ import annotations

import secrets
import time
from typing import Any

import jwt
import pytest

from tests.doors.conftest import Serving
from tests.doors.widget.asking import Browser, change
from user360.ingest.call import Call

KEY = secrets.token_urlsafe(32)


@pytest.fixture(autouse=True, scope="module")
def _greeting(server: Serving) -> None:
    text = "Hello {{{user.firstName|there}}}, {{{user.userId|stranger}}}"
    change(server, signingKey=KEY, greeting=text)


def signed(user: str, **properties: Any) -> str:
    now = int(time.time())
    claims = {"sub": user, "iat": now, "exp": now + 300, "properties": properties}
    return jwt.encode(claims, KEY, "HS256")


def known(server: Serving, user: str, **properties: Any) -> None:
    platform = server.product.platform
    at = platform.now()
    call = Call(
        workspace=platform.default.id,
        source="api",
        ref="key:1",
        at=at,
        message_id=str(at),
        user_id=user,
        properties=properties,
    )
    assert platform.settle([call])[0].problem is None


def test_a_stranger_is_greeted_and_nothing_is_kept(server: Serving) -> None:
    before = server.product.platform.committer.position.last
    told = Browser(server).told
    assert (told["greeting"], told["greets"]) == (["Hello there, stranger"], False)
    assert told["state"] == {}
    assert server.product.platform.committer.position.last == before


def test_who_is_signed_in_is_greeted_by_what_is_known(server: Serving) -> None:
    known(server, "asha@greeting.example", firstName="Asha")
    told = Browser(server, identity=signed("asha@greeting.example")).told
    assert told["greeting"] == ["Hello Asha, asha@greeting.example"]
    fresh = Browser(server, identity=signed("omar@greeting.example", firstName="Omar")).told
    assert fresh["greeting"] == ["Hello Omar, omar@greeting.example"]


def test_whose_identity_is_not_signed_now_is_a_stranger(server: Serving) -> None:
    known(server, "ravi@greeting.example", firstName="Ravi")
    browser = Browser(server, identity=signed("ravi@greeting.example"))
    again = browser.start(token=browser.token).json()
    assert again["greeting"] == ["Hello there, stranger"]
    forged = jwt.encode({"sub": "ravi@greeting.example"}, "x" * 32, "HS256")
    assert Browser(server, identity=forged).told["greeting"] == ["Hello there, stranger"]


def test_once_something_was_said_nobody_is_greeted(server: Serving) -> None:
    browser = Browser(server)
    browser.says("Hello")
    assert "greeting" not in browser.start(token=browser.token).json()
