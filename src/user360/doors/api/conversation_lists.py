"""Finding conversations: by what they are, whose they are, and what was said in them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.params import QueryParameter

from user360 import ids
from user360.access.workspaces import Workspace
from user360.conversations import reading, searching, shown
from user360.conversations.reading import EVERY, NOBODY, Page, Place, Wanted
from user360.doors import gate
from user360.doors.api import members, shapes, spoken
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Cursor
from user360.doors.api.spoken import AtMost, Conversation, Kind
from user360.errors import Invalid, NotFound, Problem
from user360.platform import Platform
from user360.segments import stored
from user360.segments.compiler import questions
from user360.segments.store import Segment
from user360.storage.warehouse import Warehouse

MOST_PEOPLE = 500  # whose conversations a search takes into account, the newest
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
    """How many conversations are in each list of the inbox; 1,000 means that many or more."""

    mine: int
    queued: int
    open: int
    active: int
    tickets: int
    resolved: int
    missed: int
    bot: int


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
    gate.min_seq(request)  # what is read of the ledger has seen everything already
    records = _records(request, user_id, record_id)
    wanted = Wanted(
        scope=spoken.viewer(request),
        kind=kind or "",
        states=_states(states),
        channel=channel or "",
        assignee=_assignee(request, assignee),
        group=_number(group, "group", "none"),
        tag=tag or "",
        records=records,
    )
    among = None if segment is None else await members.one(request, segment)
    workspace = gate.actor_of(request).workspace
    after = None if cursor is None else _read_cursor(cursor, workspace)
    page, living = await _page(request, wanted, q or "", among, limit, after)
    told = [shown.conversation(each, living[each.record]) for each in page.conversations]
    return gate.answer({"conversations": told, "cursor": _write_cursor(page.after)})


@operation(
    "GET",
    "/conversations/counts",
    "inbox.read",
    "Count the lists of the inbox",
    tag="conversations",
)
async def counts(request: Asked) -> Response[Counts]:
    """Of what the caller may see; `mine` is 0 for a key."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    member = None if actor.sign_in is None else actor.sign_in.member
    seen = spoken.viewer(request)
    found = await gate.read(
        platform,
        lambda c: reading.counts(c, platform.ledger.dialect, actor.workspace.id, member, seen),
    )
    return gate.answer({"mine": 0, **found})


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


def _states(given: list[str] | None) -> tuple[str, ...]:
    wrong = [each for each in given or () if each not in EVERY]
    if wrong:
        raise Invalid.at("state", f"state must be one of {', '.join(EVERY)}")
    return tuple(given or ())


def _assignee(request: Asked, given: str | None) -> int | None:
    if given in (None, "nobody"):
        return None if given is None else NOBODY
    if given == "me":
        sign_in = gate.actor_of(request).sign_in
        if sign_in is None:
            raise Invalid.at("assignee", "a key is nobody; name a member")
        return sign_in.member
    assert given is not None
    digits = given.isascii() and given.isdigit() and len(given) < 16
    return spoken.member(request, int(given) if digits else given, "assignee")


def _number(given: str | None, path: str, none: str) -> int | None:
    if given in (None, none):
        return None if given is None else NOBODY
    assert given is not None
    if not (given.isascii() and given.isdigit() and len(given) < 16):
        raise Invalid.at(path, f"{path} must be a number, or {none}")
    return int(given)


async def _page(
    request: Asked,
    wanted: Wanted,
    text: str,
    segment: Segment | None,
    limit: int,
    after: Place | None,
) -> tuple[Page, dict[int, int | None]]:
    """One page, with the living record of each; the warehouse is asked only where it must be."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    if not text and segment is None:
        return await gate.read(
            platform, lambda c: _found(platform, workspace, c, wanted, limit, after)
        )

    def asked(warehouse: Warehouse) -> tuple[Page, dict[int, int | None]]:
        keeps = None
        if segment is not None:
            keeps = _members(warehouse, workspace, segment)
        with platform.ledger.read() as connection:
            narrowed = wanted
            if text:
                numbers = _search(platform, workspace, warehouse, connection, text, wanted)
                narrowed = msgspec.structs.replace(wanted, numbers=numbers)
            return _found(platform, workspace, connection, narrowed, limit, after, keeps)

    return await members.ask(request, [] if segment is None else [segment], asked)


def _members(
    warehouse: Warehouse, workspace: Workspace, segment: Segment
) -> Callable[[set[int]], Any]:
    return lambda roots: stored.since(warehouse, workspace, segment.id, roots).keys()


def _search(
    platform: Platform,
    workspace: Workspace,
    warehouse: Warehouse,
    connection: Any,
    text: str,
    wanted: Wanted,
) -> set[int]:
    """The conversations that a text is found in, or in whose person's name."""
    dialect = platform.ledger.dialect
    found = questions.search(
        warehouse, workspace, None, text=text, limit=MOST_PEOPLE, now=platform.now()
    )
    people = reading.tree(connection, dialect, found.numbers)
    return searching.found(connection, dialect, workspace.id, text, wanted.records, people)


def _found(
    platform: Platform,
    workspace: Workspace,
    connection: Any,
    wanted: Wanted,
    limit: int,
    after: Place | None,
    keeps: reading.Keeps | None = None,
) -> tuple[Page, dict[int, int | None]]:
    dialect = platform.ledger.dialect
    page = reading.page(connection, dialect, workspace.id, wanted, limit, after, keeps)
    records = {each.record for each in page.conversations}
    return page, reading.living(connection, dialect, records)


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


ROUTES = [listing, counts]
