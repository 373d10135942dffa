"""Channels as they are set, and what could not be brought by them."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, UnsetType

from user360 import clock, ids
from user360.channels import deliveries, outbox, settings
from user360.channels.bringing import Delivery
from user360.channels.whatsapp import approved, templates
from user360.doors import gate
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Cursor, Limit, Moment
from user360.errors import NotFound, Problem

WEB = {"channel": "web"}
Given = str | UnsetType | None
Failed = Annotated[
    bool, QueryParameter(description="those that were given up, or those that still wait")
]


class Template(Body):
    """A template of WhatsApp in one language, word for word as it was approved.

    Places to fill are `{{1}}`, `{{2}}`, or have names; `buttons` are answers to choose from.
    """

    name: str
    language: str
    body: str
    header: str = ""
    footer: str = ""
    buttons: list[str] = msgspec.field(default_factory=list)


class ChannelEdit(Body):
    """Settings of a channel; which there are depends on it. Null takes one back.

    `bot` begins its conversations: `flow:` with a name, `webhook`, or empty for agents. `smtp` and
    `imap` are `host`, `port`, `security`, `user` and `password`. `templates` are all of WhatsApp's.
    """

    active: bool | UnsetType = UNSET
    bot: Given = UNSET
    signing_key: Given = UNSET
    page_properties: bool | UnsetType | None = UNSET
    greeting: Given = UNSET
    session_days: int | UnsetType | None = UNSET
    phone_number_id: Given = UNSET
    business_account_id: Given = UNSET
    templates: list[Template] | UnsetType | None = UNSET
    code_template: Given = UNSET
    code_language: Given = UNSET
    api_base: Given = UNSET
    verify_token: Given = UNSET
    app_secret: Given = UNSET
    access_token: Given = UNSET
    address: Given = UNSET
    name: Given = UNSET
    thread_by: Given = UNSET
    authserv_id: Given = UNSET
    smtp: dict[str, Any] | UnsetType = UNSET
    imap: dict[str, Any] | UnsetType = UNSET


class Channel(Answer):
    """How a channel is set. Secrets are never told: `secretsSet` names those that it has.

    `missing` are the settings without which nothing is sent, or nothing heard, by their paths.
    `trouble` says what goes wrong since `troubleSince`, and is empty when all is well: our access
    is refused where messages are sent, or mail cannot be fetched.
    """

    channel: str
    active: bool
    bot: str
    settings: dict[str, Any]
    secrets_set: list[str]
    missing: list[str]
    trouble: str
    trouble_since: Moment | None


class Channels(Answer):
    """The channels there are: the built-in ones, then those that were set besides."""

    channels: list[Channel]


class Fetched(Answer):
    """How many templates there are now; why others that are approved cannot be said here.

    `leftOut` names those as `order_update (en)`.
    """

    fetched: int
    left_out: dict[str, str]


class Undelivered(Answer):
    """A message that waits to be brought, or was given up at `failedAt`.

    `way` is the channel, or `webhook:` with its number; `error` says what went wrong last.
    """

    id: int
    conversation_id: str
    message_id: str
    way: str
    attempts: int
    due_at: Moment
    error: str
    failed_at: Moment | None


class Deliveries(Answer):
    """One page, the newest first."""

    deliveries: list[Undelivered]
    cursor: str | None


@operation("GET", "/channels", "inbox.settings", "List channels", tag="channels")
async def listing(request: Asked) -> Response[Channels]:
    """Those that are always there, and those that were set besides."""
    names = settings.names(gate.actor_of(request).workspace)
    return gate.answer({"channels": [_read(request, name) for name in names]})


@operation(
    "GET",
    "/channels/{channel:str}",
    "inbox.settings",
    "Read a channel's settings",
    tag="channels",
    example=Example(path=WEB),
)
async def one(request: Asked, channel: FromPath[str]) -> Response[Channel]:
    """One that nothing was set of answers what is usual."""
    return gate.answer(_read(request, channel))


def _read(request: Asked, name: str) -> dict[str, Any]:
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    return _shown(name, settings.read(platform, workspace, name))


def _shown(channel: str, told: dict[str, Any]) -> dict[str, Any]:
    since = told["troubleSince"]
    of_all = ("active", "bot", "secretsSet", "missing", "channel", "trouble", "troubleSince")
    return {
        "channel": channel,
        "active": told["active"],
        "bot": told["bot"],
        "settings": {name: value for name, value in told.items() if name not in of_all},
        "secretsSet": told["secretsSet"],
        "missing": told["missing"],
        "trouble": told["trouble"],
        "troubleSince": None if since is None else clock.to_iso(since),
    }


@operation(
    "PATCH",
    "/channels/{channel:str}",
    "inbox.settings",
    "Change a channel's settings",
    tag="channels",
    example=Example(path=WEB, body={"bot": "webhook", "pageProperties": True}),
)
async def change(
    request: Asked, channel: FromPath[str], data: JSONBody[ChannelEdit]
) -> Response[Channel]:
    """What is given is changed, the rest stays; a secret is kept and never told again."""
    vault = gate.platform_of(request).vault
    given = msgspec.to_builtins(data)
    told, seq = await gate.change(request, lambda c: settings.change(c, vault, channel, given))
    request.app.state.outbox.wake()  # what waits may go now
    return gate.answer(_shown(channel, told), seq=seq)


@operation(
    "POST",
    "/channels/{channel:str}/templates/fetch",
    "inbox.settings",
    "Fetch WhatsApp's approved templates",
    tag="channels",
    refuses=(404, 409),
    example=Example(path={"channel": templates.CHANNEL}),
)
async def fetch(request: Asked, channel: FromPath[str]) -> Response[Fetched]:
    """In place of all that are there. 409 where no business account is set, or Meta refuses.

    404 for a channel that has no templates: WhatsApp alone has.
    """
    if channel != templates.CHANNEL:
        raise NotFound("This channel has no templates")
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    found = await asyncio.to_thread(approved.fetch, platform, workspace)
    given = {"templates": msgspec.to_builtins(found.templates)}
    _, seq = await gate.change(
        request, lambda c: settings.change(c, platform.vault, channel, given)
    )
    told = {"fetched": len(found.templates), "leftOut": found.left_out}
    return gate.answer(told, seq=seq)


@operation("GET", "/deliveries", "inbox.settings", "What was not brought", tag="channels")
async def undelivered(
    request: Asked, failed: Failed = True, limit: Limit = 100, cursor: Cursor = None
) -> Response[Deliveries]:
    """Messages that were given up, or that wait for their turn."""
    workspace, before = gate.actor_of(request).workspace, _before(cursor)
    found = await gate.read(
        gate.platform_of(request),
        lambda c: deliveries.listed(c, workspace.id, failed=failed, before=before, limit=limit + 1),
    )
    following = str(found[limit - 1].id) if len(found) > limit else None
    told = [_delivery(each) for each in found[:limit]]
    return gate.answer({"deliveries": told, "cursor": following})


def _before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 19:
        return int(cursor)
    raise Problem.at("cursor", "cursor must be one that an earlier page answered")


def _delivery(held: Delivery) -> dict[str, Any]:
    failed = held.failed_at
    return {
        "id": held.id,
        "conversationId": ids.public_conversation_id(held.conversation),
        "messageId": ids.public_message_id(held.message),
        "way": held.way,
        "attempts": held.attempts,
        "dueAt": clock.to_iso(held.due_at),
        "error": held.error,
        "failedAt": None if failed is None else clock.to_iso(failed),
    }


@operation(
    "POST",
    "/deliveries/{delivery_id:int}/retry",
    "inbox.settings",
    "Bring a message once more",
    tag="channels",
    refuses=(404, 409),
    example=Example(path={"delivery_id": 1}),
)
async def retry(request: Asked, delivery_id: FromPath[int]) -> Response[Undelivered]:
    """As if it had never been tried. 409 for one that still waits for its turn."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    news, seq = await gate.change(request, lambda c: outbox.retry(c, delivery_id))
    platform.exchange.publish(news)
    request.app.state.outbox.wake()
    found = gate.glance(platform, lambda c: deliveries.one(c, workspace.id, delivery_id))
    if found is None:  # it was brought already
        raise NotFound("There is no such delivery any more: it was brought")
    return gate.answer(_delivery(found), seq=seq)


ROUTES = [listing, one, change, fetch, undelivered, retry]
