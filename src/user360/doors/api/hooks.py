"""Webhooks: who is told of what customers say, and may answer as a bot."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, UnsetType

from user360 import clock
from user360.conversations import hooks
from user360.conversations.hooks import Hook
from user360.doors import bots, gate
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Moment

Format = Literal["user360", "rasa", "botpress"]
Names = Annotated[list[str], msgspec.Meta(max_length=hooks.MOST_CHANNELS)]
FIRST = {"hook_id": 1}


class NewHook(Body):
    """Where messages are sent, in whose format, of which channels (of all without any).

    `authorization` is sent as the header of this name, and never told again.
    """

    url: str
    format: Format = "user360"
    channels: Names = msgspec.field(default_factory=list)
    active: bool = True
    authorization: str = ""


class HookEdit(Body):
    """What is to be otherwise."""

    url: str | UnsetType = UNSET
    format: Format | UnsetType = UNSET
    channels: Names | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    authorization: str | UnsetType = UNSET


class ShownHook(Answer):
    """A webhook; `authorized` says that an `authorization` is sent with what it is told."""

    id: int
    url: str
    format: Format
    channels: list[str]
    active: bool
    authorized: bool
    created_at: Moment


class MadeHook(ShownHook):
    """A new webhook, with what is shown this once.

    `secret` signs what is sent to it. To `answersPath` at this server a Botpress of the Messaging
    API sends what it answers; null for the other formats.
    """

    secret: str
    answers_path: str | None


class Hooks(Answer):
    """All webhooks, by number."""

    hooks: list[ShownHook]


@operation("GET", "/hooks", "inbox.settings", "List webhooks", tag="channels")
async def listing(request: Asked) -> Response[Hooks]:
    """Without their secrets."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    found = await gate.read(platform, lambda c: hooks.listed(c, platform.vault, workspace.id))
    return gate.answer({"hooks": [_shown(each) for each in found]})


@operation(
    "POST",
    "/hooks",
    "inbox.settings",
    "Make a webhook",
    tag="channels",
    status=201,
    example=Example(body={"url": "https://bot.example/webhook", "channels": ["web"]}),
)
async def make(request: Asked, data: JSONBody[NewHook]) -> Response[MadeHook]:
    """The answer holds the secret, which is never shown again."""
    vault, given = gate.platform_of(request).vault, _given(data)
    made, seq = await gate.change(request, lambda c: hooks.make(c, vault, given))
    path = bots.path_of(made) if made.format == "botpress" else None
    told = {**_shown(made), "secret": made.sealed.key, "answersPath": path}
    return gate.answer(told, 201, seq)


@operation(
    "PATCH",
    "/hooks/{hook_id:int}",
    "inbox.settings",
    "Change a webhook",
    tag="channels",
    refuses=(404,),
    example=Example(path=FIRST, body={"active": False}),
)
async def edit(
    request: Asked, hook_id: FromPath[int], data: JSONBody[HookEdit]
) -> Response[ShownHook]:
    """What is given is changed; the secret stays. Another server needs the authorization anew."""
    vault, given = gate.platform_of(request).vault, _given(data)
    changed, seq = await gate.change(request, lambda c: hooks.edit(c, vault, hook_id, given))
    return gate.answer(_shown(changed), seq=seq)


@operation(
    "DELETE",
    "/hooks/{hook_id:int}",
    "inbox.settings",
    "Remove a webhook",
    tag="channels",
    status=204,
    refuses=(404,),
    example=Example(path=FIRST),
)
async def delete(request: Asked, hook_id: FromPath[int]) -> Response[None]:
    """What it was still to be told, it is not told."""
    _, seq = await gate.change(request, lambda c: hooks.delete(c, hook_id))
    return gate.answer(None, 204, seq)


def _given(data: NewHook | HookEdit) -> dict[str, Any]:
    given: dict[str, Any] = msgspec.to_builtins(data)
    return given


def _shown(hook: Hook) -> dict[str, Any]:
    return {
        "id": hook.id,
        "url": hook.url,
        "format": hook.format,
        "channels": list(hook.channels),
        "active": hook.active,
        "authorized": bool(hook.sealed.authorization),
        "createdAt": clock.to_iso(hook.created_at),
    }


ROUTES = [listing, make, edit, delete]
