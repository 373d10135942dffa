"""What Segment's script for the browser asks of a host before it sends: how, and where to."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from user360.doors import gate
from user360.doors.segment import described
from user360.doors.segment.routes import refused
from user360.errors import Problem


def scheme_of(request: Request[Any, Any, Any]) -> str:
    """`https` where the caller came by TLS, to us or to whoever stands before us."""
    forwarded: str = request.headers.get("x-forwarded-proto", request.url.scheme)
    return "https" if forwarded.partition(",")[0].strip() == "https" else "http"


def host_of(request: Request[Any, Any, Any]) -> str:
    """This server's name and port, as the caller wrote them."""
    return request.headers.get("host", "") or request.url.netloc


@get(
    "/v1/projects/{write_key:str}/settings",
    tags=["tracking"],
    summary="How the script for the browser sends",
    responses=described.refusals(),
    exception_handlers={Problem: refused},
)
async def settings(
    request: Request[Any, Any, Any], write_key: FromPath[str]
) -> Response[dict[str, Any]]:
    """With this server as its `cdnURL` the script is told to send here, and nowhere else.

    Its own measurements, which go to its makers, are switched off.
    """
    state, scheme, host = request.app.state, scheme_of(request), f"{host_of(request)}/v1"
    actor = gate.admit(state.platform, state.limits, request.scope["state"], write_key)
    gate.permit(actor, "ingest")
    sending = {"apiKey": write_key, "apiHost": host, "protocol": scheme}
    return gate.answer(
        {
            "integrations": {"Segment.io": sending},
            "metrics": {"sampleRate": 0, "host": host, "protocol": scheme},
            "plan": {"track": {"__default": {"enabled": True}}},
        }
    )


ROUTES = [settings]
