"""The chat greets before anything is said: with what may be told to whom, and nothing is kept."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from tests.doors.conftest import Serving
from tests.doors.widget.asking import Browser, change
from user360.access.change import Change
from user360.flows import managing
from user360.flows.attendant import Attendant
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


FLOW = """
start: hello
nodes:
  hello: {message: 'Hello {{{user.firstName|there}}}!', next: ask}
  ask:
    prompt: {kind: choice, ask: 'What is it about?', choices: [Order, Other], variable: it}
    next: thanks
  thanks: {message: 'So it is {{{flow.it}}}.', next: end}
  end: {end: }
"""
ASKS = ["Hello there!", "What is it about?"]


@pytest.fixture
def flow(server: Serving) -> Iterator[None]:
    write(server, FLOW)
    change(server, greeting=None, bot="flow:asks")
    attendant = Attendant(server.product.platform)
    attendant.start()
    yield
    attendant.close()
    change(server, greeting="Hello", bot="")


def write(server: Serving, text: str) -> None:
    platform = server.product.platform

    def put(connection: Any) -> None:
        given: Change = platform.change(connection, platform.default, "key:1")
        managing.put(given, platform.vault, "asks", text)

    platform.write(put)


def told(browser: Browser, count: int) -> list[str]:
    """What stands in the chat once so much was said."""
    with browser.listening() as heard:
        return [heard("message")["text"] for _ in range(count)]


@pytest.mark.usefixtures("flow")
def test_who_was_shown_the_question_answers_it_with_their_first_words(server: Serving) -> None:
    before = server.product.platform.committer.position.last
    one = Browser(server)
    assert (one.told["greeting"], one.told["choices"]) == (ASKS, ["Order", "Other"])
    assert server.product.platform.committer.position.last == before
    for _ in range(2):  # the answer was lost, and is asked for again
        assert one.says("order", id="first", asked=one.told["asked"]).status_code == 200
    assert told(one, 4) == [*ASKS, "order", "So it is Order."]


@pytest.mark.usefixtures("flow")
def test_who_was_not_shown_it_is_asked_after_their_first_words(server: Serving) -> None:
    one = Browser(server)
    one.says("order")
    assert told(one, 3) == ["order", *ASKS]


@pytest.mark.usefixtures("flow")
@pytest.mark.parametrize("asked", ["x", ".", "é.é", "0" * 32 + "."])
def test_what_was_never_asked_is_not_answered(server: Serving, asked: str) -> None:
    one = Browser(server)
    one.says("order", asked=asked)
    assert told(one, 3) == ["order", *ASKS]


@pytest.mark.usefixtures("flow")
def test_a_question_that_was_written_anew_meanwhile_is_asked_anew(server: Serving) -> None:
    one = Browser(server)
    write(server, FLOW.replace("What is it about?", "What?"))
    one.says("order", asked=one.told["asked"])
    assert told(one, 3) == ["order", "Hello there!", "What?"]


@pytest.mark.usefixtures("flow")
def test_what_is_refused_begins_nothing(server: Serving) -> None:
    one = Browser(server)
    before = server.product.platform.committer.position.last
    assert one.says(" ", asked=one.told["asked"]).status_code == 400
    assert server.product.platform.committer.position.last == before
    assert one.seen() == []


@pytest.mark.usefixtures("flow")
def test_only_who_was_called_by_name_is_so_again(server: Serving) -> None:
    known(server, "mira@greeting.example", firstName="Mira")
    one = Browser(server, identity=signed("mira@greeting.example"))
    assert one.told["greeting"][0] == "Hello Mira!"
    stranger = one.start(token=one.token).json()
    assert stranger["greeting"][0] == "Hello there!"
    one.says("order", asked=stranger["asked"])
    assert told(one, 3) == [*ASKS, "order"]
    two = Browser(server, identity=signed("mira@greeting.example"))
    two.says("order", asked=two.told["asked"])
    assert told(two, 3) == ["Hello Mira!", ASKS[1], "order"]
