"""Exports: what was made, and making one."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from user360.doors import gate
from user360.doors.api import exports as api
from user360.doors.api import jobs
from user360.errors import Invalid
from user360.events import store as events
from user360.exports import asked as asking
from user360.exports import columns
from user360.exports import jobs as making
from user360.exports.asked import Asked as AskedFor
from user360.jobs.job import Job
from user360.pages import card_words, forms, render, route, users_view, words
from user360.pages.render import Asked

AT_ONCE = 50


class Made(msgspec.Struct, frozen=True):
    """One export as the list shows it: `about` says in words what is in it."""

    export: api.Export
    about: str
    by: str
    share: float | None


@route.shown("/exports", may="exports.read")
async def listing(request: Asked, cursor: FromQuery[str | None] = None) -> Response[str]:
    """The newest first, with how far those are that are being made."""
    found, following = await jobs.page(request, [making.KIND], cursor, AT_ONCE)
    made = [_made(request, job) for job in found]
    return render.page(
        request,
        "exports/rows.html" if render.from_htmx(request) else "exports/list.html",
        made=made,
        cursor=cursor,
        following=following,
        waits=" ".join(job.id for job in found if not job.finished),
    )


def _made(request: Asked, job: Job) -> Made:
    platform = gate.platform_of(request)
    export, asked = api.shown(request, job), asking.read(job.params)
    share = 100 * export.rows / export.total if export.total else None
    return Made(export, _about(request, asked), card_words.writer(platform, job.actor), share)


def _about(request: Asked, asked: AskedFor) -> str:
    """Whom, or whose events, an export has: `Users in Loyal, filtered`."""
    segments = gate.actor_of(request).workspace.segments
    whom = []
    if asked.segment is not None:
        held = segments.get(asked.segment)
        whom.append(f"in {held.name}" if held else "in a segment that is no more")
    if asked.where is not None:
        whom.append("filtered")
    if asked.text:
        whom.append(f"found by “{asked.text}”")
    if asked.records is not None:
        whom.append(f"{words.plural(len(asked.records), 'user')} that were ticked")
    about = ", ".join(whom)
    if asked.what != asking.USERS:
        named = ", ".join(asked.names) or f"All {asked.what}"
        return f"{named} of users {about}" if about else named
    return f"Users {about}" if about else "All users"


@route.shown("/exports/new", may="exports.write")
async def new(request: Asked) -> Response[str]:
    """Whom, with which columns, as what; the address may say whom already."""
    actor = gate.actor_of(request)
    view = users_view.read(request.query_params)
    those = await users_view.whom(request, view)
    given = request.query_params.get("what", "")
    what = given if given in columns.FIXED else asking.USERS
    names: list[str] = []
    if what == asking.EVENTS:
        platform, workspace = gate.platform_of(request), actor.workspace.id
        found = await gate.read(platform, lambda c: events.load_definitions(c, workspace))
        names = sorted(found)
    if what != asking.USERS:
        held = [column.name for column in columns.FIXED[what]]
        chosen = held
    else:
        chosen = list(actor.workspace.catalogue.by_name)
        held = [*chosen, *columns.BESIDE]
    return render.page(
        request,
        "exports/new.html",
        what=what,
        view=view,
        says=users_view.says(request, those.node) if those.node is not None else "",
        segments=sorted(
            (s for s in actor.workspace.segments.values() if s.archived_at is None),
            key=lambda segment: segment.name.casefold(),
        ),
        columns=held,
        chosen=chosen,
        names=names,
    )


@route.deed("/exports/new", may="exports.write")
async def make(request: Asked) -> Response[str]:
    """Begin to make the file; it is taken away from the list."""
    form = await forms.read(request)
    given = await request.form()
    what = form.get("what", "users")
    if what not in ("users", *columns.FIXED):
        raise Invalid.at("what", f"Choose users, {', '.join(columns.FIXED)}")
    asked: dict[str, Any] = {
        "what": what,
        "format": form.get("format", "csv"),
        "gzip": "gzip" in form and form.get("format") in ("csv", "jsonl"),
        "columns": list(given.getall("column", [])),
        "segment": forms.number(form.get("segment", "")),
        "where": users_view.condition(form.get("where", "")),
        "text": form.get("text", "") or None,
    }
    if not asked["columns"]:
        raise Invalid("Tick at least one column")
    if what == asking.EVENTS:
        asked["names"] = list(given.getall("name", []))
    if what != asking.USERS:
        asked |= {name: form.get(name) or None for name in ("since", "until")}
    await api.begin(request, await api.checked(request, AskedFor(**asked)))
    return render.go(request, "/exports", tell="The file is being made")


@route.deed("/exports/{export_id:str}/delete", may="exports.write")
async def delete(request: Asked, export_id: FromPath[str]) -> Response[str]:
    """End it where it is, or remove its file."""
    await api.discard(request, await api.find(request, export_id))
    return render.go(request, "/exports", tell="There is no file of it any more")


ROUTES: list[HTTPRouteHandler] = [listing, new, make, delete]
