"""Sessions: what a conversation captures, and who it says it is."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post

from user360.doors import gate
from user360.doors.api import shapes
from user360.errors import NotFound
from user360.identity import store as identity_store
from user360.ingest.call import Call, Session


class Capture(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Properties said in a conversation, and those its channel knows by itself."""

    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    auto: dict[str, Any] = msgspec.field(default_factory=dict)
    timestamp: str | None = None


class Identify(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The userId that the person of this session claims."""

    user_id: Any


def _call(request: Request[Any, Any, Any], channel: str, session: str, **given: Any) -> Call:
    actor = gate.actor_of(request)
    platform = gate.platform_of(request)
    now = platform.now()
    return Call(
        workspace=actor.workspace.id,
        source="conversation",
        ref=f"session:{channel}/{session}",
        at=shapes.moment(given.pop("timestamp", None), actor.workspace, now),
        message_id=f"{now:020d}",
        session=Session(channel, session),
        **given,
    )


@post(
    "/api/v1/sessions/{channel:str}/{session:str}/capture",
    guards=[gate.allow("records.write")],
    status_code=200,
    tags=["sessions"],
    summary="Capture properties in a session",
)
async def capture(
    request: Request[Any, Any, Any], channel: str, session: str, data: Capture
) -> Response[shapes.Captured]:
    """Writes to the record the session is mapped to; with none, an unidentified one is made."""
    platform = gate.platform_of(request)
    call = _call(
        request,
        channel,
        session,
        properties=data.properties,
        auto=data.auto,
        timestamp=data.timestamp,
    )
    outcome = await gate.one(platform, call)
    record = await shapes.record(request, outcome.record)
    return gate.answer(shapes.Captured(record, outcome.created), seq=outcome.seq)


@post(
    "/api/v1/sessions/{channel:str}/{session:str}/identify",
    guards=[gate.allow("records.write")],
    status_code=200,
    tags=["sessions"],
    summary="Identify a session",
)
async def identify(
    request: Request[Any, Any, Any], channel: str, session: str, data: Identify
) -> Response[shapes.Identified]:
    """Settles who the session belongs to, by the table of identity."""
    platform = gate.platform_of(request)
    outcome = await gate.one(platform, _call(request, channel, session, user_id=data.user_id))
    record = await shapes.record(request, outcome.record)
    merge = None if outcome.merge is None else str(outcome.merge)
    return gate.answer(shapes.Identified(record, outcome.status, merge), seq=outcome.seq)


@get(
    "/api/v1/sessions/{channel:str}/{session:str}",
    guards=[gate.allow("records.read")],
    tags=["sessions"],
    summary="The record of a session",
)
async def of_session(
    request: Request[Any, Any, Any], channel: str, session: str
) -> Response[shapes.OfSession]:
    """The record this session is mapped to."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    number = await gate.read(
        platform,
        lambda c: identity_store.of_session(c, actor.workspace.id, channel, session),
    )
    if number is None:
        raise NotFound("There is no such session")
    return gate.answer(shapes.OfSession(await shapes.record(request, number)))


ROUTES = [capture, identify, of_session]
