"""What the own API answers: the same few shapes on every route."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request
from litestar.params import QueryParameter

from user360 import clock, ids
from user360.access.workspaces import Workspace
from user360.doors import gate
from user360.errors import Fault, Invalid, NotFound, Problem
from user360.identity import people
from user360.identity import store as identity_store
from user360.ingest.call import Call
from user360.storage.ledger import Connection

Asked = Request[Any, Any, Any]
Limit = Annotated[int, QueryParameter(ge=1, le=1_000, description="how many to answer at most")]
Cursor = Annotated[str | None, QueryParameter(description="what the page before answered")]
Names = Annotated[list[str] | None, QueryParameter(name="name", description="only these events")]
Sources = Annotated[
    list[str] | None,
    QueryParameter(name="source", description="only what came through these doors"),
]
Since = Annotated[
    str | None,
    QueryParameter(name="from", description="ISO 8601, included; a day is its beginning"),
]
Until = Annotated[str | None, QueryParameter(name="to", description="ISO 8601, not included")]
Text = Annotated[str, msgspec.Meta(max_length=1_000)]
Moment = Annotated[
    str, msgspec.Meta(description="ISO 8601 in UTC", examples=["2026-11-22T05:40:00.123Z"])
]


class Answer(msgspec.Struct, rename="camel", kw_only=True):
    """What a call answers."""


class Record(Answer):
    """A person as far as we know; unknown properties are left out."""

    id: str
    user_id: str | None
    properties: dict[str, Any]
    tags: list[str]
    profile_complete: str
    created_at: Moment
    updated_at: Moment


class Event(Answer):
    """Something that happened to a person."""

    id: str
    name: str
    properties: dict[str, Any]
    timestamp: Moment
    received_at: Moment
    source: str
    channel: str
    user_id: str | None
    record_id: str


class Events(Answer):
    """One page of events, the newest first."""

    events: list[Event]
    cursor: str | None


class Place(Answer):
    """One offending place: dotted from the body, a word for programs, what would be right."""

    path: str
    code: str
    message: str


class Refusal(Answer):
    """What is wrong with a request (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Place]


def record(request: Asked, number: int | None) -> Record:
    """The living record behind a number. Raises `NotFound`."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    found = gate.glance(
        platform, lambda c: people.one(c, platform.ledger.dialect, workspace, number)
    )
    if found is None:
        raise NotFound("There is no such record")
    return msgspec.convert(found, Record)


async def records(request: Asked, numbers: list[int]) -> list[Record]:
    """The living records behind these numbers, in their order; deleted ones are left out."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    found = await gate.read(
        platform, lambda c: people.many(c, platform.ledger.dialect, workspace, numbers)
    )
    return msgspec.convert(found, list[Record])


def number_of_user(request: Asked, user_id: str) -> int:
    """The living record of a userId. Raises `NotFound`."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace

    def find(connection: Connection) -> set[int]:
        number = identity_store.of_user(connection, workspace.id, user_id.strip())
        found = [] if number is None else [number]
        return identity_store.roots_of(connection, platform.ledger.dialect, found)

    for number in gate.glance(platform, find):
        return number
    raise NotFound("There is no user with this userId")


def number_of(workspace: Workspace, text: str) -> int:
    """The number behind a public record id. Raises `NotFound`."""
    number = ids.parse_record_id(workspace.id, text)
    if number is None:
        raise NotFound("There is no record with this id")
    return number


def call(request: Asked, **given: Any) -> Call:
    """A call of the own API, as of now unless `at` is given; a member's is one of the pages."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    now = platform.now()
    told = {
        "workspace": actor.workspace.id,
        "source": source(actor),
        "ref": actor.ref,
        "at": now,
        "message_id": f"{now:020d}",
    }
    return Call(**{**told, **given})


def source(actor: gate.Actor) -> str:
    """The door that a caller came through."""
    return "api" if actor.sign_in is None else "ui"


def moment(text: str | None, workspace: Workspace, otherwise: int, path: str = "timestamp") -> int:
    """A timestamp in ISO 8601 as microseconds; without offset it is the workspace's time."""
    if text is None:
        return otherwise
    try:
        found = datetime.fromisoformat(text)
        return clock.to_us(found if found.tzinfo else found.replace(tzinfo=workspace.zone))
    except (ValueError, TypeError, OverflowError) as error:
        message = f"{path} must be ISO 8601, such as 2026-11-22T10:00:00Z"
        raise Invalid.at(path, message) from error


def period(
    workspace: Workspace, since: str | None, until: str | None
) -> tuple[int | None, int | None]:
    """The bounds of a period in microseconds. Raises `Invalid`."""
    first = None if since is None else moment(since, workspace, 0, "from")
    return first, None if until is None else moment(until, workspace, 0, "to")


def places(problem: Problem) -> list[Place]:
    """Where and why something failed, as it is answered."""
    faults = problem.faults or (Fault("", problem.code, problem.detail),)
    return [Place(path=f.path, code=f.code, message=f.message) for f in faults]
