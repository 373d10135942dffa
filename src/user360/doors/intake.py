"""What a request body passes first: its size, its compression, and the room there is for it."""

from __future__ import annotations

import zlib
from typing import Any

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from user360.doors.gate import problem_response
from user360.errors import Busy, Malformed, Problem, TooLarge
from user360.observe import metrics
from user360.platform import Platform

LIMITS = (("/v1/", 4_194_304), ("/cdp/", 16_777_216), ("/api/", 67_108_864))
DEFAULT_LIMIT = 1_048_576
WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Intake:
    """Middleware that reads a body whole, within bounds, and unpacks gzip.

    Bodies being worked on are bounded in sum: beyond `queue_bytes`, or with the queue full,
    the answer is 429 before a byte is read.
    """

    def __init__(self, app: ASGIApp, platform: Platform) -> None:
        self.app = app
        self.platform = platform
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in WRITES:
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        taken = 0
        try:
            taken = self._admit(scope["path"], headers)
            body = await self._body(scope["path"], headers, receive)
        except Problem as problem:
            self.held -= taken
            await _refuse(problem, send)
            return
        grown = len(body) - taken
        self.held += grown
        metrics.QUEUE_BYTES.set(self.held)
        try:
            await self.app(scope, _replay(body, receive), send)
        finally:
            self.held -= taken + grown

    def _admit(self, path: str, headers: dict[bytes, bytes]) -> int:
        """Check what is announced; returns the bytes that are held for it."""
        announced = headers.get(b"content-length", b"0")
        size = int(announced) if announced.isdigit() else 0
        if size > limit_of(path):
            raise TooLarge(f"The body is {size} bytes; at most {limit_of(path)} are accepted here")
        room = self.platform.committer.room()
        if not room or (self.held and self.held + size > self.platform.settings.queue_bytes):
            metrics.REFUSED.inc()
            raise Busy
        self.held += size
        return size

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
        message: Message = {"type": "http.request", "body": body, "more_body": False}
        return message

    return again


async def _refuse(problem: Problem, send: Send) -> None:
    response = problem_response(problem).to_asgi_response(app=None, request=None)  # type: ignore[arg-type]
    await send(
        {
            "type": "http.response.start",
            "status": problem.status,
            "headers": response.encoded_headers(),
        }
    )
    await send({"type": "http.response.body", "body": response.body, "more_body": False})
