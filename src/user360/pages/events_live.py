"""What arrives just now, and what is refused."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from user360.doors import gate
from user360.events import store, timeline
from user360.pages import forms, render, route
from user360.pages.render import Asked

FIRST, MORE = 25, 100  # events that the page begins with, and that one look adds at most
REASONS = 100
# The page begins with events among so many of the newest entries of the log: those are found
# without looking through all there are.
LATELY = 20_000


def told(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events as the templates read them: what they hold is plain data."""
    return [{**e, "properties": msgspec.json.decode(e["properties"])} for e in events]


async def _rejections(request: Asked) -> list[dict[str, Any]]:
    workspace = gate.actor_of(request).workspace
    found = await gate.read(gate.platform_of(request), lambda c: store.rejections(c, workspace.id))
    return found[:REASONS]


async def _arrived(request: Asked, after: int, limit: int) -> timeline.Arrived:
    workspace, name = gate.actor_of(request).workspace, request.query_params.get("name", "")
    names = [name] if name else []
    return await gate.ask(request, lambda w: timeline.arrived(w, workspace.id, after, names, limit))


@route.shown("/events/live", may="records.read")
async def live(request: Asked) -> Response[str]:
    """The newest events, and those that come while one watches."""
    workspace = gate.actor_of(request).workspace
    last = gate.platform_of(request).committer.position.last
    found = await _arrived(request, max(0, last - LATELY), FIRST)
    return render.page(
        request,
        "events/live.html",
        events=told(found.events),
        position=found.position,
        rejections=await _rejections(request),
        names=sorted(workspace.definitions),
        chosen=request.query_params.get("name", ""),
    )


@route.shown("/events/live/more", may="records.read")
async def more(request: Asked) -> Response[str]:
    """What came after a position, for the page that watches."""
    after = forms.number(request.query_params.get("after", "")) or 0
    found = await _arrived(request, after, MORE)
    return render.page(
        request,
        "events/more.html",
        events=told(found.events),
        position=found.position,
        rejections=await _rejections(request),
    )


ROUTES: list[HTTPRouteHandler] = [live, more]
