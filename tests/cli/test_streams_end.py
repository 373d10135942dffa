"""The end of a server while people look on: their streams end, and nothing is given up."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from structlog.typing import EventDict

from tests.cli.conftest import KEY, Server
from user360 import serve
from user360.doors import gate, staying

Start = Callable[..., Server]
PASSWORD = "correct horse battery"


class Place:
    """A server of its own with a first member, and the chat switched on."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.url = server.ready()["url"]
        self.key = {"x-api-key": KEY}
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

    def begun(self) -> str:
        """The public id of a new conversation."""
        url = f"{self.url}/api/v1/sessions/api/s/messages"
        body = {"from": "customer", "text": "Hello"}
        told = httpx.post(url, json=body, headers=self.key).json()
        return str(told["message"]["conversationId"])


@pytest.fixture
def place(tmp_path: Path, start: Start) -> Place:
    return Place(start(tmp_path / "data", "--port", "0", "--json", USER360_ADMIN_KEY=KEY))


@contextlib.contextmanager
def looking(url: str, ended: threading.Barrier, **how: object) -> Iterator[None]:
    """A stream that is read until it ends, which the barrier hears of; its first line is there."""
    begun = threading.Event()

    def listen() -> None:
        with httpx.stream("GET", url, timeout=60, **how) as answer:  # type: ignore[arg-type]
            for _ in answer.iter_lines():
                begun.set()
        ended.wait(60)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert begun.wait(30)
    yield
    thread.join(60)


def test_all_who_look_on_are_let_go_when_the_server_ends(place: Place) -> None:
    public, visitor = place.begun(), place.visitor()
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


def test_who_does_not_read_on_is_let_go_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "STREAM_SECONDS", 0.05)

    async def story() -> tuple[list[EventDict], bool]:
        never = asyncio.Event()

        async def full(scope: Any, _receive: object, _send: object) -> None:
            scope["state"] = {staying.STREAM: True}
            await never.wait()  # as sending does while nobody takes what was sent

        under_way = serve.UnderWay(full)
        request = asyncio.create_task(under_way({"type": "http"}, None, None))  # type: ignore[arg-type] # neither looks at more
        await asyncio.sleep(0)
        serving = asyncio.create_task(asyncio.wait([request]))
        with structlog.testing.capture_logs() as logs:
            await under_way.finish(serving)  # type: ignore[arg-type] # any task will do
        return logs, request.done() and request.exception() is None

    assert asyncio.run(story()) == ([], True)
