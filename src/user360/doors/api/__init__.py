"""The product's own API, `/api/v1`: one module a noun."""

from __future__ import annotations

from user360.doors.api import sessions

ROUTES = [*sessions.ROUTES]
