"""The users: everybody, filtered, searched, sorted."""

from __future__ import annotations

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from user360.doors import gate
from user360.doors.api import members
from user360.errors import Invalid, InvalidCondition
from user360.pages import (
    render,
    route,
    users_columns,
    users_filter,
    users_many,
    users_new,
    users_view,
)
from user360.pages.render import Asked
from user360.pages.users_view import Found, View, Whom

NOBODY = Found(0, [], None)


@route.shown("/users", may="records.read")
async def listed(request: Asked) -> Response[str]:
    """The table, with the segments beside it."""
    view = users_view.read(request.query_params)
    those, page, trouble = await _seen(request, view)
    segments = users_view.segments_shown(request, view)
    workspace = gate.actor_of(request).workspace
    archived = sum(1 for s in workspace.segments.values() if s.archived_at is not None)
    return render.page(
        request,
        "users/list.html",
        view=view,
        those=those,
        says=users_view.says(request, those.node) if those.node is not None else "",
        page=page,
        trouble=trouble,
        first=(view.page - 1) * users_view.AT_ONCE + 1,
        at_once=users_view.AT_ONCE,
        columns=users_columns.chosen(request),
        choices=users_columns.choices(workspace.catalogue),
        segments=segments,
        sizes=await members.sizes(request, segments),
        tabs={"": len(workspace.segments) - archived, "yes": archived},
        needed=users_new.fields(workspace.catalogue),
        at_work=await users_many.at_work(request),
        loaded=True,
    )


async def _seen(request: Asked, view: View) -> tuple[Whom, Found, str]:
    """Whom a view is about, one page of them, and why that cannot be told."""
    those = Whom(None, None, None)
    try:
        those = await users_view.whom(request, view)
        return those, await users_view.found(request, view, those), ""
    except (InvalidCondition, Invalid) as problem:
        return those, NOBODY, problem.detail


ROUTES: list[HTTPRouteHandler] = [
    listed,
    *users_columns.ROUTES,
    *users_filter.ROUTES,
    *users_many.ROUTES,
    *users_new.ROUTES,
]
