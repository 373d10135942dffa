"""Events: what a user did, sent and listed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter

from user360 import clock
from user360.access.workspaces import Workspace
from user360.doors import gate
from user360.doors.raw import with_body
from user360.doors.yellow import asking, translate, users
from user360.doors.yellow.asking import Asked, Bot, NotAcceptable
from user360.doors.yellow.translate import Happened, Listed
from user360.errors import Invalid, Malformed
from user360.events import timeline
from user360.ingest.call import Event

BODY = {
    "type": "object",
    "properties": {
        "userId": {"type": "string"},
        "eventName": {"type": "string", "minLength": 1, "maxLength": 200},
        "source": {"type": "string"},
        "payload": {"type": "object"},
    },
    "required": ["userId", "eventName"],
}
BOUGHT = {
    "userId": "asha@example.com",
    "eventName": "Purchase",
    "source": "CUSTOM",
    "payload": {"amount": 18.5},
}
MILLISECOND = 1_000


class OfEvent(msgspec.Struct):
    """An event that was created."""

    message: str
    data: Happened


class OfEvents(msgspec.Struct):
    """Events of a user, the newest first."""

    message: str
    data: list[Listed]


@post(
    "/cdp/api/v1/event",
    guards=[asking.allow("ingest")],
    status_code=200,
    tags=["yellow.ai"],
    summary="Create an event",
    operation_class=with_body(BODY, BOUGHT),
    responses=asking.refusals(413),
    exception_handlers=asking.REFUSE,
)
async def create(request: Asked, bot: Bot = None) -> Response[OfEvent]:  # noqa: ARG001 - read by the guard
    """A userId that nobody has is created."""
    body = await asking.body_of(request)
    happened = Event(_name_of(body), _payload_of(body))
    call = asking.call(request, user_id=translate.user_id_of(body), event=happened)
    outcome = await gate.one(gate.platform_of(request), call)
    if outcome.status == "dropped" or outcome.event_id is None:
        raise NotAcceptable(f"The event definition {happened.name} is not active")
    told = Happened(
        id=outcome.event_id,
        bot_id=asking.bot_of(request),
        user_id=call.user_id,
        event=happened.name,
        source=translate.CUSTOM,
        payload=happened.properties,
        created_at=clock.to_iso(call.at),
    )
    return gate.answer(OfEvent("Event created successfully", told), seq=outcome.seq)


def _name_of(body: dict[str, Any]) -> str:
    name = body.get("eventName")
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= 200:
        raise Invalid.at("eventName", "eventName must be text of 1 to 200 characters")
    return name.strip()


def _payload_of(body: dict[str, Any]) -> dict[str, Any]:
    payload = body.get("payload")
    if payload is None:
        return {}
    if not isinstance(payload, dict):
        raise Invalid.at("payload", "payload must be a JSON object")
    return payload


@get(
    "/cdp/api/v1/event",
    guards=[asking.allow("records.read")],
    tags=["yellow.ai"],
    summary="List the events of a user",
    responses=asking.refusals(404),
    exception_handlers=asking.REFUSE,
)
async def list_events(
    request: Asked,
    bot: Bot = None,  # noqa: ARG001 - read by the guard
    user_id: Annotated[
        str | None, QueryParameter(name="userId", description="required; or `<bot>_<userId>`")
    ] = None,
    event_name: Annotated[
        str | None, QueryParameter(name="eventName", description="only events of this name")
    ] = None,
    offset_timestamp: Annotated[
        str | None,
        QueryParameter(name="offsetTimestamp", description="ISO 8601; from here into the past"),
    ] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=1_000, description="how many at most")] = 50,
) -> Response[OfEvents]:
    """The newest first, those of the system too. Whatever was answered before is there."""
    if not user_id:
        raise Malformed.at("userId", "the parameter userId is required")
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    wanted = timeline.Wanted(
        record=await users.number_of(request, user_id),
        names=[event_name] if event_name else [],
        until=None if not offset_timestamp else _beyond(offset_timestamp, workspace),
    )
    page = await gate.ask(
        request,
        lambda warehouse: timeline.timeline(warehouse, workspace.id, wanted, limit=limit),
        at_least=platform.committer.position.last,
    )
    found = [translate.listed(event, workspace.name) for event in page.events]
    return gate.answer(OfEvents("Fetched events successfully", found))


def _beyond(text: str, workspace: Workspace) -> int:
    """The end of the millisecond that `text` names: times are answered no finer than that."""
    try:
        # A plus that was not escaped in the address arrives as a space.
        found = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text)
    except ValueError as error:
        told = "must be ISO 8601, such as 2026-11-22T10:00:00Z"
        raise Invalid.at("offsetTimestamp", told) from error
    moment = found if found.tzinfo else found.replace(tzinfo=workspace.zone)
    return clock.to_us(moment) // MILLISECOND * MILLISECOND + MILLISECOND


ROUTES: list[Any] = [create, list_events]
