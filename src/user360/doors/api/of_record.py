"""One record's past and belongings, by its id: for those who have no userId, too.

What a user is asked at `/users/{userId}/...`, answered alike.
"""

from __future__ import annotations

from litestar import Response
from litestar.params import FromPath

from user360.doors import gate
from user360.doors.api import person, segment_history, shapes
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Asked

R1 = {"record_id": "r1"}


def _number(request: Asked, record_id: str) -> int:
    """The living record behind an id. Raises `NotFound`."""
    workspace = gate.actor_of(request).workspace
    record = shapes.record(request, shapes.number_of(workspace, record_id))
    return shapes.number_of(workspace, record.id)


@operation(
    "GET",
    "/records/{record_id:str}/events",
    "records.read",
    "A record's timeline",
    tag="records",
    waits=True,
    refuses=(404,),
    example=Example(path=R1, query={"limit": 10}),
)
async def events(
    request: Asked,
    record_id: FromPath[str],
    names: shapes.Names = None,
    sources: shapes.Sources = None,
    since: shapes.Since = None,
    until: shapes.Until = None,
    limit: shapes.Limit = 50,
    cursor: shapes.Cursor = None,
) -> Response[shapes.Events]:
    """The newest first, identified or not."""
    number = _number(request, record_id)
    asked = person.wanted(request, number, names, sources, since, until)
    return await person.events_of(request, asked, limit, cursor)


@operation(
    "GET",
    "/records/{record_id:str}/activity",
    "records.read",
    "A record's events, counted",
    tag="records",
    waits=True,
    refuses=(404,),
    example=Example(path=R1),
)
async def activity(
    request: Asked,
    record_id: FromPath[str],
    names: shapes.Names = None,
    sources: shapes.Sources = None,
    since: shapes.Since = None,
    until: shapes.Until = None,
) -> Response[person.Activity]:
    """Per day and name, in the workspace's time zone."""
    number = _number(request, record_id)
    asked = person.wanted(request, number, names, sources, since, until)
    return await person.activity_of(request, asked)


@operation(
    "GET",
    "/records/{record_id:str}/history",
    "records.read",
    "A record's property changes",
    tag="records",
    waits=True,
    refuses=(404,),
    example=Example(path=R1),
)
async def history(
    request: Asked,
    record_id: FromPath[str],
    limit: shapes.Limit = 50,
    cursor: shapes.Cursor = None,
) -> Response[person.History]:
    """Old and new value of every change, and where the values of now came from."""
    return await person.history_of(request, _number(request, record_id), limit, cursor)


@operation(
    "GET",
    "/records/{record_id:str}/segments",
    "segments.read",
    "A record's segments",
    tag="records",
    waits=True,
    refuses=(404,),
    example=Example(path=R1),
)
async def segments(request: Asked, record_id: FromPath[str]) -> Response[person.SegmentsOf]:
    """Those that are not archived."""
    return await person.segments_told(request, _number(request, record_id))


@operation(
    "GET",
    "/records/{record_id:str}/segments/history",
    "segments.read",
    "When a record was in which segments",
    tag="records",
    waits=True,
    refuses=(404,),
    example=Example(path=R1),
)
async def stays(request: Asked, record_id: FromPath[str]) -> Response[segment_history.Stays]:
    """Archived segments too; what a merged record was in counts."""
    return await segment_history.stays_of(request, _number(request, record_id))


@operation(
    "GET",
    "/records/{record_id:str}/merges",
    "records.read",
    "A record's merges",
    tag="records",
    refuses=(404,),
    example=Example(path=R1),
)
async def merges(request: Asked, record_id: FromPath[str]) -> Response[person.Merges]:
    """Undone ones too."""
    return await person.merges_of(request, _number(request, record_id))


ROUTES = [events, activity, history, segments, stays, merges]
