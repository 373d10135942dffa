"""Where Meta delivers what happens on WhatsApp: the handshake, and deliveries that are signed.

Whoever cannot show that they are Meta learns nothing, not even which workspaces there are.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec
from litestar import Request, Response, get, post

from user360.access.workspaces import Workspace
from user360.channels import settings
from user360.channels.declared import WhatsApp
from user360.channels.whatsapp import hearing, payload
from user360.channels.whatsapp.payload import Status, Value
from user360.conversations import marks
from user360.conversations.news import News
from user360.doors import gate
from user360.doors.api import bodies
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
SIGNATURE = "x-hub-signature-256"
LONGEST_CHALLENGE = 1_024
Asked = Request[Any, Any, Any]


@get(PATH, include_in_schema=False)
async def shake_hands(request: Asked) -> Response[str]:
    """Meta asks whether we are who it was told to deliver to: the token says so."""
    asked = request.query_params
    token, challenge = asked.get("hub.verify_token", ""), asked.get("hub.challenge", "")
    held = await asyncio.to_thread(_settings, request)
    known = "" if held is None else held.verify_token
    if asked.get("hub.mode") != "subscribe" or not known or not _same(known, token):
        raise Forbidden("This is not the verify token of the channel whatsapp")
    plain = {"X-Content-Type-Options": "nosniff"}
    return Response(challenge[:LONGEST_CHALLENGE], media_type="text/plain", headers=plain)


@post(PATH, status_code=200, include_in_schema=False)
async def take_in(request: Asked) -> dict[str, int]:
    """A delivery of Meta: answered once everything in it is on disk, else Meta tries it again."""
    body = await request.body()
    held = await asyncio.to_thread(_settings, request)
    if held is None or not _signed(held.app_secret, body, request.headers.get(SIGNATURE, "")):
        raise Unauthenticated("The signature is not that of the channel whatsapp")
    platform, workspace = gate.platform_of(request), _workspace(request)
    if not workspace.desk.channels[hearing.CHANNEL].active:
        raise Unavailable("The channel whatsapp is switched off")
    ours = _ours(_read(body), held.phone_number_id)
    told = [await _hear(platform, workspace, value) for value in ours]
    statuses = [status for value in ours for status in value.statuses]
    if statuses:
        await asyncio.to_thread(_mark, platform, workspace, statuses)
    return {"messages": sum(told), "statuses": len(statuses)}


def _workspace(request: Asked) -> Workspace:
    """The workspace that is named. Raises `NotFound`."""
    platform = gate.platform_of(request)
    name = request.query_params.get("workspace", "")
    return platform.workspace(name) if name else platform.default


def _settings(request: Asked) -> WhatsApp | None:
    """The channel of the workspace that is named, if it is there and set."""
    try:
        workspace = _workspace(request)
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
