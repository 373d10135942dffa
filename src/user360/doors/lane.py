"""A lane past the framework for what SDKs send all day.

The routes stay the framework's, which describes them and answers browsers; here the same functions
are called with less around them, in a third of the time a small request otherwise takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from user360.doors.intake import Intake, Room
from user360.errors import Problem

Defect = Callable[[Request[Any, Any, Any], Exception], Response[Any]]


class Lane:
    """Answers posts to some routes by itself and leaves the rest to `app`.

    The routes must read the body themselves and take nothing but the request; `Problem`s are
    answered by the handler that each names for them, what nobody foresaw by `defect`. What a
    browser sends from another origin is left too, for its answers carry headers of their own.
    """

    def __init__(
        self, app: ASGIApp, room: Room, routes: Iterable[HTTPRouteHandler], defect: Defect
    ) -> None:
        self.app = app
        self.defect = defect
        self._routes = {path: route for route in routes for path in route.paths}
        self._inside = Intake(self._answer, room)

    @property
    def paths(self) -> frozenset[str]:
        """Where it answers."""
        return frozenset(self._routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._takes(scope):
            await self.app(scope, receive, send)
            return
        scope["path_template"] = scope["path"]
        scope["route_handler"] = self._routes[scope["path"]]
        try:
            await self._inside(scope, receive, send)
        except Problem as problem:
            await _send(self._refusal(scope, problem), send)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is logged and answered
            await _send(self.defect(Request(scope), error), send)

    def _takes(self, scope: Any) -> bool:
        return (
            scope["type"] == ScopeType.HTTP
            and scope["method"] == "POST"
            and scope["path"] in self._routes
            and not any(name == b"origin" for name, _ in scope["headers"])
        )

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        await _send(await self._routes[scope["path"]].fn(request), send)

    def _refusal(self, scope: Any, problem: Problem) -> Response[Any]:
        handlers: Any = self._routes[scope["path"]].exception_handlers
        answer: Response[Any] = handlers[Problem](Request(scope), problem)
        return answer


async def _send(response: Response[Any], send: Send) -> None:
    body = msgspec.json.encode(response.content)
    given = {"content-type": response.media_type or "application/json", **response.headers}
    headers = [(name.lower().encode(), value.encode()) for name, value in given.items()]
    headers.append((b"content-length", b"%d" % len(body)))
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code or 200,
            "headers": headers,
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
