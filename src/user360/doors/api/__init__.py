"""The product's own API, `/api/v1`: one module a noun."""

from __future__ import annotations

from user360.doors.api import (
    definitions,
    events,
    many,
    person,
    properties,
    segments,
    sessions,
    users,
    workspace,
)

ROUTES = [
    *users.ROUTES,
    *many.ROUTES,
    *person.ROUTES,
    *sessions.ROUTES,
    *events.ROUTES,
    *properties.ROUTES,
    *definitions.ROUTES,
    *segments.ROUTES,
    *workspace.ROUTES,
]
