"""Finding conversations: by what they are, whose they are, and what was said in them."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, cast

import msgspec
from litestar import Response
from litestar.params import JSONBody, QueryParameter

from user360 import ids
from user360.access.workspaces import Workspace
from user360.conversations import counting, reading
from user360.conversations.reading import EVERY, NOBODY, Place, Wanted
from user360.doors import gate
from user360.doors.api import conditions, members, shapes, spoken
from user360.doors.api.bodies import Body
from user360.doors.api.conditions import INDIA, Condition
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Cursor
from user360.doors.api.spoken import AtMost, Conversation, Kind, State, Whose
from user360.errors import Invalid, NotFound, Problem
from user360.inbox.finding import Sought

States = Annotated[
    list[str] | None,
    QueryParameter(name="state", description=f"in one of these states: {', '.join(EVERY)}"),
]
OfKind = Annotated[Kind | None, QueryParameter(description="chats or tickets alone")]
Channel = Annotated[str | None, QueryParameter(description="on this channel")]
Tag = Annotated[str | None, QueryParameter(description="with this tag")]
UserId = Annotated[
    str | None, QueryParameter(name="userId", description="of this person, on all channels")
]
RecordId = Annotated[
    str | None, QueryParameter(name="recordId", description="of the person of this record")
]
Assignee = Annotated[
    str | None,
    QueryParameter(description="a member by number or e-mail address, `me`, or `nobody`"),
]
Group = Annotated[str | None, QueryParameter(description="a group of agents by number, or `none`")]
InSegment = Annotated[
    int | None, QueryParameter(name="segment", description="of people in this segment")
]
Text = Annotated[
    str | None,
    QueryParameter(
        max_length=1_000,
        description="words of messages or of the subject, or a name, userId, e-mail or phone",
    ),
]


class Conversations(Answer):
    """One page of conversations, the newest first.

    A page may be short where many had to be looked at; only one without `cursor` is the last.
    """

    conversations: list[Conversation]
    cursor: str | None


class Counts(Answer):
    """How many conversations are in each list of the inbox.

    `waiting` are those of `mine` in which the customer waits for an answer.
    """

    mine: int
    waiting: int
    queued: int
    open: int
    active: int
    tickets: int
    resolved: int
    missed: int
    bot: int


class Search(Body):
    """Which conversations to find: those for which everything holds that is given.

    `where` is a condition on the person, `segment` one they are in. `q` are words of messages or of
    the subject, or a name, userId, e-mail address or phone number. `assignee` is a member by number
    or e-mail address, `me`, or `nobody`; `group` a number, or `none`.
    """

    where: Condition | None = None
    segment: int | None = None
    q: shapes.Text | None = None
    user_id: str | None = None
    record_id: str | None = None
    kind: Kind | None = None
    state: list[State] = msgspec.field(default_factory=list)
    channel: str | None = None
    assignee: Whose | None = None
    group: Whose | None = None
    tag: str | None = None
    cursor: shapes.Text | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


@operation(
    "GET",
    "/conversations",
    "inbox.read",
    "Find conversations",
    tag="conversations",
    refuses=(404,),
    waits=True,
    example=Example(query={"kind": "chat", "q": "order"}),
)
async def listing(
    request: Asked,
    user_id: UserId = None,
    record_id: RecordId = None,
    kind: OfKind = None,
    states: States = None,
    channel: Channel = None,
    assignee: Assignee = None,
    group: Group = None,
    tag: Tag = None,
    segment: InSegment = None,
    q: Text = None,
    cursor: Cursor = None,
    limit: AtMost = 50,
) -> Response[Conversations]:
    """All that hold everything asked for, the newest first.

    A member with the role agent or supervisor finds those that are for them.
    """
    asked = Search(
        segment=segment,
        q=q,
        user_id=user_id,
        record_id=record_id,
        kind=kind,
        state=_states(states),
        channel=channel,
        assignee=assignee,
        group=group,
        tag=tag,
        cursor=cursor,
        limit=limit,
    )
    return await _found(request, asked)


@operation(
    "POST",
    "/conversations/search",
    "inbox.read",
    "Find conversations of people by a condition",
    tag="conversations",
    refuses=(404,),
    waits=True,
    example=Example(body={"where": INDIA, "kind": "chat", "state": ["open", "queued"]}),
)
async def search(request: Asked, data: JSONBody[Search]) -> Response[Conversations]:
    """What a list finds, and by any condition on the person as well; the newest first."""
    return await _found(request, data)


@operation(
    "GET",
    "/conversations/counts",
    "inbox.read",
    "Count the lists of the inbox",
    tag="conversations",
)
async def counts(request: Asked) -> Response[Counts]:
    """Of what the caller may see; `mine` and `waiting` are 0 for a key."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    member = None if actor.sign_in is None else actor.sign_in.member
    seen = spoken.viewer(request)
    held = await gate.read(platform, lambda c: counting.tally(c, actor.workspace.id))
    return gate.answer({"mine": 0, counting.WAITING: 0, **held.counts(member, seen)})


def _records(request: Asked, user_id: str | None, record_id: str | None) -> list[int] | None:
    """All records of the person that is asked for. Raises `NotFound`."""
    if user_id is None and record_id is None:
        return None
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    roots = []
    if user_id is not None:
        roots.append(shapes.number_of_user(request, user_id))
    if record_id is not None:
        number = shapes.number_of(workspace, record_id)
        living = gate.glance(
            platform, lambda c: reading.living(c, platform.ledger.dialect, [number])
        )[number]
        if living is None:
            raise NotFound("There is no record with this id")
        roots.append(living)
    if len(set(roots)) > 1:
        return []
    return gate.glance(platform, lambda c: reading.tree(c, platform.ledger.dialect, roots))


async def _found(request: Asked, asked: Search) -> Response[Conversations]:
    gate.min_seq(request)  # what is read of the ledger has seen everything already
    wanted = Wanted(
        scope=spoken.viewer(request),
        kind=asked.kind or "",
        states=tuple(asked.state),
        channel=asked.channel or "",
        assignee=_assignee(request, asked.assignee),
        group=_group(asked.group),
        tag=asked.tag or "",
        records=_records(request, asked.user_id, asked.record_id),
    )
    node = await conditions.read(request, asked.where)
    segment = None if asked.segment is None else await members.one(request, asked.segment)
    workspace = gate.actor_of(request).workspace
    after = None if asked.cursor is None else _read_cursor(asked.cursor, workspace)
    page, living = await spoken.found(
        request, Sought(wanted=wanted, text=asked.q or "", whose=node), segment, asked.limit, after
    )
    told = spoken.told_all(request, page.conversations, living)
    return gate.answer({"conversations": told, "cursor": _write_cursor(page.after)})


def _states(given: list[str] | None) -> list[State]:
    wrong = [each for each in given or () if each not in EVERY]
    if wrong:
        raise Invalid.at("state", f"state must be one of {', '.join(EVERY)}")
    return cast("list[State]", given or [])


def _assignee(request: Asked, given: Whose | None) -> int | None:
    if given in (None, "nobody"):
        return None if given is None else NOBODY
    if given == "me":
        sign_in = gate.actor_of(request).sign_in
        if sign_in is None:
            raise Invalid.at("assignee", "a key is nobody; name a member")
        return sign_in.member
    assert given is not None
    return spoken.member(request, _digits(given) or given, "assignee")


def _group(given: Whose | None) -> int | None:
    if given in (None, "none"):
        return None if given is None else NOBODY
    assert given is not None
    number = _digits(given)
    if number is None:
        raise Invalid.at("group", "group must be a number, or none")
    return number


def _digits(given: Whose) -> int | None:
    """A number as an address or a body holds it; None for what is none, or for one too large."""
    text = str(given)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _write_cursor(place: Place | None) -> str | None:
    if place is None:
        return None
    plain = f"{place.updated_at}.{place.id & ((1 << ids.RECORD_BITS) - 1)}"
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _read_cursor(text: str, workspace: Workspace) -> Place:
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        at, number = map(int, plain.split("."))
        if not (0 <= at < 1 << 62 and 0 < number < 1 << ids.RECORD_BITS):
            raise ValueError("out of bounds")
    except (binascii.Error, ValueError) as error:
        raise Problem.at("cursor", "cursor must be one that an earlier page answered") from error
    return Place(at, ids.record_number(workspace.id, number))


ROUTES = [listing, search, counts]
