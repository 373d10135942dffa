"""A segment's members: who they are, and changing those of a static one."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody, QueryParameter

from user360.access.change import Change
from user360.doors import gate
from user360.doors.api import members, shapes, why
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.segments import FIRST, Users
from user360.doors.api.shapes import Answer, Asked, Moment
from user360.errors import InvalidCondition
from user360.segments import listed, statics

AT_ONCE = 10_000  # lines of a file in one transaction of the writer
MOST_NAMED = 10_000
SECOND = {"segment_id": 2}
Outcomes = tuple[list[statics.Outcome], list[statics.Outcome]]


class Hands(Body):
    """userIds to add to a static segment and to remove from it; removing wins."""

    add: Users = msgspec.field(default_factory=list)
    remove: Users = msgspec.field(default_factory=list)


class Hand(Answer):
    """What became of one userId.

    `already` was in the segment, `absent` was not, `unknown` is nobody's.
    """

    user_id: str
    outcome: statics.Done


class Handled(Answer):
    """How many were added that were not in it, and removed that were, and an outcome for each."""

    added: int
    removed: int
    unknown: int
    count: int
    add: list[Hand]
    remove: list[Hand]


@operation(
    "POST",
    "/segments/{segment_id:int}/users",
    "segments.write",
    "Change the members of a static segment",
    tag="segments",
    refuses=(404, 409),
    example=Example(path=SECOND, body={"add": ["asha@example.com"], "remove": []}),
)
async def change_members(
    request: Asked, segment_id: FromPath[int], data: JSONBody[Hands]
) -> Response[Handled]:
    """An outcome for each userId, in order; unknown ones are left out."""

    def job(change: Change) -> Outcomes:
        return statics.change_members(change, segment_id, data.add, data.remove)

    (add, remove), seq = await gate.change(request, job)
    segment = await members.one(request, segment_id)
    shown = await members.shown(request, segment, seq)
    told = {
        "added": _how_many(add, "added"),
        "removed": _how_many(remove, "removed"),
        "unknown": _how_many([*add, *remove], "unknown"),
        "count": shown.count or 0,
        "add": add,
        "remove": remove,
    }
    return gate.answer(told, seq=seq)


def _how_many(outcomes: list[statics.Outcome], wanted: statics.Done) -> int:
    return sum(each.outcome == wanted for each in outcomes)


class Unknown(Answer):
    """A line of a file whose userId is nobody's."""

    line: int
    user_id: str


class Uploaded(Answer):
    """What became of a file's lines: `lines` is the sum of the five below.

    `unknown` names the first 10,000 of those lines that are nobody's.
    """

    lines: int
    added: int
    already: int
    removed: int
    absent: int
    unknown_lines: int
    count: int
    unknown: list[Unknown]


Remove = Annotated[bool, QueryParameter(description="take them out instead of adding them")]


@operation(
    "POST",
    "/segments/{segment_id:int}/users/file",
    "segments.write",
    "Add the users of a file to a static segment",
    tag="segments",
    refuses=(404, 409),
    example=Example(path=SECOND, body="userId\nasha@example.com\n"),
    reads="text/csv",
)
async def upload(
    request: Asked, segment_id: FromPath[int], remove: Remove = False
) -> Response[Uploaded]:
    """CSV with a column `userId`, or one userId a line; whoever is known is added."""
    segment = await members.one(request, segment_id)
    lines = listed.read(await request.body())
    found: list[tuple[listed.Line, statics.Done]] = []
    seq = 0
    for start in range(0, max(1, len(lines)), AT_ONCE):
        part = lines[start : start + AT_ONCE]
        given = [line.user_id for line in part]

        def job(change: Change, given: list[str] = given) -> Outcomes:
            lists = ([], given) if remove else (given, [])
            return statics.change_members(change, segment_id, *lists)

        (add, removed), seq = await gate.change(request, job)
        found += zip(part, (each.outcome for each in add or removed), strict=True)
    shown = await members.shown(request, segment, seq)
    return gate.answer(_told(found, shown.count or 0), seq=seq)


def _told(found: list[tuple[listed.Line, statics.Done]], count: int) -> Uploaded:
    unknown = [
        Unknown(line=line.number, user_id=line.user_id)
        for line, outcome in found
        if outcome == "unknown"
    ]
    tally = {done: sum(o == done for _, o in found) for done in ("added", "already")}
    tally |= {done: sum(o == done for _, o in found) for done in ("removed", "absent")}
    return Uploaded(
        lines=len(found),
        **tally,
        unknown_lines=len(unknown),
        count=count,
        unknown=unknown[:MOST_NAMED],
    )


SortText = Annotated[
    str | None, QueryParameter(description="properties with commas between; -createdAt descends")
]
Searched = Annotated[str | None, QueryParameter(description="a text to look for, as in a search")]


@operation(
    "GET",
    "/segments/{segment_id:int}/users",
    "segments.read",
    "The members of a segment",
    tag="segments",
    waits=True,
    refuses=(404,),
    example=Example(path=FIRST, query={"limit": 10, "sort": "-createdAt"}),
)
async def of_segment(
    request: Asked,
    segment_id: FromPath[int],
    sort: SortText = None,
    text: Searched = None,
    limit: shapes.Limit = 50,
    cursor: shapes.Cursor = None,
) -> Response[members.Page]:
    """As of now; the newest first unless `sort` says otherwise."""
    segment = await members.one(request, segment_id)
    return gate.answer(await members.page(request, segment, sort, text, limit, cursor))


class Membership(Answer):
    """Whether somebody is in a segment, since when, and why; null where that cannot be said.

    `since` is null while the segment is being filled, `why` while it cannot be evaluated.
    """

    member: bool
    since: Moment | None
    why: why.Reason | None


@operation(
    "GET",
    "/segments/{segment_id:int}/users/{user_id:str}",
    "segments.read",
    "Whether a user is in a segment",
    tag="segments",
    waits=True,
    refuses=(404,),
    example=Example(path={"segment_id": 1, "user_id": "asha@example.com"}),
)
async def membership(
    request: Asked, segment_id: FromPath[int], user_id: FromPath[str]
) -> Response[Membership]:
    """As of now."""
    segment = await members.one(request, segment_id)
    number = shapes.number_of_user(request, user_id)
    member, since = await members.of_record(request, segment, number)
    try:
        reason = (await why.told(request, number, segment)).why
    except InvalidCondition:
        reason = None
    return gate.answer(Membership(member=member, since=since, why=reason))


ROUTES = [change_members, upload, of_segment, membership]
