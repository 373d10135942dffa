"""Segment's tracking API, `/v1`: what their SDKs and RudderStack's send, translated."""

from __future__ import annotations

from user360.doors.segment import routes, source

ROUTES = [*routes.ROUTES, *source.ROUTES]
TAKES = routes.TAKES
refused = routes.refused
