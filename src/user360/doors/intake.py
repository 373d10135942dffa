"""What a request body passes first: its size, its compression, and the room there is for it."""

from __future__ import annotations

import zlib
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from user360.errors import Busy, Malformed, TooLarge
from user360.observe import metrics
from user360.platform import Platform

LIMITS = (("/v1/", 4_194_304), ("/cdp/", 16_777_216), ("/api/", 67_108_864))
DEFAULT_LIMIT = 1_048_576
WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Room:
    """How many bytes of bodies are being worked on, over all routes."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.held = 0

    def take(self, size: int) -> None:
        """Hold room for a body. Raises `Busy` when there is none, or the queue is full."""
        full = self.held and self.held + size > self.platform.settings.queue_bytes
        if full or not self.platform.committer.room():
            metrics.REFUSED.inc()
            raise Busy
        self.add(size)

    def add(self, size: int) -> None:
        self.held += size
        metrics.QUEUE_BYTES.set(self.held)


class Intake:
    """Middleware that reads a body whole, within bounds, and unpacks gzip.

    Bodies being worked on are bounded in sum: beyond `queue_bytes`, or with the queue full,
    the answer is 429 before a byte is read.
    """

    def __init__(self, app: ASGIApp, room: Room) -> None:
        self.app = app
        self.room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] not in WRITES:
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        held = announced(scope["path"], headers)
        self.room.take(held)
        try:
            body = await self._body(scope["path"], headers, receive)
            self.room.add(len(body) - held)
            held = len(body)
            await self.app(scope, _replay(body, receive), send)
        finally:
            self.room.add(-held)

    async def _body(self, path: str, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        limit, parts, size = limit_of(path), [], 0
        more = True
        while more:
            message: Any = await receive()
            if message["type"] == "http.disconnect":
                raise Malformed("The connection was closed before the body was complete")
            part = message.get("body", b"")
            size += len(part)
            if size > limit:
                raise TooLarge(f"The body is larger than {limit} bytes")
            parts.append(part)
            more = message.get("more_body", False)
        body = b"".join(parts)
        encoding = headers.get(b"content-encoding", b"").strip().lower()
        return inflate(body, encoding, limit) if encoding not in (b"", b"identity") else body


def announced(path: str, headers: dict[bytes, bytes]) -> int:
    """The bytes that a request says its body has. Raises `TooLarge`."""
    given = headers.get(b"content-length", b"0")
    size = int(given) if given.isdigit() and len(given) < 16 else 0
    if size > limit_of(path):
        raise TooLarge(f"The body is {size} bytes; at most {limit_of(path)} are accepted here")
    return size


def limit_of(path: str) -> int:
    """The most bytes a body may have at this path, unpacked."""
    return next((limit for start, limit in LIMITS if path.startswith(start)), DEFAULT_LIMIT)


def inflate(body: bytes, encoding: bytes, limit: int) -> bytes:
    """Unpack gzip or deflate up to `limit` bytes. Raises `TooLarge`, `Malformed`."""
    if encoding not in (b"gzip", b"x-gzip", b"deflate"):
        raise Malformed("Content-Encoding must be gzip, deflate or identity")
    unpacker = zlib.decompressobj(47)
    try:
        plain = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise Malformed("The body is not what its Content-Encoding says") from error
    if len(plain) > limit:
        raise TooLarge(f"The body unpacks to more than {limit} bytes")
    if not unpacker.eof:
        raise Malformed("The compressed body ends too early")
    return plain


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was read, then what comes after it."""
    sent = False

    async def again() -> Any:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
