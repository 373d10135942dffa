"""What every call of the original's API passes: whose key, which bot, and refusals in its shape."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter
from litestar.types import ExceptionHandlersMap, Guard

from user360.doors import gate
from user360.doors.yellow import translate
from user360.errors import Malformed, Problem, Unauthenticated
from user360.ingest.call import Call

log = structlog.get_logger()
Asked = Request[Any, Any, Any]
Bot = Annotated[str | None, QueryParameter(description="the name of the workspace; required")]
# The original knows no others for what these two mean.
STATUS = {403: 401, 409: 400}
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Refused(msgspec.Struct):
    """What is wrong."""

    error: str


class NotAcceptable(Problem):
    """The answer is JSON, or the workspace does not take this."""

    status = 406
    code = "notAcceptable"


def allow(action: str) -> Guard:
    """A guard that lets in keys of the bot whose role may do `action`."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        key = gate.key_in_headers(connection.headers)
        actor = gate.authenticate(connection, key.removeprefix("Bearer ") if key else None)
        gate.permit(actor, action)
        bots = connection.query_params.getall("bot", [])
        if not bots:
            raise Malformed.at("bot", "the parameter bot is required")
        if any(bot.lower() != actor.workspace.name.lower() for bot in bots):
            raise Unauthenticated("The key does not belong to this bot")
        _accepts_json(connection)

    return guard


def _accepts_json(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    accepted = connection.headers.get("accept", "*/*").lower()
    if not any(kind in accepted for kind in ("json", "application/*", "*/*")):
        raise NotAcceptable("The answer is JSON; the Accept header leaves it out")


async def body_of(request: Asked) -> dict[str, Any]:
    """The JSON object in the body. Raises `Malformed`."""
    try:
        return _decode(await request.body())
    except (ValueError, RecursionError) as error:
        raise Malformed("The body must be a JSON object") from error


def bot_of(request: Asked) -> str:
    """The name that the bot is called by in answers."""
    return gate.actor_of(request).workspace.name


def call(request: Asked, **given: Any) -> Call:
    """A call through this door, as of now."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    now = platform.now()
    return Call(
        workspace=actor.workspace.id,
        source="api",
        ref=actor.ref,
        at=now,
        message_id=f"{now:020d}",
        **given,
    )


def refuse(_request: Asked, problem: Problem) -> Response[Refused]:
    """A problem in the original's shape."""
    plain = gate.problem_response(problem)
    return Response(
        Refused(translate.told(problem)),
        status_code=STATUS.get(problem.status, problem.status),
        headers=dict(plain.headers),
    )


def _refuse_framework(request: Asked, error: HTTPException) -> Response[Refused]:
    return refuse(request, gate.from_framework(error))


def _defect(_request: Asked, error: Exception) -> Response[Refused]:
    """Something nobody foresaw: logged with its place, answered without detail."""
    log.error("request failed", exc_info=error)
    return Response(Refused("The server could not answer; it has been logged"), status_code=500)


REFUSE: ExceptionHandlersMap = {
    Problem: refuse,
    HTTPException: _refuse_framework,
    Exception: _defect,
}


def refusals(*more: int) -> dict[int, ResponseSpec]:
    """The answers of a call that say no, beside those of every call."""
    described = {
        400: "Something given is wrong; every place is named",
        401: "No valid key, or not one of this bot, or its role does not allow it",
        404: "There is no such user, or job",
        406: "The answer cannot be JSON, or the event is not taken",
        413: "The body is too large",
        500: "A defect of the server",
        429: "More is coming in than can be written, or the key's rate is used up",
        503: "The storage or the server is not able to answer now",
    }
    statuses = (400, 401, 406, 429, 500, 503, *more)
    return {n: ResponseSpec(Refused, False, described[n]) for n in sorted(statuses)}
