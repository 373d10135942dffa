"""Channels: where customers write, who begins with them, and what could not be brought."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360 import ids
from user360.channels import deliveries, outbox, settings
from user360.channels.bringing import Delivery
from user360.channels.web.sessions import CHANNEL as WEB
from user360.channels.whatsapp import approved, templates
from user360.conversations.desk import SENDING
from user360.doors import gate, whatsapp
from user360.errors import NotFound
from user360.flows import store as flows
from user360.pages import channel_fields, forms, render, route, settings_hooks, settings_keys
from user360.pages.render import Asked
from user360.storage.ledger import Connection

SHOWN = 50  # of what was given up


@route.shown("/settings/channels", may="inbox.settings")
async def listing(request: Asked) -> Response[str]:
    """All channels, and the messages that could not be brought."""
    workspace = gate.actor_of(request).workspace
    failed = await gate.read(
        gate.platform_of(request),
        lambda c: deliveries.listed(c, workspace.id, failed=True, limit=SHOWN),
    )
    channels = [
        {
            "name": name,
            "about": channel_fields.of(name),
            "held": workspace.desk.channels.get(name),
            "needs": name in (*SENDING, WEB),  # these do nothing before they are set up
        }
        for name in settings.names(workspace)
    ]
    told = [_told(each) for each in failed]
    return render.page(
        request,
        "settings/channels.html",
        channels=channels,
        failed=told,
        hooks=await settings_hooks.listed(request),
        formats=settings_hooks.FORMATS,
        made=None,
        answers="",
    )


def _told(delivery: Delivery) -> dict[str, Any]:
    kind, _, number = delivery.way.partition(":")
    named = {"webhook": f"Webhook {number}", "media": "A file from WhatsApp"}
    return {
        "id": delivery.id,
        "way": named.get(kind) or channel_fields.of(kind).title,
        "conversation": ids.public_conversation_id(delivery.conversation),
        "message": ids.public_message_id(delivery.message),
        "error": delivery.error,
        "failed_at": delivery.failed_at,
        "attempts": delivery.attempts,
    }


@route.shown("/settings/channels/{name:str}", may="inbox.settings")
async def one(request: Asked, name: FromPath[str]) -> Response[str]:
    """The form of one channel."""
    return await _page(request, name, "settings/channel.html")


async def _page(request: Asked, name: str, template: str, **given: Any) -> Response[str]:
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    if not settings.NAME.match(name):
        raise NotFound("There is no such channel")

    def ask(connection: Connection) -> list[str]:
        return [flow.name for flow in flows.all_flows(connection, workspace.id)]

    told = settings.read(platform, workspace, name)
    here = settings_keys.address(request)
    more = {"made": "", "left_out": {}, **given}
    return render.page(
        request,
        template,
        name=name,
        about=channel_fields.of(name),
        told=told,
        groups=channel_fields.shown(name, told),
        lacking=channel_fields.lacking(name, told) if name in workspace.desk.channels else {},
        bots=_bots(await gate.read(platform, ask), told["bot"]),
        webhook=f"{here}{whatsapp.PATH}?workspace={quote(workspace.name)}",
        snippet=f'<script src="{here}/widget.js" data-workspace="{workspace.name}" async></script>',
        **more,
    )


def _bots(names: list[str], chosen: str) -> dict[str, str]:
    """Who may begin with a customer, by what is kept of it."""
    found = {"": "agents, at once", settings.WEBHOOK: "a bot that is told by webhook"}
    found |= {f"{settings.FLOW}{name}": f"the flow {name}" for name in sorted(names)}
    # A flow that was deleted meanwhile is still what was chosen, until another is.
    gone = chosen.removeprefix(settings.FLOW)
    return found if chosen in found else {**found, chosen: f"the flow {gone}, which is not there"}


@route.deed("/settings/channels", may="inbox.settings")
async def add(request: Asked) -> Response[str]:
    """Set up a channel of any name: what is sent on it comes by the API."""
    name = (await forms.read(request)).get("channel", "").strip()
    await _change(request, name, {})
    return render.go(request, f"/settings/channels/{name}", tell="Added")


@route.deed("/settings/channels/{name:str}", may="inbox.settings")
async def save(request: Asked, name: FromPath[str]) -> Response[str]:
    """Keep what the form holds; each setting that is wrong is named."""
    form = await forms.read(request)
    given = channel_fields.given(name, form)
    told = await _change(
        request, name, {**given, "active": "active" in form, "bot": form.get("bot", "").strip()}
    )
    tell = "Saved, but something is missing yet" if told["missing"] else "Saved"
    return render.go(request, f"/settings/channels/{name}", tell=tell)


@route.deed("/settings/channels/web/key", may="inbox.settings")
async def new_key(request: Asked) -> Response[str]:
    """Another key that signs who is signed in; it is shown this once."""
    made = secrets.token_urlsafe(32)
    await _change(request, "web", {"signingKey": made})
    return await _page(request, "web", "settings/channel_part.html", made=made)


@route.deed("/settings/channels/whatsapp/templates", may="inbox.settings")
async def add_template(request: Asked) -> Response[str]:
    """One more template, or another wording of one; what is wrong is told at its field."""
    form = {name: text.strip() for name, text in (await forms.read(request)).items()}
    given: dict[str, Any] = {name: form.get(name, "") for name in ("name", "language", "body")}
    given |= {name: form[name] for name in ("header", "footer") if form.get(name)}
    given["body"] = given["body"].replace("\r\n", "\n")
    given["buttons"] = [each.strip() for each in form.get("buttons", "").split(",") if each.strip()]
    return await _templates(request, [*_others(request, given), given], "Added")


@route.deed("/settings/channels/whatsapp/templates/remove", may="inbox.settings")
async def remove_template(request: Asked) -> Response[str]:
    """Take one away."""
    return await _templates(request, _others(request, await forms.read(request)), "Removed")


@route.deed("/settings/channels/whatsapp/templates/fetch", may="inbox.settings")
async def fetch_templates(request: Asked) -> Response[str]:
    """Those that Meta has approved, in place of all that are there."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    found = await asyncio.to_thread(approved.fetch, platform, workspace)
    tell = f"{len(found.templates)} fetched"
    wanted = msgspec.to_builtins(found.templates)
    return await _templates(request, wanted, tell, left_out=found.left_out)


def _others(request: Asked, named: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The templates there are but the one of this name and language."""
    held = templates.of(gate.actor_of(request).workspace)
    key = (named.get("name", ""), named.get("language", ""))
    return [msgspec.to_builtins(each) for each in held if (each.name, each.language) != key]


async def _templates(
    request: Asked, wanted: list[dict[str, Any]], tell: str, **given: Any
) -> Response[str]:
    await _change(request, templates.CHANNEL, {"templates": wanted})
    where = (templates.CHANNEL, "settings/channel_part.html")
    return await _page(request, *where, headers=render.said(tell), **given)


async def _change(request: Asked, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Put what is given into a channel's settings; how it is told then."""
    vault = gate.platform_of(request).vault
    told, _ = await gate.change(request, lambda c: settings.change(c, vault, name, given))
    request.app.state.outbox.wake()  # what waits may go now
    return told


@route.deed("/settings/deliveries/{number:int}/retry", may="inbox.settings")
async def retry(request: Asked, number: FromPath[int]) -> Response[str]:
    """Bring a message once more."""
    news, _ = await gate.change(request, lambda c: outbox.retry(c, number))
    gate.platform_of(request).exchange.publish(news)
    request.app.state.outbox.wake()
    return render.go(request, "/settings/channels", tell="It is tried once more")


ROUTES: list[HTTPRouteHandler] = [
    listing,
    add,
    new_key,
    add_template,
    remove_template,
    fetch_templates,
    one,
    save,
    retry,
]
