"""Webhooks on the page of the channels: who is told of what customers say, and may answer."""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360.conversations import hooks
from user360.conversations.hooks import Hook
from user360.doors import bots, gate
from user360.errors import Invalid
from user360.pages import forms, render, route, settings_keys
from user360.pages.render import Asked

FORMATS = {
    "user360": "a script: User 360's own, signed",
    "rasa": "Rasa's REST channel",
    "botpress": "Botpress",
}


async def listed(request: Asked) -> list[Hook]:
    """All webhooks, by number."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    return await gate.read(platform, lambda c: hooks.listed(c, platform.vault, workspace.id))


@route.deed("/settings/hooks", may="inbox.settings")
async def make(request: Asked) -> Response[str]:
    """Make a webhook; its secret is shown this once. What is wrong is told at its field."""
    form = {name: text.strip() for name, text in (await forms.read(request)).items()}
    if form.get("format") not in FORMATS:
        raise Invalid.at("format", "Choose in whose words it is told")
    given: dict[str, Any] = {name: form.get(name, "") for name in ("url", "format")}
    given["authorization"] = form.get("authorization", "")
    given["channels"] = [
        each.strip() for each in form.get("channels", "").split(",") if each.strip()
    ]
    vault = gate.platform_of(request).vault
    made, _ = await gate.change(request, lambda c: hooks.make(c, vault, given))
    answers = settings_keys.address(request) + bots.path_of(made)
    return render.page(
        request,
        "settings/hooks_part.html",
        hooks=await listed(request),
        formats=FORMATS,
        made=made,
        answers=answers if made.format == "botpress" else "",
    )


@route.deed("/settings/hooks/{number:int}/switch", may="inbox.settings")
async def switch(request: Asked, number: FromPath[int]) -> Response[str]:
    """Tell it no more, or again."""
    active = (await forms.read(request)).get("active") == "yes"
    vault = gate.platform_of(request).vault
    await gate.change(request, lambda c: hooks.edit(c, vault, number, {"active": active}))
    tell = "It is told again" if active else "It is told no more"
    return render.go(request, "/settings/channels", tell=tell)


@route.deed("/settings/hooks/{number:int}/delete", may="inbox.settings")
async def delete(request: Asked, number: FromPath[int]) -> Response[str]:
    """Remove a webhook with what it was still to be told."""
    await gate.change(request, lambda c: hooks.delete(c, number))
    return render.go(request, "/settings/channels", tell="Removed")


ROUTES: list[HTTPRouteHandler] = [make, switch, delete]
