"""What happened to a segment: who entered and left it, and how large it was."""

from __future__ import annotations

from typing import Annotated, Literal

from litestar import Response
from litestar.params import FromPath, QueryParameter

from user360 import clock, ids
from user360.doors import gate
from user360.doors.api import members, shapes
from user360.doors.api.operation import Example, operation
from user360.doors.api.segments import FIRST
from user360.doors.api.shapes import Answer, Asked, Moment
from user360.segments import history, versions
from user360.segments import sizes as sizing
from user360.segments.store import Segment

ASHA = {"user_id": "asha@example.com"}
By = Annotated[sizing.Bucket, QueryParameter(name="by", description="a point for each of these")]


class SegmentChange(Answer):
    """Somebody entered a segment or left it; `cause` is what was written last before it."""

    user_id: str | None
    record_id: str
    change: Literal["enter", "exit"]
    at: Moment
    cause: history.Cause


class SegmentChanges(Answer):
    """One page of changes, the newest first."""

    changes: list[SegmentChange]
    cursor: str | None


class Size(Answer):
    """The size at the end of the hour, day or week that begins at `at`; the last one's is now."""

    at: Moment
    size: int


class Sizes(Answer):
    """The size over time, the oldest first."""

    sizes: list[Size]
    by: sizing.Bucket
    time_zone: str


class Stay(Answer):
    """A time that somebody spent in a segment; `to` is null while it lasts."""

    id: int
    name: str
    kind: Literal["dynamic", "static"]
    since: Moment
    until: Moment | None


class Stays(Answer):
    """When somebody was in which segments, the newest stay first."""

    stays: list[Stay]
    as_of: Moment


@operation(
    "GET",
    "/segments/{segment_id:int}/changes",
    "segments.read",
    "Who entered and left a segment",
    tag="segments",
    waits=True,
    refuses=(404,),
    example=Example(path=FIRST, query={"from": "2026-01-01", "limit": 10}),
)
async def changes(
    request: Asked,
    segment_id: FromPath[int],
    since: shapes.Since = None,
    until: shapes.Until = None,
    limit: shapes.Limit = 50,
    cursor: shapes.Cursor = None,
) -> Response[SegmentChanges]:
    """Whoever was deleted is left out, whoever was merged away is shown as the survivor."""
    workspace = gate.actor_of(request).workspace
    segment = await members.one(request, segment_id)
    first, last = shapes.period(workspace, since, until)
    wanted = history.Wanted(segment.id, first, last)
    edits = await _edits(request, segment)
    found, following = await members.ask(
        request,
        [segment],
        lambda w: history.changes(w, workspace, wanted, edits, limit, cursor),
    )
    told = [
        SegmentChange(
            user_id=moved.user_id,
            record_id=ids.public_record_id(moved.record),
            change="enter" if moved.entered else "exit",
            at=clock.to_iso(moved.at),
            cause=moved.cause,
        )
        for moved in found
    ]
    return gate.answer(SegmentChanges(changes=told, cursor=following))


async def _edits(request: Asked, segment: Segment) -> list[int]:
    platform = gate.platform_of(request)
    kept = await gate.read(platform, lambda c: versions.all_of(c, segment.id))
    return [version.at for version in kept]


@operation(
    "GET",
    "/segments/{segment_id:int}/sizes",
    "segments.read",
    "How large a segment was",
    tag="segments",
    waits=True,
    refuses=(404,),
    example=Example(path=FIRST, query={"by": "day"}),
)
async def sizes(
    request: Asked,
    segment_id: FromPath[int],
    bucket: By = "day",
    since: shapes.Since = None,
    until: shapes.Until = None,
) -> Response[Sizes]:
    """A point for each hour, day or week of the workspace's time zone, 1,000 at most."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    segment = await members.one(request, segment_id)
    first, last = shapes.period(workspace, since, until)
    now = platform.clock.now() + 1
    end = now if last is None else min(last, now)
    found = await members.ask(
        request,
        [segment],
        lambda w: sizing.over_time(w, workspace, segment, bucket, first, end),
    )
    points = [Size(at=clock.to_iso(point.at), size=point.size) for point in found]
    zone = workspace.settings.time_zone
    return gate.answer(Sizes(sizes=points, by=bucket, time_zone=zone))


@operation(
    "GET",
    "/users/{user_id:str}/segments/history",
    "segments.read",
    "When a user was in which segments",
    tag="users",
    waits=True,
    refuses=(404,),
    example=Example(path=ASHA),
)
async def of_user(request: Asked, user_id: FromPath[str]) -> Response[Stays]:
    """Archived segments too; what a merged record was in counts."""
    return await stays_of(request, shapes.number_of_user(request, user_id))


async def stays_of(request: Asked, number: int) -> Response[Stays]:
    """The stays of somebody in segments."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    now, segments = platform.now(), workspace.segments
    found = await members.ask(
        request, segments.values(), lambda w: history.stays(w, workspace, number)
    )
    told = [
        Stay(
            id=stay.segment,
            name=segments[stay.segment].name,
            kind="static" if segments[stay.segment].condition is None else "dynamic",
            since=clock.to_iso(stay.since),
            until=None if stay.until is None else clock.to_iso(stay.until),
        )
        for stay in found
        if stay.segment in segments
    ]
    return gate.answer(Stays(stays=told, as_of=clock.to_iso(now)))


ROUTES = [changes, sizes, of_user]
