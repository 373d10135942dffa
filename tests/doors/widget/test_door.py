"""The widget's door: nobody sees or writes another's session, nobody takes more than a share."""

from __future__ import annotations

import re
import secrets
import threading
from importlib import resources
from typing import Any

import httpx
import jwt
import pytest

from tests.doors.conftest import Serving
from tests.doors.widget.asking import (
    Browser,
    answers,
    change,
    numbers,
    other_workspace,
    settled,
)
from user360.channels.web import sessions
from user360.conversations.deeds import Deed
from user360.doors.widget import pace, script

MANY = {str(i): 1 for i in range(51)}


@pytest.fixture(autouse=True, scope="module")
def _switched_on(server: Serving) -> None:
    change(server)


def test_the_script_is_small_and_asked_for_once(server: Serving) -> None:
    answer = httpx.get(f"{server.url}/widget.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.content == script.read("widget.js").plain
    assert len(answer.content) < 30_000
    again = httpx.get(f"{server.url}/widget.js", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_script_is_written_so_that_it_can_be_shortened() -> None:
    # What shortens it takes a template within a template for the end of the outer one.
    source = resources.files("user360.doors.widget") / "static" / "widget.js"
    assert re.findall(r"\$\{[^{}`]*`", source.read_text("utf-8")) == []


@pytest.mark.parametrize("language", sorted(script.languages()))
def test_every_language_has_all_words(server: Serving, language: str) -> None:
    english = script.read("widget.js").plain.decode()
    words = httpx.get(f"{server.url}/channels/web/words/{language}").json()
    assert all(f"{word}:'" in english for word in words)
    assert len(words) == len(httpx.get(f"{server.url}/channels/web/words/de").json())
    assert httpx.get(f"{server.url}/channels/web/words/..%2Fde").json() == {}


def test_a_message_is_said_once_however_often_it_is_sent(server: Serving) -> None:
    one = Browser(server)
    first = one.says("Hello", id="same").json()
    assert one.says("Hello", id="same").json()["n"] == first["n"]
    assert [m["text"] for m in one.seen()] == ["Hello"]
    # The same id in another browser is another message.
    assert Browser(server).says("Hello", id="same").json()["n"] != first["n"]


def test_nobody_sees_or_writes_the_session_of_another(server: Serving) -> None:
    one, two = Browser(server), Browser(server)
    one.says("Only for us")
    two.says("Something else")
    assert [m["text"] for m in two.seen()] == ["Something else"]
    workspace, session, at, signature = one.token.split(".")
    other = two.token.split(".")[1]
    for forged in (
        f"{workspace}.{other}.{at}.{signature}",
        f"7.{session}.{at}.{signature}",
        "",
        "x",
    ):
        two.token = forged
        for answer in (
            two.says("As the other"),
            two.client.get("/messages", headers=two.headers),
            two.client.get("/stream", headers=two.headers),
            two.client.post("/seen", json={}, headers=two.headers),
            two.client.post("/typing", headers=two.headers),
            two.client.post("/files", files={"file": b"x"}, headers=two.headers),
        ):
            assert answer.status_code == 401
            assert answer.json()["type"] == "urn:user360:problem:noSession"


def test_a_session_of_one_workspace_begins_anew_in_another(server: Serving) -> None:
    one = Browser(server)
    one.says("Hello")
    other = other_workspace(server)
    told = one.start(workspace=other.name, token=one.token).json()
    assert told["token"] != one.token
    assert (told["messages"], told["state"]) == ([], {})
    assert one.start(workspace="nowhere").status_code == 404


def test_the_identity_of_another_workspace_is_refused(server: Serving) -> None:
    key = secrets.token_urlsafe(32)
    change(server, signingKey=key)
    now = server.product.platform.clock.now() // 1_000_000
    token = jwt.encode({"sub": "asha", "iat": now, "exp": now + 60}, key)
    other = other_workspace(server)
    refused = Browser(server, other.name, identity=token).told
    assert refused["identified"] is False
    assert refused["refused"] == ["This workspace has no signing key for the channel web"]
    taken = Browser(server, identity=token)
    assert (taken.told["identified"], taken.told["refused"]) == (True, [])
    person = server.product.person("asha")
    assert person is not None
    # Coming again writes nothing, for nothing is new.
    before = server.product.platform.committer.settled
    assert taken.start(token=taken.token, identity=token).json()["identified"] is True
    assert server.product.platform.committer.settled == before


def test_who_signs_in_in_the_middle_takes_the_conversation_along(server: Serving) -> None:
    key = secrets.token_urlsafe(32)
    change(server, signingKey=key)
    now = server.product.platform.clock.now() // 1_000_000
    known = {"iat": now, "exp": now + 60, "properties": {"firstName": "Meera"}}
    one = Browser(server)
    one.says("Hello")
    told = one.start(token=one.token, identity=jwt.encode({"sub": "meera", **known}, key)).json()
    assert told["token"] == one.token
    assert [m["text"] for m in told["messages"]] == ["Hello"]
    person = server.product.person("meera")
    assert person is not None
    assert person["properties"]["firstName"] == "Meera"
    other = one.start(token=one.token, identity=jwt.encode({"sub": "ravi", **known}, key)).json()
    assert other["token"] != one.token
    assert other["messages"] == []


def test_what_a_page_claims_never_identifies(server: Serving) -> None:
    claim = {"properties": {"userId": "asha", "email": "x@example.com", "nothing": 1}}
    one = Browser(server)
    one.says(page=claim)
    assert visitor(server, one)["properties"] == {}
    change(server, pageProperties=True)
    two = Browser(server)
    answer = two.says(page={"properties": {**claim["properties"], "firstName": "Asha"}}).json()
    assert answer["refused"] == []
    found = visitor(server, two)
    assert (found["userId"], found["properties"]["firstName"]) == (None, "Asha")
    # One that is wrong does not keep the message from being said.
    three = Browser(server)
    assert three.says(page={"properties": {"email": "no address"}}).json()["refused"]
    assert [m["text"] for m in three.seen()] == ["Hello"]
    change(server, pageProperties=False)


def visitor(server: Serving, browser: Browser) -> dict[str, Any]:
    found = server.product.visitor(browser.token.split(".")[1])
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"id": "no spaces", "text": "x"}, "id"),
        ({"id": "a", "text": "x" * 70_000}, "text"),
        ({"id": "a", "text": "  "}, "text"),
        ({"id": "a", "text": 1}, "text"),
        ({"id": "a", "text": "x", "more": 1}, "more"),
        ({"id": "a", "text": "x", "files": [{"id": "f" * 32, "key": "k"}]}, "files.0"),
        ({"id": "a", "text": "x", "files": [{"id": "f", "key": "k"}] * 11}, "files"),
        (
            {"id": "a", "text": "x", "page": {"properties": {str(i): 1 for i in range(51)}}},
            "page.properties",
        ),
    ],
)
def test_a_bad_message_says_what_is_wrong_and_keeps_nothing(
    server: Serving, body: dict[str, Any], path: str
) -> None:
    one = Browser(server)
    answer = one.client.post("/messages", json=body, headers=one.headers)
    assert answer.status_code == 400
    assert [error["path"] for error in answer.json()["errors"]] == [path]
    assert one.seen() == []


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"x"', b"{", b"\xff", b"[" * 100_000])
def test_no_body_at_all_is_a_defect(server: Serving, body: bytes) -> None:
    one = Browser(server)
    for path in ("/start", "/messages", "/seen"):
        answer = one.client.post(path, content=body, headers=one.headers)
        assert answer.status_code == 400, (path, answer.text)


def test_the_stream_tells_what_was_missed_and_what_comes_and_no_note(server: Serving) -> None:
    one = Browser(server)
    first = one.says("One").json()["n"]
    answers(server, first, "Two")
    answers(server, first, "She is nervous", "note")
    with one.listening(since=first) as heard:
        assert heard("message")["text"] == "Two"
        assert heard("state")["state"] == "open"
        answers(server, first, "Still a note", "note")
        one.says("Three")
        assert heard("message")["text"] == "Three"
        settled(server, first, deed=Deed(action="resolve"))
        while heard("state")["state"] != "resolved":
            continue
    assert [m["text"] for m in one.seen()] == ["One", "Two", "Three"]


def test_a_long_absence_is_made_up_for_whole(server: Serving) -> None:
    one = Browser(server)
    first = one.says("One").json()["n"]
    for number in range(230):
        answers(server, first, str(number), "bot")
    with one.listening(since=first) as heard:
        assert [heard("message")["text"] for _ in range(230)] == [str(n) for n in range(230)]
    pages = [one.start(token=one.token).json()]
    assert (len(pages[0]["messages"]), pages[0]["more"]) == (50, True)
    earlier = one.seen(before=pages[0]["messages"][0]["n"])
    assert [m["text"] for m in earlier] == [str(n) for n in range(130, 180)]


def test_more_streams_of_one_session_than_there_may_be_end_the_first(server: Serving) -> None:
    one = Browser(server)
    with one.listening() as first:
        ended = threading.Event()

        def follow() -> None:
            with pytest.raises(EOFError):
                first("message")
            ended.set()

        follower = threading.Thread(target=follow)
        follower.start()
        others = [one.listening() for _ in range(6)]
        for each in others:
            each.__enter__()("state")
        assert ended.wait(30)
        follower.join()
        for each in others:
            each.__exit__(None, None, None)


def test_files_are_for_whom_they_were_given(server: Serving) -> None:
    one, two = Browser(server), Browser(server)
    sent = one.client.post(
        "/files", files={"file": ("bill.html.pdf", b"bill", "text/html")}, headers=one.headers
    ).json()
    stolen = two.says("Mine now", files=[{"id": sent["id"], "key": "0" * 32}])
    assert stolen.json()["errors"][0]["path"] == "files.0"
    assert one.says("", files=[{"id": sent["id"], "key": sent["key"]}]).status_code == 200
    (shown,) = one.seen()[0]["files"]
    taken = httpx.get(server.url + shown["url"])
    assert taken.content == b"bill"
    assert taken.headers["content-disposition"].startswith("attachment")
    assert taken.headers["content-type"] == "application/octet-stream"
    assert httpx.get(server.url + shown["url"][:-1] + "x").status_code == 404
    for name in ("a.exe", "a.SVG", "page.html", "run.sh. "):
        refused = one.client.post("/files", files={"file": (name, b"x")}, headers=one.headers)
        assert refused.status_code == 400, name


def test_a_channel_that_is_switched_off_takes_nothing(server: Serving) -> None:
    one = Browser(server)
    change(server, active=False)
    try:
        for answer in (one.start(), one.says(), one.client.get("/stream", headers=one.headers)):
            assert (answer.status_code, answer.json()["type"]) == (
                403,
                "urn:user360:problem:switchedOff",
            )
    finally:
        change(server, active=True)
    assert one.says().status_code == 200


def test_one_browser_cannot_keep_the_chat_from_the_others(server: Serving) -> None:
    one, two = Browser(server), Browser(server)
    # A minute that ends meanwhile gives a little room again, so a few more may be taken.
    least = int(pace.WRITES.amount)
    taken = 0
    while (answer := one.says(str(taken))).status_code == 200 and taken < least * 2:
        taken += 1
    assert least <= taken < least * 2
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert two.says().status_code == 200


def test_nobody_fills_the_disk_from_a_chat(server: Serving) -> None:
    browser = Browser(server)
    # With the form around the file each is a quarter of what may be sent.
    size = pace.BYTES.amount // 4 - 1
    for status in (201, 201, 201, 201, 429):
        form = {"file": ("photo.png", b"x" * (size * 1_048_576), "image/png")}
        sent = browser.client.post("/files", files=form, headers=browser.headers)
        assert sent.status_code == status, sent.text
    assert 1 <= int(sent.headers["retry-after"]) <= 3_600  # until this hour is over
    assert browser.says("No more files, but words").status_code == 200


def test_a_page_of_any_origin_may_ask_and_no_cookie_is_set(server: Serving) -> None:
    asked = {
        "origin": "https://shop.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-user360-session",
    }
    before = httpx.options(f"{server.url}/channels/web/messages", headers=asked)
    assert before.headers["access-control-allow-origin"] == "*"
    assert "x-user360-session" in before.headers["access-control-allow-headers"].lower()
    answer = httpx.post(
        f"{server.url}/channels/web/start", json={}, headers={"origin": "https://shop.example"}
    )
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in answer.headers
    token = answer.json()["token"]
    assert sessions.read(server.product.platform.vault, token).visitor.workspace == 1


def test_nobody_writes_by_a_chat_that_was_never_switched_on(server: Serving) -> None:
    made = server.product.platform.add_workspace(f"quiet{next(numbers)}")
    answer = httpx.post(f"{server.url}/channels/web/start", json={"workspace": made.name})
    assert (answer.status_code, answer.json()["type"]) == (
        403,
        "urn:user360:problem:switchedOff",
    )
