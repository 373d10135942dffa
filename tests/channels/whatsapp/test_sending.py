"""How an answer is cut into what WhatsApp takes, and what its errors mean."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.channels import meta
from user360.channels.bringing import Locked, Permanent, Temporary
from user360.channels.declared import WhatsApp
from user360.channels.whatsapp import sending, trouble
from user360.channels.whatsapp.graph import Graph
from user360.channels.whatsapp.payload import Trouble
from user360.conversations.talk import Attachment, Message


def message(text: str, *attachments: Attachment, **detail: Any) -> Message:
    return Message(
        id=1,
        conversation=1,
        sender="bot",
        author="flow:hello",
        text=text,
        attachments=attachments,
        at=0,
        received_at=0,
        detail=detail,
    )


@given(st.text(max_size=300), st.integers(1, 40))
def test_a_text_is_split_without_losing_a_word(text: str, most: int) -> None:
    pieces = sending.split(text, most)
    assert all(1 <= len(piece) <= most for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_it_is_parted_where_a_reader_would() -> None:
    assert sending.split("one two\nthree four", 12) == ["one two", "three four"]
    assert sending.split("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]


def test_choices_become_buttons_where_they_fit() -> None:
    piece: Any = sending.pieces_of(message("Which size?", choices=["S", {"title": "M"}]))[0]
    buttons = piece["interactive"]["action"]["buttons"]
    assert [b["reply"]["title"] for b in buttons] == ["S", "M"]
    for choices in (["a", "b", "c", "d"], ["x" * 21], ["a", "a"], [7], [], None):
        assert sending.choices_of(message("Which?", choices=choices)) == []


@pytest.mark.parametrize(
    ("status", "code", "kind", "reason"),
    [
        (400, 131047, Permanent, "The customer wrote more than 24 hours ago"),
        (400, 131026, Permanent, "The customer cannot be reached"),
        (400, 132000, Permanent, "WhatsApp refused it (code 132000)"),
        (400, 130429, Temporary, "More messages were sent"),
        (400, 131056, Temporary, "Too many messages went to this customer"),
        (401, 190, Locked, "The access token has expired"),
        (401, 0, Locked, "WhatsApp refuses the access token"),
        (401, None, Locked, "WhatsApp refuses the access token"),
        (403, 200, Locked, "The access token may not send messages"),
        (403, None, Temporary, "WhatsApp answered with status 403"),
        (500, 2, Temporary, "WhatsApp is overloaded or down"),
        (500, None, Temporary, "WhatsApp answered with status 500"),
        (302, None, Temporary, "WhatsApp answered with status 302"),
        (404, None, Permanent, "WhatsApp refused it with status 404"),
    ],
)
def test_errors_say_what_they_mean(
    status: int, code: int | None, kind: type[Exception], reason: str
) -> None:
    found = trouble.error_of(status, None if code is None else Trouble(code=code))
    assert type(found) is kind
    assert str(found).startswith(reason)


def graph(answer: httpx.Response | Exception) -> Graph:
    """The API with this answer to everything."""

    def answered(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    settings = WhatsApp(phone_number_id="1", access_token=meta.TOKEN, api_base="https://graph.test")
    return Graph(httpx.Client(transport=httpx.MockTransport(answered)), settings)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.ConnectError("refused"), "WhatsApp could not be reached"),
        (httpx.ReadTimeout("slow"), "WhatsApp did not answer in time"),
        (httpx.Response(200, content=b"<html>"), "WhatsApp gave an answer that cannot be read"),
        (httpx.Response(200, content=b"x" * 2_000_000), "WhatsApp answered more than makes sense"),
        (httpx.Response(502, content=b"<html>"), "WhatsApp answered with status 502"),
    ],
)
def test_what_fails_on_the_way_is_tried_again(answer: Any, reason: str) -> None:
    with pytest.raises(Temporary, match=reason):
        graph(answer).send({"to": "4915100000001"})


def test_without_its_settings_nothing_is_sent() -> None:
    with pytest.raises(Permanent, match="phoneNumberId and accessToken missing"):
        Graph(httpx.Client(), WhatsApp())


@pytest.mark.parametrize("url", ["http://elsewhere.test/f", "file:///etc/passwd", "", "http://[x"])
def test_the_token_goes_nowhere_else_in_the_clear(url: str) -> None:
    api = graph(httpx.Response(200, json={"url": url, "file_size": 4}))
    with pytest.raises(Permanent, match="not its own"), open("/dev/null", "wb") as nowhere:
        api.fetch("7", nowhere, 10)


def test_a_file_that_is_too_large_is_not_kept() -> None:
    api = graph(httpx.Response(200, json={"url": "https://files.test/7", "file_size": 99}))
    with pytest.raises(Permanent, match="larger than"), open("/dev/null", "wb") as nowhere:
        api.fetch("7", nowhere, 10)
    lying = graph(httpx.Response(200, json={"url": "https://files.test/7"}))
    with pytest.raises(Permanent, match="larger than"), open("/dev/null", "wb") as nowhere:
        lying.fetch("7", nowhere, 10)
