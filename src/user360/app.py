"""The web application on one page: a platform, its doors, its errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from litestar import Litestar, Request, Response, Router
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.types import ASGIApp

from user360 import __version__, demo
from user360.access.limits import Limits
from user360.access.signing import Attempts
from user360.channels import senders
from user360.channels.email.office import Office
from user360.channels.web.live import Live
from user360.doors import bots, described, gate, health, segment, whatsapp, widget
from user360.doors import demo as demo_shop
from user360.doors.api import ROUTES as OWN
from user360.doors.api import messages
from user360.doors.intake import Intake, Room
from user360.doors.lane import Lane
from user360.doors.options import options
from user360.doors.paths import AsSent, Named
from user360.doors.watch import Watch
from user360.doors.widget.pace import Pace
from user360.doors.yellow import ROUTES as YELLOW
from user360.erasure import jobs as erasure_jobs
from user360.erasure.nightly import Nightly
from user360.errors import Problem, StorageFailed
from user360.exports import jobs as export_jobs
from user360.flows.attendant import Attendant
from user360.imports import jobs as import_jobs
from user360.imports.schedules import looking
from user360.imports.schedules.timekeeper import Timekeeper
from user360.inbox.caretaker import Caretaker
from user360.inbox.live import Hub
from user360.inbox.presence import Presence
from user360.inbox.sweeper import Sweeper
from user360.many import jobs as many_jobs
from user360.pages import routes as pages
from user360.pages.inbox_live import Preparer
from user360.pages.route import on_refusal as on_page_refusal
from user360.platform import Platform

log = structlog.get_logger()
# The slices with work that takes long: each says what its jobs do.
WORKING = (import_jobs, export_jobs, erasure_jobs, many_jobs, looking)
# What works beside the requests while they are served: it has `start` and `close`.
BESIDE: Mapping[str, Callable[[Platform], Any]] = {
    "timekeeper": Timekeeper,
    "caretaker": Caretaker,
    "presence": Presence,
    "outbox": senders.outbox,
    "mail": Office,
    "sweeper": Sweeper,
    "nightly": Nightly,
    "attendant": Attendant,
}
# Threads on which questions are answered; one that waits to see a write takes one too. Fewer than
# the ledger has connections for reading.
THREADS = 12
SHOWN = [
    "X-User360-Seq",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
]


def create(platform: Platform, *, alone: bool = False) -> Litestar:
    """The application that serves `platform` through all doors; `alone`, through the own API alone.

    That is all a command asks for that works on a directory itself, and it is ready in half the
    time.
    """
    for working in WORKING:
        working.register(platform)
    room, limits, live = Room(platform), Limits(), Live(platform)
    beside = {name: make(platform) for name, make in BESIDE.items()}
    inbox = Hub(platform, Preparer(platform), beside["presence"])
    handlers = [*OWN] if alone else doors(platform)

    def intake(app: ASGIApp) -> ASGIApp:
        return Intake(app, room)

    app = Litestar(
        route_handlers=[*options(handlers), *handlers, *([] if alone else [pages.router()])],
        state=State(
            {
                "platform": platform,
                "limits": limits,
                "attempts": Attempts(),
                "web_live": live,
                "inbox": inbox,
                "web_pace": Pace(),
                **beside,
            }
        ),
        middleware=[Named, intake],
        exception_handlers={
            Problem: on_problem,
            HTTPException: on_refusal,
            Exception: on_defect,
        },
        cors_config=CORSConfig(
            allow_origins=["*"], allow_headers=["*"], expose_headers=SHOWN, max_age=86_400
        ),
        openapi_config=OpenAPIConfig(
            title="User 360",
            version=__version__,
            use_handler_docstrings=True,
            openapi_router=NoRoutes("/", route_handlers=[]),
        ),
        on_startup=[make_threads, live.start, inbox.start],
        on_shutdown=[live.close, inbox.close],
        request_max_body_size=None,
        logging_config=None,
    )
    watch = Watch(AsSent(app.asgi_handler))
    ways = [(segment.TAKES, segment.refused), (messages.TAKES, on_problem)]
    app.asgi_handler = Lane(watch, room, limits, ways, on_defect)
    return app


def doors(platform: Platform) -> list[HTTPRouteHandler]:
    """What programs call, of all doors."""
    handlers = [*health.ROUTES, *described.ROUTES, *OWN, *segment.ROUTES, *YELLOW]
    handlers += [*bots.ROUTES, *widget.ROUTES, *whatsapp.ROUTES]
    return [*handlers, *(demo_shop.ROUTES if demo.is_one(platform.directory) else [])]


class NoRoutes(Router):
    """The framework's own pages on the API, which are not wanted: none."""

    def register(self, value: Any) -> list[Any]:  # noqa: ARG002 - the framework's own signature
        return []


async def make_threads() -> None:
    """Give the loop its threads for questions."""
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="reader")
    asyncio.get_running_loop().set_default_executor(threads)


def on_problem(_request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    """What cannot be carried out, said plainly."""
    return gate.problem_response(problem)


def on_refusal(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """What the framework refuses, in the same shape."""
    if error.status_code >= 500:
        log.error("request failed", exc_info=error)
    elif error.status_code == 404 and "text/html" in request.headers.get("accept", ""):
        return on_page_refusal(request, error)
    return gate.problem_response(gate.from_framework(error, request))


def on_defect(_request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Something nobody foresaw: logged with its place, answered without detail."""
    log.error("request failed", exc_info=error)
    return gate.problem_response(StorageFailed("The server could not answer; it has been logged"))
