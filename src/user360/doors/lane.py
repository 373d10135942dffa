"""A lane past the framework for what SDKs send all day.

The routes stay the framework's, which describes them and answers browsers; here the same functions
are called with less around them, in a quarter of the time a small request otherwise takes.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import msgspec
from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from user360.access.limits import Limits
from user360.doors import gate, intake, watch
from user360.doors.intake import Room
from user360.doors.watch import Watch
from user360.errors import Problem
from user360.platform import Platform

JSON = b"application/json"
SEQ = gate.SEQ.lower().encode()


class Sent(NamedTuple):
    """A request to a route of the lane: its body, the key its headers carry, and whom it asks.

    `noted` is where the caller is noted for who watches.
    """

    platform: Platform
    limits: Limits
    noted: dict[str, Any]
    key: str | None
    body: bytes


# What is answered, and the position at which a reader sees what was written. Raises `Problem`.
Take = Callable[[Sent], Awaitable[tuple[Any, int | None]]]
Refuse = Callable[[Request[Any, Any, Any], Problem], Response[Any]]
Defect = Callable[[Request[Any, Any, Any], Exception], Response[Any]]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


class Lane:
    """Answers posts to some paths by itself and leaves the rest to what `others` watches.

    A `Problem` is answered by `refuse`, what nobody foresaw by `defect`. What a browser sends from
    another origin is left too, for its answers carry headers of their own.
    """

    def __init__(
        self,
        others: Watch,
        room: Room,
        limits: Limits,
        takes: Mapping[str, Take],
        refuse: Refuse,
        defect: Defect,
    ) -> None:
        self.others = others
        self.room = room
        self.limits = limits
        self.refuse = refuse
        self.defect = defect
        self._takes = {
            path.encode(): (path, take, intake.limit_of(path)) for path, take in takes.items()
        }

    @property
    def paths(self) -> frozenset[str]:
        """Where it answers."""
        return frozenset(path for path, _, _ in self._takes.values())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = None
        if scope["type"] == ScopeType.HTTP and scope["method"] == "POST":
            found = self._takes.get(scope["raw_path"])
        headers = {} if found is None else intake.headers_of(scope)
        if found is None or "origin" in headers:
            await self.others(scope, receive, send)
            return
        path, take, limit = found
        began, status = time.perf_counter(), 500
        try:
            status, head, body = await self._answer(scope, receive, headers, take, limit)
            head += watch.left(scope)
            await send({"type": "http.response.start", "status": status, "headers": head})
            await send({"type": "http.response.body", "body": body, "more_body": False})
        finally:
            self.others.note(scope, path, status, time.perf_counter() - began)

    async def _answer(
        self, scope: Scope, receive: Receive, headers: Mapping[str, str], take: Take, limit: int
    ) -> Answer:
        platform, noted, key = self.room.platform, scope["state"], gate.key_in_headers(headers)

        async def taken(body: bytes) -> tuple[Any, int | None]:
            return await take(Sent(platform, self.limits, noted, key, body))

        try:
            content, seq = await self.room.within(headers, limit, receive, taken)
        except Problem as problem:
            return _plain(self.refuse(Request(scope), problem))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is logged and answered
            return _plain(self.defect(Request(scope), error))
        body = msgspec.json.encode(content)
        head = [(b"content-type", JSON), (b"content-length", b"%d" % len(body))]
        if seq is not None:
            head.append((SEQ, b"%d" % seq))
        return 200, head, body


def _plain(response: Response[Any]) -> Answer:
    body = msgspec.json.encode(response.content)
    given = {"content-type": response.media_type or "application/json", **response.headers}
    head = [(name.lower().encode(), value.encode()) for name, value in given.items()]
    head.append((b"content-length", b"%d" % len(body)))
    return response.status_code or 200, head, body
