"""Imports: the list, the report of one, and taking it back."""

from __future__ import annotations

import asyncio

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from user360.doors import gate
from user360.doors.api import imported, jobs
from user360.doors.api import imports as api
from user360.imports import drafts
from user360.imports import jobs as imports
from user360.imports import undo as undoing
from user360.pages import import_schedules, import_told, import_wizard, render, route
from user360.pages.render import Asked

AT_ONCE = 50


@route.shown("/imports", may="imports.read")
async def listing(request: Asked, cursor: FromQuery[str | None] = None) -> Response[str]:
    """The newest first, and the files that somebody has sent and not imported yet."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    found, following = await jobs.page(request, [imports.IMPORT], cursor, AT_ONCE)
    shown = [imported.shown(platform, job) for job in found]
    prepared = []
    if cursor is None and not render.from_htmx(request):
        prepared = await asyncio.to_thread(drafts.all_of, platform, workspace)
    return render.page(
        request,
        "imports/rows.html" if render.from_htmx(request) else "imports/list.html",
        imports=shown,
        drafts=prepared,
        cursor=cursor,
        following=following,
        waits=" ".join(one.id for one in shown if one.status in ("queued", "running")),
        who=import_told.who(request),
    )


@route.shown("/imports/{import_id:str}", may="imports.read")
async def one(request: Asked, import_id: FromPath[str]) -> Response[str]:
    """How far an import is, and its report once it has ended."""
    told = await import_told.of(request, import_id)
    return render.page(
        request,
        "imports/told.html" if render.from_htmx(request) else "imports/one.html",
        told=told,
        who=import_told.who(request),
    )


@route.deed("/imports/{import_id:str}/cancel", may="imports.write")
async def cancel(request: Asked, import_id: FromPath[str]) -> Response[str]:
    """It ends where it is."""
    await jobs.end_early(request, await api.find(request, import_id))
    return render.page(request, "nothing.html", headers=render.said("It ends where it is"))


@route.shown("/imports/{import_id:str}/undo", may="imports.write")
async def undo_preview(request: Asked, import_id: FromPath[str]) -> Response[str]:
    """What undoing would do, before it is done."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    job = await api.find(request, import_id)
    imports.refuse_undo(job)
    found = await asyncio.to_thread(undoing.preview, platform, workspace, job)
    return render.page(
        request, "imports/undo.html", plan=msgspec.structs.asdict(found), import_id=import_id
    )


@route.deed("/imports/{import_id:str}/undo", may="imports.write")
async def undo(request: Asked, import_id: FromPath[str]) -> Response[str]:
    """Take an import back; how far that is shows where its report is."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    await asyncio.to_thread(imports.undo, platform, actor.workspace, actor.ref, import_id)
    return render.go(request, f"/imports/{import_id}")


ROUTES: list[HTTPRouteHandler] = [
    listing,
    *import_wizard.ROUTES,
    *import_schedules.ROUTES,
    one,
    cancel,
    undo_preview,
    undo,
]
