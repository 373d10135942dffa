"""All pages, one module a noun, under the pages' own way of telling problems."""

from __future__ import annotations

from litestar import Router
from litestar.exceptions import HTTPException

from user360.errors import Problem
from user360.pages import (
    activity,
    card,
    events,
    exports,
    flows,
    imports,
    inbox,
    inbox_reports,
    me,
    properties,
    route,
    segments,
    settings,
    sign_in,
    static,
    users,
)
from user360.pages.builder import routes as builder

PAGES = [
    *sign_in.ROUTES,
    *users.ROUTES,
    *inbox.ROUTES,
    *card.ROUTES,
    *segments.ROUTES,
    *builder.ROUTES,
    *imports.ROUTES,
    *exports.ROUTES,
    *flows.ROUTES,
    *inbox_reports.ROUTES,
    *properties.ROUTES,
    *events.ROUTES,
    *activity.ROUTES,
    *settings.ROUTES,
    *me.ROUTES,
]


def router() -> Router:
    """The pages, whose problems people read."""
    return Router(
        path="/",
        route_handlers=[static.files, static.favicon, *PAGES],
        exception_handlers={
            Problem: route.on_problem,
            HTTPException: route.on_refusal,
            Exception: route.on_defect,
        },
        include_in_schema=False,
    )
