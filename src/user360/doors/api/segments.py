"""Segments: named groups, by condition or by hand."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody, QueryParameter

from user360.access.change import Change
from user360.doors import gate
from user360.doors.api import conditions, members, shapes
from user360.doors.api.bodies import Body
from user360.doors.api.conditions import BOUGHT, INDIA, Condition
from user360.doors.api.members import MOST_USERS, Shown
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Moment, Record
from user360.errors import Fault, Invalid
from user360.segments import define, lifetime, statics
from user360.segments.store import Segment

FIRST = {"segment_id": 1}
Users = Annotated[list[str], msgspec.Meta(max_length=MOST_USERS)]
Force = Annotated[bool, QueryParameter(description="do it even though others ask about it")]
Archived = Annotated[
    Literal["true", "false", "all"],
    QueryParameter(description="only archived ones, or only others"),
]
Announce = Annotated[
    bool,
    msgspec.Meta(description="tell of everybody who enters and leaves when it is filled by this"),
]


class NewSegment(Body):
    """A segment by condition, or by hand with `userIds`.

    With a condition and `kind` static, its members are those the condition, and the search for
    `text`, are true of now.
    """

    name: str
    description: str = ""
    where: Condition | None = None
    text: shapes.Text | None = None
    user_ids: Users | None = None
    kind: Literal["dynamic", "static"] | None = None
    announce: Announce = False


class SegmentEdit(Body):
    """What to change of a segment; what is left out stays."""

    name: str | None = None
    description: str | None = None
    where: Condition | None = None
    announce: Announce = False


class Preview(Body):
    """A condition to try."""

    where: Condition


class Previewed(Answer):
    """How many the condition is true of, and the newest ten of them; `says` is it in English."""

    count: int
    says: str
    sample: list[Record]
    as_of: Moment
    took_ms: float


class Listed(Answer):
    """All segments, by name."""

    segments: list[Shown]
    cursor: None = None


class Created(Shown):
    """The new segment; `unknown` are the places of userIds that are nobody's and left out."""

    unknown: list[shapes.Place]


@operation(
    "POST",
    "/segments",
    "segments.write",
    "Create a segment",
    tag="segments",
    status=201,
    refuses=(409,),
    example=Example(
        body={"name": "Buyers in India", "where": {"all": [INDIA, BOUGHT]}},
    ),
)
async def create(request: Asked, data: JSONBody[NewSegment]) -> Response[Created]:
    """A dynamic one follows its condition by itself, a static one is changed by hand only."""
    _refuse_unclear(data)
    node = await conditions.read(request, data.where)
    records: list[int] = []
    if data.kind == "static" and data.user_ids is None:
        records = await members.numbers(request, node, data.text)
    dynamic = data.where is not None and data.kind != "static"

    def job(change: Change) -> tuple[Segment, list[shapes.Place]]:
        listed, unknown = _of_list(change, data.user_ids or [])
        made = define.create(
            change,
            data.name,
            data.description,
            data.where if dynamic else None,
            [*records, *listed],
            announce=data.announce,
        )
        return made, unknown

    (made, unknown), seq = await gate.change(request, job)
    shown = await members.shown(request, made, seq)
    return gate.answer(Created(**msgspec.structs.asdict(shown), unknown=unknown), 201, seq)


def _refuse_unclear(data: NewSegment) -> None:
    faults = []
    searched = data.where is not None or data.text is not None
    if searched == (data.user_ids is not None):
        faults.append(Fault("where", "invalid", "give either where or userIds"))
    if data.user_ids is not None and data.kind == "dynamic":
        faults.append(Fault("kind", "invalid", "a list of users is a static segment"))
    if data.text is not None and data.kind != "static":
        faults.append(Fault("text", "invalid", "the result of a text search is a static segment"))
    if faults:
        raise Invalid(faults[0].message, faults=faults)


def _of_list(change: Change, user_ids: list[str]) -> tuple[list[int], list[shapes.Place]]:
    """The records of these userIds, and the places of those that nobody has."""
    known = statics.records_of(change, user_ids)
    unknown = [
        shapes.Place(path=f"userIds.{i}", code="notFound", message=statics.UNKNOWN)
        for i, user_id in enumerate(user_ids)
        if user_id.strip() not in known
    ]
    return list(known.values()), unknown


@operation("GET", "/segments", "segments.read", "List segments", tag="segments", waits=True)
async def listing(request: Asked, archived: Archived = "all") -> Response[Listed]:
    """Each with its count as of now; one that cannot be counted says why."""
    found = gate.actor_of(request).workspace.segments.values()
    wanted = {"true": (True,), "false": (False,), "all": (True, False)}[archived]
    chosen = [s for s in found if (s.archived_at is not None) in wanted]
    return gate.answer(Listed(segments=await members.all_shown(request, chosen)))


@operation(
    "POST",
    "/segments/preview",
    "segments.read",
    "Preview a condition",
    tag="segments",
    waits=True,
    example=Example(body={"where": {"any": [INDIA, BOUGHT]}}),
)
async def preview(request: Asked, data: JSONBody[Preview]) -> Response[Previewed]:
    """Before saving anything."""
    node = await conditions.read(request, data.where)
    return gate.answer(await members.preview(request, node))


@operation(
    "GET",
    "/segments/{segment_id:int}",
    "segments.read",
    "Read a segment",
    tag="segments",
    waits=True,
    refuses=(404,),
    example=Example(path=FIRST),
)
async def read(request: Asked, segment_id: FromPath[int]) -> Response[Shown]:
    """With its condition, and its count as of now."""
    segment = await members.one(request, segment_id)
    return gate.answer(await members.shown(request, segment))


@operation(
    "PATCH",
    "/segments/{segment_id:int}",
    "segments.write",
    "Change a segment",
    tag="segments",
    refuses=(404, 409),
    example=Example(path=FIRST, body={"description": "Those who bought", "where": BOUGHT}),
)
async def edit(
    request: Asked, segment_id: FromPath[int], data: JSONBody[SegmentEdit]
) -> Response[Shown]:
    """What changed is its next version; the members of a dynamic one follow it at once."""

    def job(change: Change) -> Segment:
        given = (data.name, data.description, data.where)
        return define.edit(change, segment_id, *given, announce=data.announce)

    kept, seq = await gate.change(request, job)
    return gate.answer(await members.shown(request, kept, seq), seq=seq)


@operation(
    "POST",
    "/segments/{segment_id:int}/archive",
    "segments.write",
    "Archive a segment",
    tag="segments",
    refuses=(404,),
    example=Example(path=FIRST),
)
async def archive(request: Asked, segment_id: FromPath[int]) -> Response[Shown]:
    """It cannot be chosen anew, and goes on where it is used."""
    kept, seq = await gate.change(request, lambda c: lifetime.archive(c, segment_id, True))
    return gate.answer(await members.shown(request, kept, seq), seq=seq)


@operation(
    "POST",
    "/segments/{segment_id:int}/unarchive",
    "segments.write",
    "Unarchive a segment",
    tag="segments",
    refuses=(404,),
    example=Example(path=FIRST),
)
async def unarchive(request: Asked, segment_id: FromPath[int]) -> Response[Shown]:
    """It can be chosen again."""
    kept, seq = await gate.change(request, lambda c: lifetime.archive(c, segment_id, False))
    return gate.answer(await members.shown(request, kept, seq), seq=seq)


@operation(
    "DELETE",
    "/segments/{segment_id:int}",
    "segments.write",
    "Delete a segment",
    tag="segments",
    status=204,
    refuses=(404, 409),
    example=Example(path={"segment_id": 2}),
)
async def delete(request: Asked, segment_id: FromPath[int], force: Force = False) -> Response[None]:
    """Refused while another segment asks about it, unless `force` says so.

    With `force` those that ask about it keep their last members and show an error until their
    conditions are changed.
    """
    _, seq = await gate.change(request, lambda c: define.delete(c, segment_id, force))
    return gate.answer(None, 204, seq)


class Snapshot(Body):
    """What to call the copy."""

    name: str
    description: str = ""


@operation(
    "POST",
    "/segments/{segment_id:int}/snapshot",
    "segments.write",
    "Save a segment's members as a static one",
    tag="segments",
    status=201,
    refuses=(404, 409),
    example=Example(path=FIRST, body={"name": "Buyers of November"}),
)
async def snapshot(
    request: Asked, segment_id: FromPath[int], data: JSONBody[Snapshot]
) -> Response[Shown]:
    """As they are now; what changes later does not reach the copy."""
    segment = await members.one(request, segment_id)
    records = await members.numbers_of(request, segment)

    def job(change: Change) -> Segment:
        return define.create(change, data.name, data.description, None, records)

    made, seq = await gate.change(request, job)
    return gate.answer(await members.shown(request, made, seq), 201, seq)


ROUTES = [
    create,
    listing,
    preview,
    read,
    edit,
    archive,
    unarchive,
    delete,
    snapshot,
]
