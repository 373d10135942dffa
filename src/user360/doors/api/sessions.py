"""Sessions: what a conversation captures, and who it says it is."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from user360.doors import gate
from user360.doors.api import shapes
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Record
from user360.errors import NotFound
from user360.identity import store as identity_store
from user360.ingest.call import Call, Outcome, Session

CHAT = {"channel": "web", "session": "visit-17"}


class Capture(Body):
    """Properties said in a conversation, and those its channel knows by itself."""

    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    auto: dict[str, Any] = msgspec.field(default_factory=dict)
    timestamp: str | None = None


class Identify(Body):
    """The userId of the person."""

    user_id: str


class Captured(Answer):
    """The record written to, and whether it is a new one."""

    record: Record
    created: bool


class Identified(Answer, omit_defaults=True):
    """Who the person is now, and how that came about."""

    record: Record
    outcome: str
    merge_id: str | None = None


class OfSession(Answer):
    """Who a session belongs to."""

    record: Record


def _call(request: Asked, channel: str, session: str, **given: Any) -> Call:
    return shapes.call(
        request,
        source="conversation",
        ref=f"session:{channel}/{session}",
        session=Session(channel, session),
        **given,
    )


@operation(
    "POST",
    "/sessions/{channel:str}/{session:str}/capture",
    "records.write",
    "Capture properties in a session",
    tag="sessions",
    example=Example(
        path=CHAT,
        body={"properties": {"firstName": "Asha"}, "auto": {"country": "India"}},
    ),
)
async def capture(
    request: Asked, channel: FromPath[str], session: FromPath[str], data: JSONBody[Capture]
) -> Response[Captured]:
    """Writes to the record the session is mapped to; with none, an unidentified one is made."""
    call = _call(request, channel, session, properties=data.properties, auto=data.auto)
    call.at = shapes.moment(data.timestamp, gate.actor_of(request).workspace, call.at)
    outcome = await gate.one(gate.platform_of(request), call)
    record = shapes.record(request, outcome.record)
    return gate.answer(Captured(record=record, created=outcome.created), seq=outcome.seq)


@operation(
    "POST",
    "/sessions/{channel:str}/{session:str}/identify",
    "records.write",
    "Identify a session",
    tag="sessions",
    refuses=(409,),
    example=Example(path=CHAT, body={"userId": "asha@example.com"}),
)
async def identify(
    request: Asked, channel: FromPath[str], session: FromPath[str], data: JSONBody[Identify]
) -> Response[Identified]:
    """Settles who the session belongs to.

    `outcome` is `created`, `assigned`, `merged`, `switched` or `unchanged`.
    """
    call = _call(request, channel, session, user_id=data.user_id)
    return identified(request, await gate.one(gate.platform_of(request), call))


def identified(request: Asked, outcome: Outcome) -> Response[Identified]:
    """What became of whom somebody identified."""
    record = shapes.record(request, outcome.record)
    merge = None if outcome.merge is None else str(outcome.merge)
    told = Identified(record=record, outcome=outcome.status, merge_id=merge)
    return gate.answer(told, seq=outcome.seq)


@operation(
    "GET",
    "/sessions/{channel:str}/{session:str}",
    "records.read",
    "The record of a session",
    tag="sessions",
    refuses=(404,),
    example=Example(path=CHAT),
)
async def of_session(
    request: Asked, channel: FromPath[str], session: FromPath[str]
) -> Response[OfSession]:
    """The record this session is mapped to."""
    workspace = gate.actor_of(request).workspace
    number = gate.glance(
        gate.platform_of(request),
        lambda c: identity_store.of_session(c, workspace.id, channel, session),
    )
    if number is None:
        raise NotFound("There is no such session")
    return gate.answer(OfSession(record=shapes.record(request, number)))


ROUTES = [capture, identify, of_session]
