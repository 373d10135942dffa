"""The users: everybody, filtered, searched, sorted, and what is done with many at once."""

from __future__ import annotations

from litestar.handlers import HTTPRouteHandler

ROUTES: list[HTTPRouteHandler] = []
