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
from user360.segments import define, questions, store
from user360.segments.store import Segment

FIRST = {"segment_id": 1}
Users = Annotated[list[str], msgspec.Meta(max_length=MOST_USERS)]
Force = Annotated[bool, QueryParameter(description="do it even though others ask about it")]
Archived = Annotated[
    Literal["true", "false", "all"],
    QueryParameter(description="only archived ones, or only others"),
]


class NewSegment(Body):
    """A segment by condition, or by hand with `userIds`.

    With a condition and `kind` static, its members are those the condition is true of now.
    """

    name: str
    description: str = ""
    where: Condition | None = None
    user_ids: Users | None = None
    kind: Literal["dynamic", "static"] | None = None


class SegmentEdit(Body):
    """What to change of a segment; what is left out stays."""

    name: str | None = None
    description: str | None = None
    where: Condition | None = None


class Preview(Body):
    """A condition to try."""

    where: Condition


class Previewed(Answer):
    """How many the condition is true of, and the newest ten of them."""

    count: int
    sample: list[Record]
    as_of: Moment
    took_ms: float


class Listed(Answer):
    """All segments, by name."""

    segments: list[Shown]
    cursor: None = None


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
async def create(request: Asked, data: JSONBody[NewSegment]) -> Response[Shown]:
    """A dynamic one follows its condition by itself, a static one is changed by hand only."""
    _refuse_unclear(data)
    node = await conditions.read(request, data.where)
    records: list[int] = []
    if data.where is not None and data.kind == "static":
        platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
        now, last = platform.now(), platform.committer.position.last
        records = await gate.ask(
            request, lambda w: questions.numbers(w, workspace, node, now), at_least=last
        )
    dynamic = data.where is not None and data.kind != "static"

    def job(change: Change) -> Segment:
        listed = _of_list(change, data.user_ids or [], "userIds")
        condition = data.where if dynamic else None
        return define.create(change, data.name, data.description, condition, [*records, *listed])

    made, seq = await gate.change(request, job)
    return gate.answer(await members.shown(request, made, seq), 201, seq)


def _refuse_unclear(data: NewSegment) -> None:
    faults = []
    if (data.where is None) == (data.user_ids is None):
        faults.append(Fault("where", "invalid", "give either where or userIds"))
    if data.user_ids is not None and data.kind == "dynamic":
        faults.append(Fault("kind", "invalid", "a list of users is a static segment"))
    if faults:
        raise Invalid(faults[0].message, faults=faults)


def _of_list(change: Change, user_ids: list[str], path: str) -> list[int]:
    """The records of these userIds. Raises `Invalid` naming each that nobody has."""
    faults: list[Fault] = []
    found = define.records_of(change, user_ids, path, faults)
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    return found


@operation("GET", "/segments", "segments.read", "List segments", tag="segments", waits=True)
async def listing(request: Asked, archived: Archived = "all") -> Response[Listed]:
    """Each with its count as of now; one that cannot be counted says why."""
    workspace = gate.actor_of(request).workspace
    found = await gate.read(
        gate.platform_of(request), lambda c: store.all_segments(c, workspace.id)
    )
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
    """The members of a dynamic one follow its new condition at once."""
    await conditions.read(request, data.where)

    def job(change: Change) -> Segment:
        return define.edit(change, segment_id, data.name, data.description, data.where)

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
    kept, seq = await gate.change(request, lambda c: define.archive(c, segment_id, True))
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
    kept, seq = await gate.change(request, lambda c: define.archive(c, segment_id, False))
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
    """Refused while another segment asks about it, unless `force` says so."""
    _, seq = await gate.change(request, lambda c: define.delete(c, segment_id, force))
    return gate.answer(None, 204, seq)


class Hands(Body):
    """userIds to add to a static segment and to remove from it; removing wins."""

    add: Users = msgspec.field(default_factory=list)
    remove: Users = msgspec.field(default_factory=list)


class Handled(Answer):
    """How many were added that were not in it, and removed that were."""

    added: int
    removed: int
    count: int


@operation(
    "POST",
    "/segments/{segment_id:int}/users",
    "segments.write",
    "Change the members of a static segment",
    tag="segments",
    refuses=(404, 409),
    example=Example(path={"segment_id": 2}, body={"add": ["asha@example.com"], "remove": []}),
)
async def change_members(
    request: Asked, segment_id: FromPath[int], data: JSONBody[Hands]
) -> Response[Handled]:
    """All of them or none: an unknown userId is named, and nothing is changed."""

    def job(change: Change) -> tuple[int, int]:
        define.one(change.connection, change.workspace.id, segment_id)
        faults: list[Fault] = []
        add = define.records_of(change, data.add, "add", faults)
        remove = define.records_of(change, data.remove, "remove", faults)
        if faults:
            raise Invalid(faults[0].message, faults=faults)
        return define.add_and_remove(change, segment_id, add, remove)

    (added, removed), seq = await gate.change(request, job)
    segment = await members.one(request, segment_id)
    shown = await members.shown(request, segment, seq)
    return gate.answer(Handled(added=added, removed=removed, count=shown.count or 0), seq=seq)


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
    """Whether somebody is in a segment; `since` is known of static ones."""

    member: bool
    since: Moment | None


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
    return gate.answer(Membership(member=member, since=since))


ROUTES = [
    create,
    listing,
    preview,
    read,
    edit,
    archive,
    unarchive,
    delete,
    change_members,
    of_segment,
    membership,
]
