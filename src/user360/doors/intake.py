"""What a request body passes first: its size, its compression, and the room there is for it."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from user360.errors import Busy, Malformed, TooLarge
from user360.observe import metrics
from user360.platform import Platform

Result = TypeVar("Result")
LIMITS = (
    ("/v1/", 4_194_304),
    ("/channels/whatsapp/", 4_194_304),
    ("/cdp/", 16_777_216),
    ("/api/", 67_108_864),
)
DEFAULT_LIMIT = 1_048_576
WRITES = ("POST", "PUT", "PATCH", "DELETE")
# Where files come in: their handlers read the body themselves, as it arrives.
STREAMED = (
    "/api/v1/imports",
    "/api/v1/imports/preview",
    "/api/v1/attachments",
    "/imports/new",
    "/channels/web/files",
)


class Room:
    """How many bytes of bodies are being worked on, over all routes."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.held = 0
        # Asked for when somebody looks, for it changes twice with every request.
        metrics.QUEUE_BYTES.set_function(lambda: self.held)

    async def within(
        self,
        headers: Mapping[str, str],
        limit: int,
        receive: Receive,
        work: Callable[[bytes], Awaitable[Result]],
    ) -> Result:
        """What `work` makes of the body, read whole and unpacked; it counts until that is done.

        Raises `Busy` before a byte is read when there is no room or the queue is full, `TooLarge`
        beyond `limit` bytes, `Malformed`.
        """
        held = announced(headers, limit)
        self._take(held)
        try:
            body = await _body(headers, limit, receive)
            self.held += len(body) - held
            held = len(body)
            return await work(body)
        finally:
            self.held -= held

    def _take(self, size: int) -> None:
        full = self.held and self.held + size > self.platform.settings.queue_bytes
        if full or not self.platform.committer.room():
            metrics.REFUSED.inc()
            raise Busy
        self.held += size


class Intake:
    """Middleware that reads a body whole, within bounds, and unpacks gzip.

    Bodies being worked on are bounded in sum: beyond `queue_bytes`, or with the queue full,
    the answer is 429 before a byte is read.
    """

    def __init__(self, app: ASGIApp, room: Room) -> None:
        self.app = app
        self.room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        bodiless = scope["type"] != ScopeType.HTTP or scope["method"] not in WRITES
        if bodiless or scope["path"] in STREAMED:
            await self.app(scope, receive, send)
            return

        async def inside(body: bytes) -> None:
            await self.app(scope, _replay(body, receive), send)

        await self.room.within(headers_of(scope), limit_of(scope["path"]), receive, inside)


def headers_of(scope: Any) -> dict[str, str]:
    """The headers of a request as text, their names in lower case."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


async def _body(headers: Mapping[str, str], limit: int, receive: Receive) -> bytes:
    body = await _whole(limit, receive)
    encoding = headers.get("content-encoding", "").strip().lower()
    return inflate(body, encoding, limit) if encoding not in ("", "identity") else body


async def _whole(limit: int, receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise Malformed("The connection was closed before the body was complete")
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise TooLarge(f"The body is larger than {limit} bytes")
        parts.append(part)
        if not message.get("more_body", False):
            return part if len(parts) == 1 else b"".join(parts)


def announced(headers: Mapping[str, str], limit: int) -> int:
    """The bytes that a request says its body has. Raises `TooLarge`."""
    given = headers.get("content-length", "0")
    size = int(given) if given.isdecimal() and given.isascii() and len(given) < 16 else 0
    if size > limit:
        raise TooLarge(f"The body is {size} bytes; at most {limit} are accepted here")
    return size


def limit_of(path: str) -> int:
    """The most bytes a body may have at this path, unpacked."""
    return next((limit for start, limit in LIMITS if path.startswith(start)), DEFAULT_LIMIT)


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """Unpack gzip or deflate up to `limit` bytes. Raises `TooLarge`, `Malformed`."""
    if encoding not in ("gzip", "x-gzip", "deflate"):
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
