"""One person's past and belongings: events, history, segments, merges."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from litestar import Response
from litestar.params import FromPath, QueryParameter

from user360 import clock
from user360.doors import gate
from user360.doors.api import members, shapes
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Moment
from user360.events import timeline
from user360.identity import history as told
from user360.identity import merges as merging
from user360.segments import memberships
from user360.storage.warehouse import Warehouse

ASHA = {"user_id": "asha@example.com"}
DryRun = Annotated[bool, QueryParameter(name="dryRun", description="only say what would happen")]


class Day(Answer):
    """How many events of one name there were on one day of the workspace's time zone."""

    day: str
    name: str
    count: int


class Activity(Answer):
    """Counts per day and name, the newest day first, and per name."""

    days: list[Day]
    names: dict[str, int]
    total: int


class Pair(Answer):
    """A value before and after."""

    old: Any
    new: Any


class PropertyChange(Answer):
    """One write that changed something: when it was true, when it arrived, through which door."""

    event: str
    record_id: str
    at: Moment
    received_at: Moment
    source: str
    channel: str
    merge_id: str | None
    changes: dict[str, Pair]


class Provenance(Answer, omit_defaults=True):
    """Where a value came from: `at` it was true, `ref` is the session, import or key behind it.

    A value that a merge brought says which, and the source it had `original`ly.
    """

    at: Moment
    written_at: Moment
    source: str
    ref: str
    merge_id: str | None = None
    original: str | None = None


class History(Answer):
    """Where each value came from, and one page of changes, the newest first."""

    provenance: dict[str, Provenance]
    changes: list[PropertyChange]
    cursor: str | None


class SegmentOf(Answer):
    """A segment that somebody is in; `since` is null while it is being filled."""

    id: int
    name: str
    kind: str
    since: Moment | None


class SegmentsOf(Answer):
    """The segments somebody is in, as of a time."""

    segments: list[SegmentOf]
    as_of: Moment


class Merge(Answer):
    """One merge, kept whole; `took` is what the survivor gained by it."""

    id: str
    survivor: str
    merged: str
    at: Moment
    written_at: Moment
    source: str
    ref: str
    reason: str
    took: dict[str, Any]
    undone_at: Moment | None
    undone_by: str | None


class Merges(Answer):
    """All merges of a person, the oldest first."""

    merges: list[Merge]


@operation(
    "GET",
    "/users/{user_id:str}/events",
    "records.read",
    "A user's timeline",
    tag="users",
    waits=True,
    refuses=(404,),
    example=Example(path=ASHA, query={"name": "Order Completed", "limit": 10}),
)
async def events(
    request: Asked,
    user_id: FromPath[str],
    names: shapes.Names = None,
    sources: shapes.Sources = None,
    since: shapes.Since = None,
    until: shapes.Until = None,
    limit: shapes.Limit = 50,
    cursor: shapes.Cursor = None,
) -> Response[shapes.Events]:
    """The newest first, those of every record merged into the user's among them."""
    number = shapes.number_of_user(request, user_id)
    asked = wanted(request, number, names, sources, since, until)
    return await events_of(request, asked, limit, cursor)


async def events_of(
    request: Asked, asked: timeline.Wanted, limit: int, cursor: str | None
) -> Response[shapes.Events]:
    """A page of a timeline."""
    workspace = gate.actor_of(request).workspace
    page = await gate.ask(
        request,
        lambda w: timeline.timeline(w, workspace.id, asked, limit=limit, cursor=cursor),
    )
    return gate.answer({"events": page.events, "cursor": page.cursor})


def wanted(
    request: Asked,
    number: int,
    names: list[str] | None,
    sources: list[str] | None,
    since: str | None,
    until: str | None,
) -> timeline.Wanted:
    """Which events of somebody are asked for. Raises `Invalid`."""
    first, last = shapes.period(gate.actor_of(request).workspace, since, until)
    return timeline.Wanted(
        record=number, names=names or (), sources=sources or (), since=first, until=last
    )


@operation(
    "GET",
    "/users/{user_id:str}/activity",
    "records.read",
    "A user's events, counted",
    tag="users",
    waits=True,
    refuses=(404,),
    example=Example(path=ASHA, query={"from": "2026-01-01"}),
)
async def activity(
    request: Asked,
    user_id: FromPath[str],
    names: shapes.Names = None,
    sources: shapes.Sources = None,
    since: shapes.Since = None,
    until: shapes.Until = None,
) -> Response[Activity]:
    """Per day and name, in the workspace's time zone."""
    number = shapes.number_of_user(request, user_id)
    return await activity_of(request, wanted(request, number, names, sources, since, until))


async def activity_of(request: Asked, asked: timeline.Wanted) -> Response[Activity]:
    """The events of somebody, counted."""
    workspace = gate.actor_of(request).workspace
    zone = workspace.settings.time_zone
    days = await gate.ask(request, lambda w: timeline.activity(w, workspace.id, asked, zone))
    totals: Counter[str] = Counter()
    for day in days:
        totals[day["name"]] += day["count"]
    return gate.answer({"days": days, "names": dict(totals), "total": totals.total()})


@operation(
    "GET",
    "/users/{user_id:str}/history",
    "records.read",
    "A user's property changes",
    tag="users",
    waits=True,
    refuses=(404,),
    example=Example(path=ASHA),
)
async def history(
    request: Asked,
    user_id: FromPath[str],
    limit: shapes.Limit = 50,
    cursor: shapes.Cursor = None,
) -> Response[History]:
    """Old and new value of every change, and where the values of now came from."""
    return await history_of(request, shapes.number_of_user(request, user_id), limit, cursor)


async def history_of(
    request: Asked, number: int, limit: int, cursor: str | None
) -> Response[History]:
    """A page of the changes of somebody."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    provenance = await gate.read(
        platform, lambda c: told.provenance(c, platform.ledger.dialect, workspace, number)
    )
    changes, following = await gate.ask(
        request, lambda w: told.changes(w, workspace.id, number, limit, cursor)
    )
    return gate.answer({"provenance": provenance, "changes": changes, "cursor": following})


@operation(
    "GET",
    "/users/{user_id:str}/segments",
    "segments.read",
    "A user's segments",
    tag="users",
    waits=True,
    refuses=(404,),
    example=Example(path=ASHA),
)
async def segments(request: Asked, user_id: FromPath[str]) -> Response[SegmentsOf]:
    """Those that are not archived."""
    return await segments_told(request, shapes.number_of_user(request, user_id))


async def segments_told(request: Asked, number: int) -> Response[SegmentsOf]:
    """The segments of somebody, as they are answered."""
    now = gate.platform_of(request).now()
    told = [memberships.shown(each) for each in await segments_of(request, number, now)]
    return gate.answer({"segments": told, "asOf": clock.to_iso(now)})


async def segments_of(request: Asked, number: int, now: int) -> list[memberships.Membership]:
    """The segments that a living record is in."""
    workspace = gate.actor_of(request).workspace
    segments = workspace.segments.values()

    def asked(warehouse: Warehouse) -> list[memberships.Membership]:
        filling = [s.id for s in segments if not members.kept(request, s)]
        return memberships.of_record(warehouse, workspace, filling, number, now)

    return await members.ask(request, segments, asked)


@operation(
    "GET",
    "/users/{user_id:str}/merges",
    "records.read",
    "A user's merges",
    tag="users",
    refuses=(404,),
    example=Example(path=ASHA),
)
async def merges(request: Asked, user_id: FromPath[str]) -> Response[Merges]:
    """Undone ones too."""
    return await merges_of(request, shapes.number_of_user(request, user_id))


async def merges_of(request: Asked, number: int) -> Response[Merges]:
    """The merges of somebody."""
    platform = gate.platform_of(request)
    found = await gate.read(
        platform, lambda c: merging.of_person(c, platform.ledger.dialect, number)
    )
    return gate.answer({"merges": found})


ROUTES = [events, activity, history, segments, merges]
