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

from user360.doors import gate
from user360.observe import metrics

log = structlog.get_logger()
KIND = re.compile(r":[a-z]+\}")
UNKNOWN = "none"


class Watch:
    """Times what is inside, and adds what is left of the caller's rate limit to the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._names: dict[str, str] = {}

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
                if (room := gate.room_of(scope)) is not None:
                    added = [(k.lower().encode(), v.encode()) for k, v in room.headers().items()]
                    message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            self._note(scope, status, time.perf_counter() - began)

    def _note(self, scope: Any, status: int, seconds: float) -> None:
        route = self._route(scope.get("path_template", UNKNOWN))
        metrics.REQUEST_SECONDS.labels(route, str(status)).observe(seconds)
        actor = gate.actor_in(scope)
        log.info(
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
