"""Segments: all of them."""

from __future__ import annotations

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from user360.doors import gate
from user360.doors.api import members
from user360.doors.api.members import Shown
from user360.pages import render, route, segment_changes, segment_new, segment_page
from user360.pages.render import Asked

ORDERS = {
    "name": ("Name", lambda s: s.name.lower(), False),
    "size": ("Size", lambda s: s.count or 0, True),
    "changed": ("Changed", lambda s: s.updated_at, True),
}


@route.shown("/segments", may="segments.read")
async def listed(
    request: Asked, q: FromQuery[str] = "", sort: FromQuery[str] = "name"
) -> Response[str]:
    """The segments in use, or the archived ones, with how large and how fresh they are."""
    archived = request.query_params.get("archived") == "true"
    everything = gate.actor_of(request).workspace.segments.values()
    ours = [s for s in everything if (s.archived_at is not None) == archived]
    wanted = q.strip().lower()
    chosen = [s for s in ours if wanted in s.name.lower() or wanted in s.description.lower()]
    shown: list[Shown] = await members.all_shown(request, chosen)
    _, key, descends = ORDERS.get(sort, ORDERS["name"])
    shown.sort(key=lambda s: s.name.lower())
    shown.sort(key=key, reverse=descends)
    return render.page(
        request,
        "segments/list.html",
        segments=shown,
        q=q,
        sort=sort,
        archived=archived,
        orders=ORDERS,
        counts={archived: len(ours), not archived: len(everything) - len(ours)},
    )


ROUTES: list[HTTPRouteHandler] = [
    listed,
    *segment_new.ROUTES,
    *segment_page.ROUTES,
    *segment_changes.ROUTES,
]
