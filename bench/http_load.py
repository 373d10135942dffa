"""A client that costs next to nothing: requests made beforehand, sockets kept open, one process.

It shares the machine with the server it measures, so every cycle it does not use counts. Each
connection sends its next request when the last one is answered.
"""

from __future__ import annotations

import base64
import contextlib
import multiprocessing
import selectors
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any

import msgspec

from bench import server

_PATIENCE = 60.0  # seconds without an answer until the run is given up
_CHUNK = 65_536


class Loaded(msgspec.Struct, frozen=True):
    """What a load measured: times of single answers in seconds, and the whole of it."""

    seconds: float
    answers: list[float]
    processor_seconds: float  # used by the client itself
    late: float = 0.0  # how far the client fell behind its own schedule, in seconds


Make = Callable[..., list[list[bytes]]]  # requests, a list for each connection


def post(path: str, body: bytes) -> bytes:
    """A whole request with Basic auth, as bytes."""
    key = base64.b64encode(f"{server.KEY}:".encode()).decode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {server.HOST}\r\nAuthorization: Basic {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextlib.contextmanager
def prepared(port: int, make: Make, *given: Any) -> Iterator[Callable[[], Loaded]]:
    """A process that has made its requests, `make(*given)`; the call lets it send them all.

    Raises `server.Failed` from that call when any answer is not 200.
    """
    with _process(_all_at_once, port, make, given) as pipe:
        yield lambda: _go(pipe)


@contextlib.contextmanager
def steady(port: int, make: Make, *given: Any, every: float) -> Iterator[Callable[[], Loaded]]:
    """A process that sends a request every so many seconds, in turns over its connections.

    It begins at once and ends with the context; the call ends it early and tells what it measured.
    """
    with _process(_paced, port, make, given, every) as pipe:
        pipe.send("go")
        yield lambda: _go(pipe)


def _go(pipe: Connection) -> Loaded:
    pipe.send("go")
    loaded: Loaded = _received(pipe)
    return loaded


def _received(pipe: Connection) -> Any:
    try:
        answer = pipe.recv()
    except EOFError:
        raise server.Failed("the client's process ended too early") from None
    if isinstance(answer, str):
        raise server.Failed(answer)
    return answer


@contextlib.contextmanager
def _process(work: Callable[..., None], *given: Any) -> Iterator[Connection]:
    """A process of its own (a fresh one: nothing of this one's threads), ready for its work."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_main, args=(theirs, work, *given), daemon=True)
    process.start()
    theirs.close()
    try:
        _received(ours)
        yield ours
    finally:
        ours.close()
        process.join(5)
        process.kill()


def _main(pipe: Connection, work: Callable[..., None], *given: Any) -> None:
    with contextlib.suppress(EOFError, BrokenPipeError):
        try:
            work(pipe, *given)
        except (server.Failed, OSError) as error:
            pipe.send(f"{error}" or type(error).__name__)


def _all_at_once(pipe: Connection, port: int, make: Make, given: Sequence[Any]) -> None:
    lines = [Line(port, requests) for requests in make(*given)]
    pipe.send(True)
    pipe.recv()
    began, busy = time.perf_counter(), time.process_time()
    with selectors.DefaultSelector() as selector:
        for each in lines:
            selector.register(each.socket, selectors.EVENT_READ, each)
            each.send()
        while selector.get_map():
            for each in _answered(selector):
                if not each.send():
                    selector.unregister(each.socket)
    seconds = time.perf_counter() - began
    answers = [took for each in lines for took in each.answers]
    pipe.send(Loaded(seconds, answers, time.process_time() - busy))


def _paced(pipe: Connection, port: int, make: Make, given: Sequence[Any], every: float) -> None:
    lines = [Line(port, requests) for requests in make(*given)]
    pipe.send(True)
    pipe.recv()
    began, busy, sent, late = time.perf_counter(), time.process_time(), 0, 0.0
    with selectors.DefaultSelector() as selector:
        for each in lines:
            selector.register(each.socket, selectors.EVENT_READ, each)
        idle = list(lines)
        while not pipe.poll():
            due = began + sent * every - time.perf_counter()
            if due <= 0 and idle:
                late = max(late, -due)
                if not idle.pop(0).send():
                    raise server.Failed("the steady load ran out of requests")
                sent += 1
            idle += _answered(selector, max(0.0, due) if idle else 0.01)
    pipe.recv()
    answers = [took for each in lines for took in each.answers]
    pipe.send(Loaded(time.perf_counter() - began, answers, time.process_time() - busy, late))


def _answered(selector: selectors.BaseSelector, patience: float = _PATIENCE) -> list[Line]:
    """The lines whose answer is whole by now, after waiting for the first bytes of any."""
    ready = selector.select(patience)
    if not ready and patience == _PATIENCE:
        raise server.Failed("the server did not answer")
    return [key.data for key, _ in ready if key.data.receive()]


class Line:
    """One connection with the requests it is going to send."""

    def __init__(self, port: int, requests: Sequence[bytes]) -> None:
        self.socket = socket.create_connection((server.HOST, port), timeout=_PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answers: list[float] = []
        self._requests = iter(requests)
        self._received = b""
        self._sent = 0.0

    def send(self) -> bool:
        """Send the next request; False when there is none."""
        request = next(self._requests, None)
        if request is None:
            return False
        self._sent = time.perf_counter()
        self.socket.sendall(request)
        return True

    def receive(self) -> bool:
        """Take in what has come; True when that was the end of an answer. Raises `Failed`."""
        part = self.socket.recv(_CHUNK)
        if not part:
            raise server.Failed("the server closed the connection")
        self._received += part
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return False
        if b" 200 " not in head[:16] or b'"errors"' in body:
            raise server.Failed((head[:80] + b" ... " + body[:500]).decode(errors="replace"))
        self.answers.append(time.perf_counter() - self._sent)
        self._received = b""
        return True


def _length(head: bytes) -> int:
    """What an answer's head says of its body's length. Raises `Failed` when it says nothing."""
    for row in head.lower().split(b"\r\n"):
        if row.startswith(b"content-length:"):
            return int(row[15:])
    raise server.Failed("an answer without a length")
