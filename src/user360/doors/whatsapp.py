"""Where Meta delivers what happens on WhatsApp: the handshake, and deliveries that are signed.

Whoever cannot show that they are Meta learns nothing, not even which workspaces there are.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, QueryParameter

from user360.access.workspaces import Workspace
from user360.channels import settings
from user360.channels.declared import WhatsApp
from user360.channels.whatsapp import hearing, payload
from user360.channels.whatsapp.payload import Status, Value
from user360.conversations import marks
from user360.conversations.news import News
from user360.doors import gate
from user360.doors.api import bodies
from user360.doors.api.shapes import Refusal
from user360.doors.raw import with_body
from user360.errors import (
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    PersonErased,
    Problem,
    Unauthenticated,
    Unavailable,
)
from user360.observe import metrics
from user360.platform import Platform
from user360.storage.ledger import Connection

PATH = "/channels/whatsapp/webhook"
LONGEST_CHALLENGE = 1_024
Asked = Request[Any, Any, Any]
Workspaced = Annotated[
    str, QueryParameter(description="the name of the workspace; else it is the default one")
]
Mode = Annotated[str, QueryParameter(name="hub.mode", description="subscribe")]
Challenge = Annotated[
    str, QueryParameter(name="hub.challenge", description="what is to be answered")
]
Token = Annotated[
    str, QueryParameter(name="hub.verify_token", description="the channel's verifyToken")
]
Signature = Annotated[
    str,
    HeaderParameter(
        name="X-Hub-Signature-256",
        description="sha256= and the HMAC-SHA256 of the body with the channel's appSecret, in hex",
    ),
]
# As far as it is read; Meta's documentation tells all that there may be.
DELIVERY: dict[str, Any] = {
    "type": "object",
    "required": ["object", "entry"],
    "properties": {
        "object": {"type": "string", "const": payload.ACCOUNT},
        "entry": {"type": "array", "items": {"type": "object"}},
    },
}
EXAMPLE: dict[str, Any] = {
    "object": payload.ACCOUNT,
    "entry": [
        {
            "id": "102290129340398",
            "changes": [
                {
                    "field": payload.MESSAGES,
                    "value": {
                        "messaging_product": "whatsapp",
                        "metadata": {
                            "display_phone_number": "15550783881",
                            "phone_number_id": "106540352242922",
                        },
                        "contacts": [{"profile": {"name": "Asha Rao"}, "wa_id": "919876543210"}],
                        "messages": [
                            {
                                "from": "919876543210",
                                "id": "wamid.HBgMOTE5ODc2NTQzMjEw",
                                "timestamp": "1795325000",
                                "type": "text",
                                "text": {"body": "Where is my order?"},
                            }
                        ],
                    },
                }
            ],
        }
    ],
}


class Taken(msgspec.Struct):
    """How many messages of a delivery are new, and how many reports were in it."""

    messages: int
    statuses: int


def _refusals(*statuses: int) -> dict[int, ResponseSpec]:
    """The answers that say no, of those that there are here."""
    described = {
        400: "The body is not what Meta delivers; every place is named",
        401: "The signature is not that of the channel",
        403: "This is not the verify token of the channel",
        413: "Larger than 4 MB",
        429: "More is coming in than can be written",
        503: "Not all of it could be kept, or the channel is switched off: deliver it again",
    }
    return {
        n: ResponseSpec(Refusal, False, described[n], media_type=gate.PROBLEM) for n in statuses
    }


@get(
    PATH,
    tags=["whatsapp"],
    summary="Meta's handshake",
    media_type=MediaType.TEXT,
    responses=_refusals(403),
    security=[{}],
)
async def shake_hands(
    request: Asked,
    workspace: Workspaced = "",
    mode: Mode = "",
    challenge: Challenge = "",
    token: Token = "",
) -> Response[str]:
    """Meta asks whether we are who it was told to deliver to: the token says so.

    The answer is the challenge itself.
    """
    held = await asyncio.to_thread(_settings, request, workspace)
    known = "" if held is None else held.verify_token
    if mode != "subscribe" or not known or not _same(known, token):
        raise Forbidden("This is not the verify token of the channel whatsapp")
    plain = {"X-Content-Type-Options": "nosniff"}
    return Response(challenge[:LONGEST_CHALLENGE], media_type="text/plain", headers=plain)


@post(
    PATH,
    status_code=200,
    tags=["whatsapp"],
    summary="A delivery of Meta",
    operation_class=with_body(DELIVERY, EXAMPLE),
    responses=_refusals(400, 401, 413, 429, 503),
    security=[{}],
)
async def take_in(
    request: Asked,
    workspace: Workspaced = "",
    signature: Signature = "",
) -> Taken:
    """Messages of customers, and what became of ours.

    Answered once everything in it is on disk, else Meta tries it again. Who cannot sign learns
    nothing.
    """
    body = await request.body()
    held = await asyncio.to_thread(_settings, request, workspace)
    if held is None or not _signed(held.app_secret, body, signature):
        raise Unauthenticated("The signature is not that of the channel whatsapp")
    platform, asked = gate.platform_of(request), _workspace(request, workspace)
    if not asked.desk.channels[hearing.CHANNEL].active:
        raise Unavailable("The channel whatsapp is switched off")
    ours = _ours(_read(body), held.phone_number_id)
    told = [await _hear(platform, asked, value) for value in ours]
    statuses = [status for value in ours for status in value.statuses]
    if statuses:
        await asyncio.to_thread(_mark, platform, asked, statuses)
    return Taken(sum(told), len(statuses))


def _workspace(request: Asked, name: str) -> Workspace:
    """The workspace that is named. Raises `NotFound`."""
    platform = gate.platform_of(request)
    return platform.workspace(name) if name else platform.default


def _settings(request: Asked, name: str) -> WhatsApp | None:
    """The channel of the workspace that is named, if it is there and set."""
    try:
        workspace = _workspace(request, name)
    except NotFound:
        return None
    if hearing.CHANNEL not in workspace.desk.channels:
        return None
    platform = gate.platform_of(request)
    return settings.whole(platform, workspace, hearing.CHANNEL, WhatsApp)


def _same(known: str, given: str) -> bool:
    return hmac.compare_digest(known.encode(), given.encode())


def _signed(secret: str, body: bytes, given: str) -> bool:
    expected = "sha256=" + hmac.digest(secret.encode(), body, sha256).hex()
    return bool(secret) and _same(expected, given)


def _read(body: bytes) -> list[Value]:
    try:
        return payload.read(body)
    except msgspec.ValidationError as error:
        fault = bodies.fault(str(error), "")
        raise Invalid(fault.message, faults=[fault]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("The body is not JSON") from error


def _ours(values: Sequence[Value], number: str) -> list[Value]:
    """What is about the number of this channel; of others, which one app may have, nothing."""
    ours = [value for value in values if number in ("", value.metadata.phone_number_id)]
    for _ in range(len(values) - len(ours)):
        metrics.DROPS.labels("unknownPhoneNumberId").inc()
    return ours


async def _hear(platform: Platform, workspace: Workspace, value: Value) -> int:
    """Keep what was said; how many messages are new. Raises what is worth another delivery."""
    calls = await asyncio.to_thread(hearing.calls, platform, workspace, value)
    outcomes = await gate.settle(platform, calls) if calls else []
    alone = [i for i, o in enumerate(outcomes) if o.problem is not None and calls[i].properties]
    if alone:
        again = [hearing.without_properties(calls[i]) for i in alone]
        for i, outcome in zip(alone, await gate.settle(platform, again), strict=True):
            outcomes[i] = outcome
    for outcome in outcomes:
        _refuse(outcome.problem)
    return sum(o.problem is None and o.status != "duplicate" for o in outcomes)


def _refuse(problem: Problem | None) -> None:
    """What could not be kept is to be delivered again; of who was erased nothing is kept, ever."""
    if problem is not None and not isinstance(problem, PersonErased):
        raise Unavailable("Not all of this could be kept; deliver it again")


def _mark(platform: Platform, workspace: Workspace, statuses: Sequence[Status]) -> None:
    def put(connection: Connection) -> list[News]:
        found = hearing.marks_of(connection, workspace, statuses)
        return marks.put(connection, platform.ledger.dialect, workspace.id, found)

    platform.tell(put)


ROUTES = [shake_hands, take_in]
