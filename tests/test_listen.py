"""Strangers at the socket: what is no HTTP, comes too slowly, or never ends, holds nobody else."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from litestar.types import Receive, Scope, Send

from tests.serving import served
from user360 import listen

Say = Callable[[bytes], socket.socket]


class Heard:
    """What the application was asked, and whether somebody left in the middle of asking."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.left = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for done in ("lifespan.startup.complete", "lifespan.shutdown.complete"):
                await receive()
                await send({"type": done})  # type: ignore[misc, arg-type] # one of the two
            return
        path, body, more = scope["path"], b"", True
        self.asked.append(path)
        while more:
            message: Any = await receive()
            if message["type"] == "http.disconnect":
                self.left.set()
                return
            body += message["body"]
            more = message["more_body"]
        if path == "/slow":
            await asyncio.sleep(listen.STALL_SECONDS * 4)
        told = f"{scope['method']} {path} {len(body)}".encode()
        head = [(b"content-length", str(len(told)).encode())]
        await send(
            {"type": "http.response.start", "status": 200, "headers": head}  # type: ignore[typeddict-item] # no trailers
        )
        await send({"type": "http.response.body", "body": told, "more_body": False})


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def say(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> Iterator[Say]:
    """Open a connection and send some bytes; nothing has to be waited for long."""
    monkeypatch.setattr(listen, "STALL_SECONDS", 0.3)
    opened: list[socket.socket] = []
    with served(heard) as url:
        port = int(url.rpartition(":")[2])

        def begin(data: bytes) -> socket.socket:
            line = socket.create_connection(("127.0.0.1", port), 20)
            opened.append(line)
            line.sendall(data)
            return line

        yield begin
        for line in opened:
            line.close()


def rest(line: socket.socket) -> bytes:
    """All that is answered until the server closes the connection."""
    parts = []
    try:
        while part := line.recv(65_536):
            parts.append(part)
    except ConnectionResetError:  # closed with something of ours unread
        pass
    return b"".join(parts)


def cut_off(line: socket.socket, more: bytes) -> bool:
    """Whether the server closes a connection while we go on and on."""
    for _ in range(400):
        try:
            line.sendall(more)
        except OSError:  # reset or a broken pipe, as it happens
            return True
        time.sleep(0.02)
    return False


def post(path: str, body: bytes, more: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


CLOSE = "Connection: close\r\n"


def test_of_two_who_would_listen_at_one_port_one_is_told(heard: Heard) -> None:
    with listen.bound("127.0.0.1", 0) as late:
        _, port = listen.address(late)
        with served(heard, port), pytest.raises(listen.PortTaken, match="choose --port"):
            asyncio.run(listen.Server(heard, late).serve())


def test_requests_sent_at_once_are_answered_in_their_order(say: Say) -> None:
    answer = rest(say(post("/one", b"a") + post("/two", b"bb") + post("/three", b"", CLOSE)))
    places = [answer.index(b"POST /one 1"), answer.index(b"POST /two 2")]
    assert places == sorted(places)
    assert answer.endswith(b"POST /three 0")


def test_a_connection_is_used_again_and_again(say: Say) -> None:
    line = say(post("/a", b"1"))
    assert line.recv(65_536).endswith(b"POST /a 1")
    time.sleep(listen.STALL_SECONDS * 2)  # nothing is asked, and that is no stalling
    line.sendall(post("/b", b"22"))
    assert line.recv(65_536).endswith(b"POST /b 2")


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02\x00\x01", b"GET / SPDY/9\r\n\r\n", b"\0" * 99])
def test_what_is_no_http_is_refused_and_let_go(say: Say, heard: Heard, data: bytes) -> None:
    assert rest(say(data)).startswith(b"HTTP/1.1 400 Bad Request")
    assert heard.asked == []


def test_very_many_that_would_be_upgraded_are_answered_too(say: Say, heard: Heard) -> None:
    offers = "Connection: Upgrade\r\nUpgrade: h2c\r\n"
    line = say(post("/a", b"", offers) * 2_000 + post("/z", b"", CLOSE))
    assert rest(line).endswith(b"POST /z 0")
    assert len(heard.asked) == 2_001


@pytest.mark.parametrize("line", ["CONNECT shop.test:443", "CONNECT /a", "GET shop"])
def test_what_names_no_path_is_refused(say: Say, heard: Heard, line: str) -> None:
    answer = rest(say(f"{line} HTTP/1.1\r\nHost: x\r\n\r\n".encode()))
    assert answer.startswith(b"HTTP/1.1 400 Bad Request")
    assert heard.asked == []


def test_an_address_may_be_written_whole(say: Say) -> None:
    data = b"GET http://shop.test/a HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n"
    assert rest(say(data)).endswith(b"GET /a 0")


def test_a_head_without_end_is_refused(say: Say, heard: Heard) -> None:
    line = say(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ")
    assert cut_off(line, b"a" * 10_000)
    assert heard.asked == []


def test_a_head_that_is_too_large_says_so(say: Say) -> None:
    line = say(b"GET / HTTP/1.1\r\nHost: x\r\n")
    time.sleep(0.05)
    line.sendall(b"X-Long: " + b"a" * (listen.HEAD_BYTES + 1))
    answer = rest(line)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request")
    assert answer.endswith(b"The headers are larger than 65536 bytes")


def test_who_says_nothing_is_let_go(say: Say) -> None:
    assert rest(say(b"")) == b""


def test_a_head_in_drops_has_its_time_as_a_whole(say: Say, heard: Heard) -> None:
    line = say(b"GET / HTTP/1.1\r\n")
    assert cut_off(line, b"X-More: 1\r\n")
    assert heard.asked == []


def test_a_body_that_stops_is_let_go_and_its_request_told(say: Say, heard: Heard) -> None:
    line = say(post("/a", b"0123456789")[:-4])
    assert rest(line) == b""
    assert heard.left.wait(10)


def test_a_body_may_take_its_time_while_it_goes_on(say: Say) -> None:
    whole = post("/a", b"0123456789", CLOSE)
    line = say(whole[:-10])
    for place in range(10, 0, -1):
        time.sleep(listen.STALL_SECONDS / 4)
        line.sendall(whole[-place : len(whole) - place + 1])
    assert rest(line).endswith(b"POST /a 10")


def test_an_answer_may_take_its_time(say: Say) -> None:
    assert rest(say(post("/slow", b"1", CLOSE))).endswith(b"POST /slow 1")


@pytest.mark.parametrize("wanted", ["h2c", "websocket"])
def test_a_request_that_would_be_upgraded_is_answered_as_it_is(
    say: Say, heard: Heard, wanted: str
) -> None:
    """As Java's HTTP client asks of every server."""
    more = f"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {wanted}\r\nHTTP2-Settings: AAM\r\n"
    whole = post("/a", b"123", more) + post("/b", b"4", more)
    for cut in (len(whole), len(whole) - 2, 40):
        heard.asked.clear()
        line = say(whole[:cut])
        time.sleep(0.02)
        line.sendall(whole[cut:] + post("/c", b"", CLOSE))
        answer = rest(line)
        assert b"POST /a 3" in answer
        assert b"POST /b 1" in answer
        assert answer.endswith(b"POST /c 0")
        assert heard.asked == ["/a", "/b", "/c"]
