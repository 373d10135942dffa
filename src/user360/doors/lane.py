"""A lane past the framework for what SDKs send all day.

The routes stay the framework's, which describes them and answers browsers; here the same functions
are called with less around them, in a quarter of the time a small request otherwise takes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from user360.access.limits import Limits
from user360.doors import gate, intake, paths, watch
from user360.doors.intake import Room
from user360.doors.watch import Watch
from user360.errors import Problem
from user360.platform import Platform

JSON = b"application/json"
NAME = re.compile(rb"\{[a-z]+\}")
SEQ = gate.SEQ.lower().encode()


class Sent(NamedTuple):
    """A request to a route of the lane: its body, the key its headers carry, and whom it asks.

    `noted` is where the caller is noted for who watches, `names` what stands for the names in the
    path.
    """

    platform: Platform
    limits: Limits
    noted: dict[str, Any]
    key: str | None
    body: bytes
    names: tuple[str, ...] = ()


# What is answered, and the position at which a reader sees what was written. Raises `Problem`.
Take = Callable[[Sent], Awaitable[tuple[Any, int | None]]]
Refuse = Callable[[Request[Any, Any, Any], Problem], Response[Any]]
# What takes in posts to some paths, and how they are refused. A path may hold `{names}`.
Way = tuple[Mapping[str, Take], Refuse]
Defect = Callable[[Request[Any, Any, Any], Exception], Response[Any]]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


class Route(NamedTuple):
    """A path of the lane, what takes in its posts, and how many bytes they may have."""

    path: str
    take: Take
    refuse: Refuse
    limit: int


class Lane:
    """Answers posts to some paths by itself and leaves the rest to what `others` watches.

    A `Problem` is answered as its way refuses, what nobody foresaw by `defect`. What a browser
    sends from another origin, or with a cookie, is left too, for more has to be looked at there.
    """

    def __init__(
        self,
        others: Watch,
        room: Room,
        limits: Limits,
        ways: Sequence[Way],
        defect: Defect,
    ) -> None:
        self.others = others
        self.room = room
        self.limits = limits
        self.defect = defect
        routes = [
            Route(path, take, refuse, intake.limit_of(path))
            for takes, refuse in ways
            for path, take in takes.items()
        ]
        self.paths = frozenset(route.path for route in routes)
        self._plain = {r.path.encode(): r for r in routes if "{" not in r.path}
        self._named = [
            (re.compile(NAME.sub(b"([^/?]+)", r.path.encode())), r) for r in routes if "{" in r.path
        ]

    def _found(self, scope: Any) -> tuple[Route, tuple[bytes, ...]] | None:
        """Where a request leads, and what stands for the names in its path."""
        if scope["type"] != ScopeType.HTTP or scope["method"] != "POST":
            return None
        if (route := self._plain.get(scope["raw_path"])) is not None:
            return route, ()
        if scope["query_string"]:  # of which nothing is read here
            return None
        for pattern, route in self._named:
            if (match := pattern.fullmatch(scope["raw_path"])) is not None:
                return route, match.groups()
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._found(scope)
        headers = {} if found is None else intake.headers_of(scope)
        if found is None or "origin" in headers or "cookie" in headers:
            await self.others(scope, receive, send)
            return
        route, names = found
        began, status = time.perf_counter(), 500
        try:
            status, head, body = await self._answer(scope, receive, headers, route, names)
            head += watch.left(scope)
            await send({"type": "http.response.start", "status": status, "headers": head})
            await send({"type": "http.response.body", "body": body, "more_body": False})
        finally:
            self.others.note(scope, route.path, status, time.perf_counter() - began)

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        headers: Mapping[str, str],
        route: Route,
        names: tuple[bytes, ...],
    ) -> Answer:
        platform, noted, key = self.room.platform, scope["state"], gate.key_in_headers(headers)

        async def taken(body: bytes) -> tuple[Any, int | None]:
            given = tuple(paths.text_of(name.decode("latin-1")) for name in names)
            return await route.take(Sent(platform, self.limits, noted, key, body, given))

        try:
            content, seq = await self.room.within(headers, route.limit, receive, taken)
        except Problem as problem:
            return _plain(route.refuse(Request(scope), problem))
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
