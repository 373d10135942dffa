"""The inbox's server side: who sees what, what is counted, and that texts stay texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient

from tests import signed_in
from tests.inbox.counter import Counter
from user360 import app, ids
from user360.conversations import reading
from user360.conversations.talk import Said
from user360.pages import inbox_view
from user360.platform import Platform


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient[Any]]:
    with Platform.temporary() as platform, TestClient(app.create(platform)) as client:
        yield client


@pytest.fixture
def counter(client: TestClient[Any]) -> Counter:
    """The default workspace, where the members of the sessions are."""
    found = Counter(client.app.state.platform)
    found.workspace = found.platform.default
    return found


def test_what_is_somebody_elses_is_not_there(client: TestClient[Any], counter: Counter) -> None:
    headers = signed_in.come(counter.platform, client, "agent")
    other = signed_in.member(counter.platform, "editor")
    number = counter.says("theirs", "A secret")
    counter.does(number, "assign", assignee=other)
    public = ids.public_conversation_id(number)
    assert "A secret" not in client.get("/inbox?list=active").text
    for path in ("", "/head", "/person", "/contact", "/activity", "/canned", "/parting"):
        assert client.get(f"/inbox/{public}{path}").status_code == 404, path
    for deed in ("say", "take", "assign", "resolve", "reopen", "edit", "typing", "parting"):
        answer = client.post(
            f"/inbox/{public}/{deed}", headers=headers, data={"text": "Hi", "to": "anybody"}
        )
        assert answer.status_code == 404, deed
    assert client.get(f"/inbox/live?open={public}").status_code == 404
    assert counter.held(number).assignee == other


def test_a_message_said_again_is_the_same(client: TestClient[Any], counter: Counter) -> None:
    headers = signed_in.come(counter.platform, client, "admin")
    public = ids.public_conversation_id(counter.says("again"))
    form = {"text": "Hello", "id": "once"}
    first, second = (
        client.post(f"/inbox/{public}/say", headers=headers, data=form) for _ in range(2)
    )
    assert first.status_code == second.status_code == 200
    assert first.text == second.text
    bad = {"text": "", "attachments": "[{}"}
    assert client.post(f"/inbox/{public}/say", headers=headers, data=bad).status_code == 400


def test_a_mail_is_shown_where_nothing_runs(client: TestClient[Any], counter: Counter) -> None:
    signed_in.come(counter.platform, client, "admin")
    number = counter.says("mail", "Hello", detail={"html": "<p>Hello</p>"})
    plain = counter.call(conversation=number, said=Said(sender="note", text="x")).message
    first = counter.held(number)
    with counter.platform.ledger.read() as connection:
        mail = reading.messages(connection, number)[0]
    public = ids.public_conversation_id(first.id)
    answer = client.get(f"/inbox/{public}/messages/{ids.public_message_id(mail.id)}")
    assert answer.text == "<p>Hello</p>"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    other = ids.public_conversation_id(counter.says("other"))
    assert client.get(f"/inbox/{other}/messages/m{mail.id & 0xFFFF}").status_code == 404
    assert plain is not None
    missing = f"/inbox/{public}/messages/{ids.public_message_id(plain)}"
    assert client.get(missing).status_code == 404


@pytest.mark.parametrize("group", ["9" * 30, "9" * 5_000, "\u00b2", "-1", "x"])
def test_a_group_that_cannot_be_is_passed_over(
    client: TestClient[Any], counter: Counter, group: str
) -> None:
    signed_in.come(counter.platform, client, "admin")
    counter.says("passed-over", "Hello")
    shown = client.get("/inbox/rows", params={"list": "active", "group": group})
    assert shown.status_code == 200
    assert "Hello" in shown.text


class Reader(HTMLParser):
    """What a browser would make of a text: its words, and the elements in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words, self.elements = "", set[str]()
        self.feed(text)
        self.close()

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        where = dict(attrs)["href"]
        assert where is not None
        assert re.match("https?://", where)


@given(st.lists(st.sampled_from(["https://a.b/", '"', "<b>", "'", "&amp;", " ", "x", ").", "<"])))
def test_links_are_made_of_addresses_and_nothing_else(parts: list[str]) -> None:
    text = "".join(parts)
    read = Reader(str(inbox_view.linked(text)))
    assert read.words == text
    assert read.elements <= {"a"}


def test_the_stream_is_not_for_strangers(client: TestClient[Any]) -> None:
    client.cookies.clear()
    answer = client.get("/inbox/live", follow_redirects=False)
    assert answer.status_code == 303
