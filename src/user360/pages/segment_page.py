"""One segment: who is in it, how it changed, what it means, and how true that is."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from user360 import clock, ids
from user360.doors import gate
from user360.doors.api import members, shapes
from user360.doors.api.shapes import Record
from user360.errors import InvalidCondition
from user360.pages import render, route, segment_chart
from user360.pages.render import Asked
from user360.segments import conditions, history, sizes, usage, versions
from user360.segments.language import tree
from user360.segments.language.dependencies import mentioned
from user360.segments.store import Segment, Version

TABS = {"members": "Members", "changes": "Enter and exit", "definition": "Definition"}
BUCKETS: dict[str, sizes.Bucket] = {"hour": "hour", "day": "day", "week": "week"}
ORDERS = {
    "": "newest record first",
    "-since": "entered last first",
    "since": "entered first first",
    "firstName": "first name",
    "-createdAt": "created last first",
}
AT_ONCE = 50


class Crossing(msgspec.Struct, frozen=True):
    """Somebody who entered or left; `record` is None once they are deleted."""

    moved: history.Moved
    id: str
    record: Record | None

    @property
    def at(self) -> str:
        return clock.to_iso(self.moved.at)


class Defined(msgspec.Struct, frozen=True):
    """A version of the definition, and what it says in English, as far as that can be told."""

    version: Version
    says: str

    @property
    def at(self) -> str:
        return clock.to_iso(self.version.at)


@route.shown("/segments/{segment_id:int}", may="segments.read")
async def one(
    request: Asked, segment_id: FromPath[int], tab: FromQuery[str] = "members"
) -> Response[str]:
    """The segment, with the part of it that the address names."""
    segment = await members.one(request, segment_id)
    tab = tab if tab in TABS else "members"
    parts = {"members": _members, "changes": _changes, "definition": _definition}
    given: dict[str, Any] = {"members": None, "changes": None, "definition": None}
    given[tab] = await parts[tab](request, segment)
    bucket = BUCKETS.get(request.query_params.get("by", ""), "day")
    return render.page(
        request,
        "segments/one.html",
        segment=segment,
        shown=await members.shown(request, segment),
        tab=tab,
        tabs=TABS,
        orders=ORDERS,
        chart=await _chart(request, segment, bucket),
        drawing=segment_chart,
        bucket=bucket,
        q=request.query_params.get("q", ""),
        sort=request.query_params.get("sort", ""),
        **given,
    )


@route.shown("/segments/{segment_id:int}/state", may="segments.read")
async def state(request: Asked, segment_id: FromPath[int]) -> Response[str]:
    """How large and how fresh it is, asked every few seconds."""
    segment = await members.one(request, segment_id)
    shown = await members.shown(request, segment)
    return render.page(request, "segments/lead.html", shown=shown)


async def _members(request: Asked, segment: Segment) -> Any:
    """One page of the members, or why there is none."""
    given = request.query_params
    asked = (given.get("sort") or None, given.get("q") or None, AT_ONCE, given.get("cursor"))
    try:
        return await members.page(request, segment, *asked)
    except InvalidCondition as problem:
        return members.Page(0, [], None, None, 0, problem.detail)


async def _changes(request: Asked, segment: Segment) -> dict[str, Any]:
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    kept = await gate.read(platform, lambda c: versions.all_of(c, segment.id))
    wanted, edits = history.Wanted(segment.id), [version.at for version in kept]
    cursor = request.query_params.get("cursor")
    found, following = await members.ask(
        request,
        [segment],
        lambda w: history.changes(w, workspace, wanted, edits, AT_ONCE, cursor),
    )
    known = await shapes.records(request, list({moved.record for moved in found}))
    by_id = {record.id: record for record in known}
    named = [(moved, ids.public_record_id(moved.record)) for moved in found]
    rows = [Crossing(moved, number, by_id.get(number)) for moved, number in named]
    return {"rows": rows, "cursor": following}


async def _definition(request: Asked, segment: Segment) -> list[Defined]:
    """The versions, the newest first."""
    kept = await gate.read(gate.platform_of(request), lambda c: versions.all_of(c, segment.id))
    return [Defined(version, _says(request, version)) for version in kept]


def _says(request: Asked, version: Version) -> str:
    if version.condition is None:
        return "A list that is kept by hand."
    workspace = gate.actor_of(request).workspace
    given = msgspec.json.decode(version.condition)
    try:
        usable = usage.usable(workspace, mentioned(given))
        node = tree.parse(given, workspace.catalogue, "where", usable)
    except InvalidCondition as problem:
        return f"Cannot be understood any more: {problem.detail}"
    return conditions.says(node, workspace)


async def _chart(
    request: Asked, segment: Segment, bucket: sizes.Bucket
) -> segment_chart.Chart | None:
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    end = platform.clock.now() + 1
    points = await members.ask(
        request,
        [segment],
        lambda w: sizes.over_time(w, workspace, segment, bucket, None, end),
    )
    return segment_chart.chart(points, bucket, workspace.zone)


ROUTES: list[HTTPRouteHandler] = [one, state]
