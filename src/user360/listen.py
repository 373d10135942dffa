"""Listening: the socket that is ours alone, and Uvicorn on it, bounded where it sets no bounds.

The server lives in the loop of the application: what it reads goes to the handlers, and what they
answer to the socket, without another thread between them that would wait for the interpreter.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import sys
from asyncio.events import TimerHandle
from collections.abc import Iterator
from typing import Any

import structlog
import uvicorn
from httptools import HttpParserUpgrade, HttpRequestParser
from litestar.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from user360.errors import Unavailable

log = structlog.get_logger()
# Connections that wait to be accepted, and those open at once: SDKs keep theirs open.
BACKLOG = 4_096
CONNECTIONS = 16_384
# How long a connection may stay open with nothing asked, as most proxies have it.
IDLE_SECONDS = 75
# Bytes that may come before a body (what is read at once may be more and is taken all the same),
# how long they may take, and how long a body may bring nothing.
HEAD_BYTES = 65_536
STALL_SECONDS = 30.0
# Headers of a request that would go on in another protocol, which it may not.
OFFERS = (b"connection", b"upgrade", b"http2-settings")


class PortTaken(Unavailable):
    """Something else listens at this address."""


def bound(host: str, port: int) -> socket.socket:
    """A socket at an address, for port 0 at a free one, which does not listen yet.

    It shares its port with nobody who listens. Raises `PortTaken`, or `Unavailable` with why not.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        # A name such as localhost may stand for both; the older one is what clients try as well.
        family, kind, _, _, place = min(found, key=lambda each: each[0] != socket.AF_INET)
        held = socket.socket(family, kind)
        try:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind(place)
        except OSError:
            held.close()
            raise
    except OSError as error:
        raise _refused(error, host, port) from error
    return held


def _refused(error: OSError, host: str, port: int) -> Unavailable:
    if error.errno == errno.EADDRINUSE:
        return PortTaken(f"Something else listens at {url(host, port)}; choose --port")
    return Unavailable(f"Cannot listen at {url(host, port)}: {error.strerror}")


def address(held: socket.socket) -> tuple[str, int]:
    """The IP address and the port of a socket."""
    host, port = held.getsockname()[:2]
    return str(host), int(port)


def url(host: str, port: int) -> str:
    """The address as people type it."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class Server(uvicorn.Server):
    """Uvicorn's server for an application, to be run in a loop of ours, on a bound socket."""

    def __init__(self, application: ASGIApp, held: socket.socket) -> None:
        logger = logging.getLogger("uvicorn")
        logger.handlers, logger.propagate = [ServerLog()], False
        super().__init__(
            uvicorn.Config(
                application,
                http=Connection,
                ws="none",
                lifespan="on",
                backlog=BACKLOG,
                limit_concurrency=CONNECTIONS,
                timeout_keep_alive=IDLE_SECONDS,
                proxy_headers=False,
                server_header=False,
                access_log=False,
                log_config=None,
                log_level=logging.ERROR,
            )
        )
        self.held = held
        self.listening = asyncio.Event()
        self._told = asyncio.Event()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer requests until `stop`, and end what is open.

        Raises `PortTaken` when somebody was quicker to listen.
        """
        try:
            await super().serve(sockets or [self.held])
        except OSError as error:
            raise _refused(error, *address(self.held)) from error

    def stop(self) -> None:
        """End, to be called in the loop: nothing new is accepted, idle connections are closed."""
        self.should_exit = True
        self._told.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        """As Uvicorn's, which looks ten times a second whether it was told to stop."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 1)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are for who runs the loop."""
        yield


class Connection(HttpToolsProtocol):
    """Uvicorn's connection, for strangers: what precedes a body is bounded in size and time."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._in_head = True
        self._heads = 0  # that began
        self._head = 0  # bytes of a head that did not end with what was read at once
        self._read = 0
        self._data = self._again = b""  # what is read at the moment, and what is to be read anew
        self._patience: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._waited_enough()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._waited_enough()
        self._in_head, self._head = True, 0
        self._heads += 1
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._waited_enough()
        if not self.parser.should_upgrade():
            self._in_head = False
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        heads, size = self._heads, len(data)
        self._read += size
        while data:
            self._data, self._again = data, b""
            super().data_received(data)
            data = self._again
        self._data = b""
        if self.transport.is_closing():
            return
        if self._in_head and heads == self._heads:
            self._head += size
            if self._head > HEAD_BYTES:
                self.send_400_response(f"The headers are larger than {HEAD_BYTES} bytes")
                return
        if not self._in_head and not self.cycle.more_body:
            self._waited_enough()
        elif self._patience is None:
            self._wait()

    def _unsupported_upgrade_warning(self) -> None:
        """Begin such a request anew as one that wishes for nothing.

        Java's client offers HTTP/2 with its first, and the parser leaves what follows the head of
        it to another protocol: a body, or the next request.
        """
        upgrade = sys.exc_info()[1]
        assert isinstance(upgrade, HttpParserUpgrade)  # Uvicorn asks this where it was raised
        if self.parser.get_method() == b"CONNECT":
            self.send_400_response("This is no proxy")
            return
        rest, version = self._data[upgrade.args[0] :], self.parser.get_http_version()
        head = [b"%s %s HTTP/%s\r\n" % (self.parser.get_method(), self.url, version.encode())]
        head += [b"%s: %s\r\n" % each for each in self.headers if each[0] not in OFFERS]
        self.parser = HttpRequestParser(self)
        self._again = b"".join([*head, b"\r\n", rest])

    def _wait(self) -> None:
        self._patience = self.loop.call_later(STALL_SECONDS, self._look, self._in_head, self._read)

    def _waited_enough(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _look(self, in_head: bool, read: int) -> None:
        """Close what brings nothing more; what is not taken at the moment may wait."""
        self._patience = None
        if in_head or (read == self._read and not self.flow.read_paused):
            self.transport.close()
        else:
            self._wait()


class ServerLog(logging.Handler):
    """What the HTTP server says, in our own logs: its first line, for more could hold a value."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
            return  # cut off when the end has come, which is no trouble of the server's
        log.error("http server", says=str(record.msg).partition("\n")[0])
