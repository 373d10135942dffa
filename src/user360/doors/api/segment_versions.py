"""A segment's versions, and what an edit would do before it is saved."""

from __future__ import annotations

import time
from typing import Annotated, Any

from litestar import Response
from litestar.params import FromPath, JSONBody, QueryParameter

from user360 import clock
from user360.access.change import Change
from user360.doors import gate
from user360.doors.api import members, shapes
from user360.doors.api.bodies import Body
from user360.doors.api.conditions import BOUGHT, Condition
from user360.doors.api.members import Shown
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Moment, Record
from user360.segments import conditions, define, editing
from user360.segments import versions as versioning
from user360.segments.store import Segment

FIRST = {"segment_id": 1}
FIRST_VERSION = {"segment_id": 1, "version": 1}
Announce = Annotated[
    bool, QueryParameter(description="tell of everybody who enters and leaves by this")
]


class Edit(Body):
    """The condition to change to."""

    where: Condition


class Moves(Answer):
    """How many would enter and leave, the newest ten of each, and how many would be in it then.

    `says` is the new condition in English.
    """

    count: int
    says: str
    enter: int
    leave: int
    entering: list[Record]
    leaving: list[Record]
    as_of: Moment
    took_ms: float


class Version(Answer):
    """A definition as it was from `at` on; `actor` made it, null where that was not kept."""

    version: int
    name: str
    description: str
    where: dict[str, Any] | None
    at: Moment
    actor: str | None


class Versions(Answer):
    """All versions, the newest first."""

    versions: list[Version]
    cursor: None = None


@operation(
    "POST",
    "/segments/{segment_id:int}/preview",
    "segments.read",
    "Preview an edit of a segment",
    tag="segments",
    waits=True,
    refuses=(404,),
    example=Example(path=FIRST, body={"where": BOUGHT}),
)
async def preview(
    request: Asked, segment_id: FromPath[int], data: JSONBody[Edit]
) -> Response[Moves]:
    """Who would enter and who would leave under another condition, before it is saved."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    segment = await members.one(request, segment_id)
    after = define.checked(workspace, segment, data.where)
    now, began = platform.now(), time.perf_counter()
    found = await gate.ask(
        request,
        lambda w: editing.moves(w, workspace, segment, after, now),
    )
    told = Moves(
        count=found.count,
        says=conditions.says(after, workspace),
        enter=found.enter,
        leave=found.leave,
        entering=await shapes.records(request, found.entering),
        leaving=await shapes.records(request, found.leaving),
        as_of=clock.to_iso(now),
        took_ms=round((time.perf_counter() - began) * 1000, 1),
    )
    return gate.answer(told)


@operation(
    "GET",
    "/segments/{segment_id:int}/versions",
    "segments.read",
    "List a segment's versions",
    tag="segments",
    refuses=(404,),
    example=Example(path=FIRST),
)
async def versions(request: Asked, segment_id: FromPath[int]) -> Response[Versions]:
    """Every change of its name, description or condition made one."""
    segment = await members.one(request, segment_id)
    found = await gate.read(gate.platform_of(request), lambda c: versioning.all_of(c, segment.id))
    return gate.answer({"versions": [versioning.shown(each) for each in found], "cursor": None})


@operation(
    "GET",
    "/segments/{segment_id:int}/versions/{version:int}",
    "segments.read",
    "Read a version of a segment",
    tag="segments",
    refuses=(404,),
    example=Example(path=FIRST_VERSION),
)
async def version(
    request: Asked, segment_id: FromPath[int], version: FromPath[int]
) -> Response[Version]:
    """As it was."""
    segment = await members.one(request, segment_id)
    found = await gate.read(
        gate.platform_of(request), lambda c: versioning.one(c, segment.id, version)
    )
    return gate.answer(versioning.shown(found))


@operation(
    "POST",
    "/segments/{segment_id:int}/versions/{version:int}/restore",
    "segments.write",
    "Restore a version of a segment",
    tag="segments",
    refuses=(404, 409),
    example=Example(path=FIRST_VERSION),
)
async def restore(
    request: Asked, segment_id: FromPath[int], version: FromPath[int], announce: Announce = False
) -> Response[Shown]:
    """Its name, description and condition become those of the segment, as a new version."""

    def job(change: Change) -> Segment:
        return versioning.restore(change, segment_id, version, announce=announce)

    kept, seq = await gate.change(request, job)
    return gate.answer(await members.shown(request, kept, seq), seq=seq)


ROUTES = [preview, versions, version, restore]
