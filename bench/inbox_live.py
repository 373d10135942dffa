"""Streams: from a message to the screens of agents, and what a connected widget costs."""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import pages, server, timing
from bench.report import Figure, at_most
from bench.server import HOST, KEY, Failed, Server
from user360.access.vault import Vault
from user360.channels.web import sessions
from user360.doors.widget.asking import HEADER

AGENTS = 200
RATE = 200  # messages a second
SECONDS = 10
SETTLED = 2  # seconds until what was made in passing is given back
SENDERS = 20  # connections that messages come by
WIDGETS = 1_000
METHOD = (
    f"{AGENTS} agents' streams are open and {RATE} messages a second come in over HTTP for"
    f" {SECONDS} seconds: from a message's sending until its row has reached the last agent's"
    f" socket. Memory is what the server's grew by with {WIDGETS:,} widgets connected."
)


def measure(cache: Path) -> list[Figure]:
    """On a server with nothing in it, for what is measured is the streams."""
    with tempfile.TemporaryDirectory(dir=cache) as place, server.running(Path(place)) as running:
        took = _seen(running)
    with tempfile.TemporaryDirectory(dir=cache) as place, server.running(Path(place)) as running:
        each = _widgets(running, Path(place))
    return [
        at_most(
            "a message on the last screen, p99", 1_000 * timing.percentile(took, 99), 1_000, "ms"
        ),
        Figure("on the last screen, p50", 1_000 * timing.median(took), "ms"),
        at_most("memory of a connected widget", 1_024 * each, 50, "KB"),
    ]


def _seen(running: Server) -> list[float]:
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        with contextlib.closing(server.line(running.port)) as connection:
            cookie = pages.cookie_of(connection)
        head = f"GET /inbox/live HTTP/1.1\r\nHost: {HOST}\r\ncookie: {cookie}\r\n\r\n".encode()
        for number in range(AGENTS):
            selector.register(stack.enter_context(_line(running, head)), 1, number)
        senders = [
            stack.enter_context(socket.create_connection((HOST, running.port)))
            for _ in range(SENDERS)
        ]
        return Seen(selector, senders).run()


class Seen:
    """Sends messages at a steady rate and notes when each has reached every agent."""

    def __init__(self, selector: selectors.BaseSelector, senders: list[socket.socket]) -> None:
        self.selector = selector
        self.senders = senders
        self.sent: list[float] = []
        self.reached: dict[int, int] = {}  # agent -> messages that it has been told of, at least
        self.rest: dict[int, bytes] = {}
        self.took: list[float] = []

    def run(self) -> list[float]:
        """How long each message took to the last of the agents, in seconds."""
        for sender in self.senders:
            self.selector.register(sender, selectors.EVENT_READ, -1)
        total, began = RATE * SECONDS, time.perf_counter()
        end = began + SECONDS + 30
        while len(self.took) < total:
            now = time.perf_counter()
            if now > end:
                raise Failed(f"of {total} messages {len(self.took)} came to all agents")
            if len(self.sent) < total and now >= began + len(self.sent) / RATE:
                self._send(len(self.sent))
            for key, _ in self.selector.select(0.001):
                self._take(key)
        return self.took

    def _send(self, number: int) -> None:
        body = json.dumps({"from": "customer", "text": f"mark-{number:06}-", "id": f"{number}"})
        head = (
            f"POST /api/v1/sessions/web/live-{number % 100}/messages HTTP/1.1\r\nHost: {HOST}\r\n"
            f"x-api-key: {KEY}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        )
        self.sent.append(time.perf_counter())
        self.senders[number % SENDERS].sendall(f"{head}\r\n{body}".encode())

    def _take(self, key: selectors.SelectorKey) -> None:
        part = key.fileobj.recv(1 << 18)  # type: ignore[union-attr]
        if not part:
            raise Failed("the server closed a stream")
        if key.data < 0:
            return
        now = time.perf_counter()
        text = self.rest.get(key.data, b"") + part
        *_, last = (-1, *(int(text[at + 5 : at + 11]) for at in _marks(text)))
        self.rest[key.data] = text[-16:]
        if last >= 0:
            self.reached[key.data] = max(last, self.reached.get(key.data, -1))
            if len(self.reached) == AGENTS:
                to = min(self.reached.values())
                self.took += [now - at for at in self.sent[len(self.took) : to + 1]]


def _marks(text: bytes) -> Iterator[int]:
    at = text.find(b"mark-")
    while 0 <= at <= len(text) - 12:
        yield at
        at = text.find(b"mark-", at + 5)


def _widgets(running: Server, place: Path) -> float:
    """Megabytes of the server's memory for each connected widget."""
    running.ask("PATCH", "/api/v1/channels/web", {"active": True})
    vault = Vault.open(place, used=False)
    now = time.time_ns() // 1_000
    tokens = [sessions.token(vault, sessions.begin(1), now) for _ in range(WIDGETS)]
    before = running.memory()["VmRSS"]
    with contextlib.ExitStack() as stack:
        for token in tokens:
            head = f"GET /channels/web/stream HTTP/1.1\r\nHost: {HOST}\r\n{HEADER}: {token}\r\n\r\n"
            stack.enter_context(_line(running, head.encode()))
        time.sleep(SETTLED)
        return (running.memory()["VmRSS"] - before) / WIDGETS


@contextlib.contextmanager
def _line(running: Server, head: bytes) -> Iterator[socket.socket]:
    """A stream that was answered."""
    with socket.create_connection((HOST, running.port), timeout=60) as line:
        line.sendall(head)
        first = line.recv(65_536)
        if b" 200 " not in first[:16]:
            raise Failed(first[:200].decode(errors="replace"))
        yield line
