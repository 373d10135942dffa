"""The original's API, `/cdp/api/v1`: a bot that talks to yellow.ai needs only another host."""

from __future__ import annotations

from user360.doors.yellow import bulk, events, users

ROUTES = [*bulk.ROUTES, *users.ROUTES, *events.ROUTES]
