"""Filtering the users: the builder in a dialog, and back to the table with what was built."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from user360.doors import gate
from user360.errors import InvalidCondition
from user360.pages import render, route, users_view
from user360.pages.builder import routes as built
from user360.pages.builder import view as builder
from user360.pages.render import Asked


@route.shown("/users/filter", may="records.read")
async def opened(request: Asked) -> Response[str]:
    """The builder with the filter of an address in it; one that is damaged begins anew."""
    view = users_view.read(request.query_params)
    try:
        where = users_view.condition(view.where)
    except InvalidCondition:
        where = None
    shown = builder.view(gate.actor_of(request).workspace, where)
    return render.page(request, "users/filter.html", view=view, builder=shown)


@route.deed("/users/filter", may="records.read")
async def filtered(request: Asked) -> Response[str]:
    """On at the users that the filter leaves. Raises `Invalid` when something in it is missing."""
    given = await built.pairs(request)
    where = builder.submitted(gate.actor_of(request).workspace, given)
    text = "" if where is None else msgspec.json.encode(where).decode()
    here = urlsplit(dict(given).get("here", "")).query
    return render.go(request, users_view.read(dict(parse_qsl(here))).at(where=text))


ROUTES: list[HTTPRouteHandler] = [opened, filtered]
