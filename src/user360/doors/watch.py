"""What is seen of every request: its time by route and status, one line of the log.

Neither ever holds the path itself, which may name a person.
"""

from __future__ import annotations

import re
import time
from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send
from prometheus_client import Histogram

from user360.doors import gate
from user360.observe import metrics

KIND = re.compile(r":[a-z]+\}")
UNKNOWN = "none"


class Watch:
    """Times what is inside, and adds what is left of the caller's rate limit to the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.log = structlog.get_logger().bind()
        self._names: dict[str, str] = {}
        # What each pair of route and status counts into: looking it up costs as much as counting.
        self._seen: dict[tuple[str, int], Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def watched(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *left(scope)]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            template = scope.get("path_template", UNKNOWN)
            self.note(scope, template, status, time.perf_counter() - began)

    def note(self, scope: Any, template: str, status: int, seconds: float) -> None:
        """Count one answered request, and tell of it in the log."""
        route = self._route(template)
        seen = self._seen.get((route, status))
        if seen is None:
            seen = metrics.REQUEST_SECONDS.labels(route, str(status))
            self._seen[route, status] = seen
        seen.observe(seconds)
        actor = gate.actor_in(scope)
        self.log.info(
            "request",
            route=route,
            method=scope["method"],
            status=status,
            ms=round(seconds * 1000, 1),
            workspace=None if actor is None else actor.workspace.id,
        )

    def _route(self, template: str) -> str:
        """`/api/v1/users/{user_id}`: the route as people write it."""
        if template not in self._names:
            self._names[template] = KIND.sub("}", template)
        return self._names[template]


def left(scope: Any) -> list[tuple[bytes, bytes]]:
    """The headers that say what is left of the caller's rate limit; none when there is none."""
    room = gate.room_of(scope)
    if room is None:
        return []
    return [(name.lower().encode(), value.encode()) for name, value in room.headers().items()]
