"""The web application on one page: a platform, its doors, its errors."""

from __future__ import annotations

from typing import Any

import structlog
from litestar import Litestar, Request, Response
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import ASGIApp

from user360 import __version__
from user360.doors import gate, health
from user360.doors.api import ROUTES as OWN
from user360.doors.intake import Intake
from user360.doors.segment import ROUTES as SEGMENT
from user360.errors import Problem, StorageFailed
from user360.platform import Platform

log = structlog.get_logger()


def create(platform: Platform) -> Litestar:
    """The application that serves `platform` through all doors."""

    def intake(app: ASGIApp) -> ASGIApp:
        return Intake(app, platform)

    return Litestar(
        route_handlers=[*health.ROUTES, *OWN, *SEGMENT],
        state=State({"platform": platform}),
        middleware=[intake],
        exception_handlers={
            Problem: on_problem,
            HTTPException: on_refusal,
            Exception: on_defect,
        },
        cors_config=CORSConfig(allow_origins=["*"], allow_headers=["*"], max_age=86_400),
        openapi_config=OpenAPIConfig(
            title="User 360",
            version=__version__,
            path="/",
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
        request_max_body_size=None,
        logging_config=None,
    )


def on_problem(_request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    return gate.problem_response(problem)


def on_refusal(_request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    return gate.problem_response(gate.from_framework(error))


def on_defect(_request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Something nobody foresaw: logged with its place, answered without detail."""
    log.error("request failed", exc_info=error)
    return gate.problem_response(StorageFailed("The server could not answer; it has been logged"))
