"""One page or deed as one row: where it is, and who may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import structlog
from litestar import MediaType, Response, get, post
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from user360.doors import gate, staying
from user360.errors import Problem, StorageFailed
from user360.pages import render
from user360.pages.render import Asked

log = structlog.get_logger()


class SignInFirst(Problem):
    """Sign in to see this."""

    status = 401
    code = "signInFirst"


class Elsewhere(Problem):
    """What is asked for is at another address of ours by now, where one goes on."""

    status = 303
    code = "elsewhere"

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address


def shown(*paths: str, may: str, kind: str = MediaType.HTML) -> Callable[[Any], HTTPRouteHandler]:
    """Make a function the page at an address, for members who may do `may`."""
    return get(list(paths), guards=[_guard(may)], media_type=kind, include_in_schema=False)


def deed(*paths: str, may: str) -> Callable[[Any], HTTPRouteHandler]:
    """Make a function what a form or a button of a page does, for members who may do `may`."""
    return post(
        list(paths),
        guards=[_guard(may)],
        media_type=MediaType.HTML,
        status_code=200,
        include_in_schema=False,
    )


def _guard(may: str) -> Any:
    async def check(connection: gate.Anyone, _handler: BaseRouteHandler) -> None:
        actor = gate.signed_in(connection)
        if actor is None:
            raise SignInFirst
        connection.scope["state"][gate.ACTOR] = actor
        if gate.writes(connection):
            gate.refuse_forged(actor, connection.headers.get(gate.CSRF))
        gate.permit(actor, may)
        staying.note(connection, may)

    return check


def on_problem(request: Asked, problem: Problem) -> Response[Any]:
    """What a page cannot do; who is not signed in is asked to do that."""
    if isinstance(problem, Elsewhere):
        return render.go(request, problem.address)
    if not isinstance(problem, SignInFirst):
        return render.problem(request, problem)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    after = f"?next={quote(here)}" if request.method == "GET" and here != "/" else ""
    return render.go(request, f"/sign-in{after}")


def on_refusal(request: Asked, error: HTTPException) -> Response[Any]:
    """What the framework refuses, as a page."""
    return on_problem(request, gate.from_framework(error))


def on_defect(request: Asked, error: Exception) -> Response[Any]:
    """Something nobody foresaw: logged with its place, told without detail."""
    log.error("request failed", exc_info=error)
    return on_problem(request, StorageFailed("The server could not answer; it has been logged"))
