"""Making a segment: by conditions, or as a list."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import msgspec
from litestar import Response
from litestar.datastructures import UploadFile
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from user360.access.change import Change
from user360.doors import gate
from user360.doors.api import conditions, members
from user360.errors import Invalid, Unavailable
from user360.pages import render, route
from user360.pages.builder import routes as building
from user360.pages.builder import view as builder
from user360.pages.render import Asked
from user360.segments import define, listed, statics
from user360.segments.store import Segment

MOST_LISTED = 100_000  # userIds in one list
PATIENCE = 2.0  # seconds


@route.shown("/segments/new", may="segments.write")
async def new(
    request: Asked, where: FromQuery[str] = "", text: FromQuery[str] = "", kind: FromQuery[str] = ""
) -> Response[str]:
    """The form; a filter of the users can be brought along in the address."""
    workspace = gate.actor_of(request).workspace
    return render.page(
        request,
        "segments/new.html",
        builder=builder.view(workspace, condition(where)),
        text=text,
        kind="list" if kind == "list" else "static" if text or kind == "static" else "dynamic",
    )


def condition(where: str) -> dict[str, Any] | None:
    """The condition in an address. Raises `Invalid`."""
    try:
        return msgspec.json.decode(where, type=dict[str, Any]) if where else None
    except msgspec.MsgspecError as error:
        raise Invalid.at("where", "The address holds no condition") from error


@route.deed("/segments/new", may="segments.write")
async def create(request: Asked) -> Response[str]:
    """A segment that follows its condition, or a list of whom it is true of now."""
    pairs = await building.pairs(request)
    given, workspace = dict(pairs), gate.actor_of(request).workspace
    where = builder.submitted(workspace, pairs)
    static, text = given.get("kind") == "static", given.get("text", "").strip()
    if where is None and not (static and text):
        raise Invalid("Add a condition: a segment without any would be everybody")
    node = await conditions.read(request, where)
    records = await members.numbers(request, node, text or None) if static else []

    def job(change: Change) -> Segment:
        named = (given.get("name", ""), given.get("description", ""))
        return define.create(change, *named, None if static else where, records)

    made, seq = await gate.change(request, job)
    await seen(request, seq)
    return render.go(request, f"/segments/{made.id}", tell=f"{made.name} is made")


@route.deed("/segments/new/list", may="segments.write")
async def create_list(request: Asked) -> Response[str]:
    """A list of the userIds that were written, and of those in a file."""
    form = await request.form()
    user_ids = await named(form)
    if not user_ids:
        raise Invalid.at("userIds", "Write at least one userId, or choose a file")

    def job(change: Change) -> tuple[Segment, int]:
        known = statics.records_of(change, user_ids)
        name, description = str(form.get("name", "")), str(form.get("description", ""))
        return define.create(change, name, description, None, list(known.values())), len(known)

    (made, known), seq = await gate.change(request, job)
    await seen(request, seq)
    unknown = len(set(user_ids)) - known
    tell = f"{made.name} is made" + (f"; {unknown:,} userIds are nobody's" if unknown else "")
    return render.go(request, f"/segments/{made.id}", tell=tell)


async def seen(request: Asked, seq: int) -> None:
    """Wait until the next page shows what was written; a large segment may take longer to fill."""
    keeper = gate.platform_of(request).keeper
    with contextlib.suppress(Unavailable):
        await asyncio.to_thread(keeper.settle, seq, PATIENCE)


async def named(form: Any) -> list[str]:
    """The userIds in a form: written one a line, and in a file. Raises `Invalid`."""
    given = [line.strip() for line in str(form.get("userIds", "")).splitlines() if line.strip()]
    file = form.get("file")
    if isinstance(file, UploadFile) and file.filename:
        given += [line.user_id for line in listed.read(await file.read())]
    if len(given) > MOST_LISTED:
        raise Invalid.at("userIds", f"A list has at most {MOST_LISTED:,} userIds; import the file")
    return given


ROUTES: list[HTTPRouteHandler] = [new, create, create_list]
