"""Segment's tracking API, `/v1`: what their SDKs and RudderStack's send, translated."""

from __future__ import annotations

from user360.doors.segment import routes

ROUTES = routes.ROUTES
TAKES = routes.TAKES
refused = routes.refused
