"""What the builder asks while somebody builds: the form again, the count, what values there are."""

from __future__ import annotations

from litestar.handlers import HTTPRouteHandler

ROUTES: list[HTTPRouteHandler] = []
