"""The end of a server while people look on: their streams end, and nothing is given up."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import KEY, Server
from user360.doors import gate

Start = Callable[..., Server]
PASSWORD = "correct horse battery"
# More than the machine keeps for who does not read; it is four times as long where it is shown.
MANY, LONG = 60, "<" * 60_000


class Place:
    """A server of its own with a first member, and the chat switched on."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.url = server.ready()["url"]
        self.key = {"x-api-key": KEY}
        self.client = httpx.Client(headers=self.key, timeout=30)
        member = {"email": "asha@example.com", "name": "Asha", "password": PASSWORD}
        with httpx.Client(base_url=self.url) as client:
            answer = client.post("/welcome", data={"key": KEY, **member})
            assert answer.status_code == 303
            self.cookie = {gate.COOKIE: client.cookies[gate.COOKIE]}
        httpx.patch(f"{self.url}/api/v1/channels/web", headers=self.key, json={"active": True})

    def visitor(self) -> dict[str, str]:
        """The header of a new session of the chat."""
        told = httpx.post(f"{self.url}/channels/web/start", json={"workspace": "default"}).json()
        return {"x-user360-session": told["token"]}

    def says(self, visitor: dict[str, str], text: str, name: str) -> None:
        body = {"id": name, "text": text}
        url = f"{self.url}/channels/web/messages"
        answer = httpx.post(url, json=body, headers=visitor, timeout=30)
        assert answer.status_code == 200, answer.text

    def answers(self, session: str, text: str, name: str) -> str:
        """Something is said in a session; the public id of its conversation."""
        url = f"{self.url}/api/v1/sessions/api/{session}/messages"
        body = {"from": "customer", "text": text, "id": name}
        told = self.client.post(url, json=body).json()
        return str(told["message"]["conversationId"])


@pytest.fixture
def place(tmp_path: Path, start: Start) -> Iterator[Place]:
    place = Place(start(tmp_path / "data", "--port", "0", "--json", USER360_ADMIN_KEY=KEY))
    yield place
    place.client.close()


@contextlib.contextmanager
def looking(url: str, ended: threading.Barrier, **how: object) -> Iterator[list[str]]:
    """A stream that is read until it ends, which the barrier hears of; its first line is there."""
    lines: list[str] = []
    begun = threading.Event()

    def listen() -> None:
        with httpx.stream("GET", url, timeout=60, **how) as answer:  # type: ignore[arg-type]
            for line in answer.iter_lines():
                lines.append(line)
                begun.set()
        ended.wait(60)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert begun.wait(30)
    yield lines
    thread.join(60)


def test_all_who_look_on_are_let_go_when_the_server_ends(place: Place) -> None:
    public = place.answers("s", "Hello", "1")
    visitor = place.visitor()
    place.says(visitor, "Hello", "1")
    ended = threading.Barrier(5)
    inbox, chat = f"{place.url}/inbox/live", f"{place.url}/channels/web/stream"
    with contextlib.ExitStack() as streams:
        for url in (inbox, inbox, f"{inbox}?open={public}"):
            streams.enter_context(looking(url, ended, cookies=place.cookie))
        streams.enter_context(looking(chat, ended, headers=visitor))
        place.server.process.terminate()
        ended.wait(60)  # all four have come to their end, none was broken off
    said = place.server.ended()
    assert (said.code, said.err) == (0, "")


def test_who_does_not_read_on_is_let_go_too(place: Place) -> None:
    public = place.answers("s", "Hello", "first")
    host, _, port = place.url.removeprefix("http://").partition(":")
    with socket.socket() as idle:
        idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        idle.connect((host, int(port)))
        cookie = f"{gate.COOKIE}={place.cookie[gate.COOKIE]}"
        asked = (f"GET /inbox/live?open={public} HTTP/1.1", f"Host: {host}", f"Cookie: {cookie}")
        idle.sendall("\r\n".join((*asked, "\r\n")).encode())
        assert idle.recv(1_000).startswith(b"HTTP/1.1 200")
        for number in range(MANY):
            place.answers("s", LONG, str(number))
        place.server.process.terminate()
        said = place.server.ended()
    assert said.code == 0
    assert [line for line in said.err.splitlines() if line.startswith("{")] == []
