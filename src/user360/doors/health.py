"""Is it alive, is it ready, how is it doing."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.openapi.datastructures import ResponseSpec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from user360 import __version__
from user360.conversations import kept
from user360.doors import gate
from user360.errors import Problem
from user360.events import store as event_store
from user360.observe import metrics as measured
from user360.platform import Platform


class Alive(msgspec.Struct):
    """The process lives, in this version."""

    version: str
    status: str = "alive"


class Ready(msgspec.Struct):
    """Whether every part answers, and what each says."""

    status: str
    parts: dict[str, str]


@get("/healthz", include_in_schema=True, tags=["health"], summary="Alive", sync_to_thread=False)
def healthz() -> Alive:
    """Answers as long as the process lives."""
    return Alive(version=__version__)


@get(
    "/readyz",
    tags=["health"],
    summary="Ready",
    responses={503: ResponseSpec(Ready, description="Not ready")},
)
async def readyz(request: Request[Any, Any, Any]) -> Response[Ready]:
    """Pings every part: 200 when all answer, 503 naming those that do not."""
    platform = gate.platform_of(request)
    parts = await asyncio.to_thread(ping, platform)
    ready = all(state == "ok" for state in parts.values())
    content = Ready(status="ready" if ready else "not ready", parts=parts)
    return Response(content, status_code=200 if ready else 503)


def ping(platform: Platform) -> dict[str, str]:
    """The state of each part: `ok` or what is wrong."""
    return {
        "ledger": _try(lambda: _ledger(platform)),
        "committer": "ok" if platform.committer.running else "stopped",
        "warehouse": _try(lambda: platform.projector.warehouse.position()),
        "projector": platform.projector.error or "ok",
        "segments": platform.keeper.error or ("ok" if platform.keeper.running else "stopped"),
    }


def _ledger(platform: Platform) -> None:
    with platform.ledger.read() as connection:
        event_store.last_position(connection)


def _try(ask: Any) -> str:
    try:
        ask()
    except Problem as problem:
        return problem.detail
    except Exception as error:  # noqa: BLE001 - whatever it is, the part does not answer
        return type(error).__name__
    return "ok"


@get("/metrics", media_type="text/plain", tags=["health"], sync_to_thread=True)
def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Prometheus metrics."""
    platform = gate.platform_of(request)
    with contextlib.suppress(Problem), platform.ledger.read() as connection:
        _standing(kept.standing(connection, platform.workspaces))
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _standing(held: kept.Standing) -> None:
    """Tell how the inbox stands at this moment."""
    for state in kept.ACTIVE:
        measured.CONVERSATIONS.labels(state).set(held.conversations.get(state, 0))
    measured.DELIVERIES_WAITING.labels("waiting").set(held.waiting)
    measured.DELIVERIES_WAITING.labels("failed").set(held.failed)


ROUTES = [healthz, readyz, metrics]
