"""What an agent does: says, notes, takes, passes on, resolves, and how she is there."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360.channels.email import recipients
from user360.conversations import canned, managing, reading, talk
from user360.conversations.deeds import Deed
from user360.conversations.news import Typing
from user360.conversations.talk import Attachment, Conversation, Said
from user360.doors import gate
from user360.doors.api import shapes
from user360.errors import Invalid
from user360.pages import forms, inbox_person, inbox_talk, inbox_view, render
from user360.pages.render import Asked
from user360.pages.route import deed, shown

MOST_CANNED = 50  # that are offered at once


async def _do(request: Asked, public: str, wanted: Deed, tell: str) -> Response[str]:
    """Do it, and show the conversation as it is then; the list, where it is not hers any more."""
    held = inbox_view.conversation(request, public)
    call = shapes.call(request, source="conversation", conversation=held.id, deed=wanted)
    await gate.one(gate.platform_of(request), call)
    return await after(request, held, tell)


async def after(request: Asked, held: Conversation, tell: str) -> Response[str]:
    """The conversation as it is now; the list, where it is not theirs any more."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    where = (platform.ledger.dialect, actor.workspace.id, held.id)
    now = gate.glance(platform, lambda c: reading.one(c, *where))
    if now is None or not inbox_view.sees(actor, now):
        view = inbox_view.read(_asked_from(request), "mine")
        return render.go(request, view.at(), tell=tell)
    given = await inbox_talk.headed(request, now)
    return render.page(request, "inbox/after.html", headers=render.said(tell), **given)


def _asked_from(request: Asked) -> dict[str, str]:
    """The query of the page that asks."""
    return dict(parse_qsl(urlsplit(request.headers.get("hx-current-url", "")).query))


@deed("/inbox/{public:str}/say", may="inbox.write")
async def say(request: Asked, public: FromPath[str]) -> Response[str]:
    """An answer, or a note; said again with the same id it is the same."""
    held, form = inbox_view.conversation(request, public), await forms.read(request)
    number, note = form.get("id", "").strip(), form.get("kind") == "note"
    copies = [] if note else _copies(request, held, form.get("cc", ""))
    said = Said(
        sender=talk.NOTE if note else talk.AGENT,
        text=form.get("text", "").replace("\r\n", "\n").strip("\n"),
        attachments=_attachments(form.get("attachments", "")),
        id=number or None,
        author=gate.actor_of(request).ref,
        detail={name: value for name, value in (("said", number), ("cc", copies)) if value},
    )
    call = shapes.call(request, source="conversation", conversation=held.id, said=said)
    outcome = await gate.one(gate.platform_of(request), call)
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    assert outcome.message is not None
    kept = outcome.message
    found = gate.glance(platform, lambda c: reading.message(c, workspace.id, kept))
    assert found is not None
    line = inbox_view.line(platform, workspace, found)
    return render.page(request, "inbox/message.html", line=line, public=public, name="")


def _copies(request: Asked, held: Conversation, text: str) -> list[str]:
    """Who is to get a copy: those whom the page showed beside the box that was ticked."""
    given = [each for each in text.split("\n") if each]
    return recipients.checked(gate.actor_of(request).workspace, held.channel, given)


def _attachments(text: str) -> tuple[Attachment, ...]:
    if not text:
        return ()
    try:
        return msgspec.json.decode(text, type=tuple[Attachment, ...])
    except msgspec.MsgspecError as error:
        raise Invalid.at("attachments", "These are no attachments") from error


@deed("/inbox/{public:str}/typing", may="inbox.write")
async def typing(request: Asked, public: FromPath[str]) -> Response[str]:
    """She types just now; the customer and who looks on see that."""
    held, actor = inbox_view.conversation(request, public), gate.actor_of(request)
    told = Typing(actor.workspace.id, held.id, actor.ref)
    gate.platform_of(request).exchange.types(told)
    return Response("", status_code=204)


@deed("/inbox/{public:str}/take", may="inbox.write")
async def take(request: Asked, public: FromPath[str]) -> Response[str]:
    """It is hers, unless somebody was quicker; from the bot it is taken over."""
    mine = Deed(action="assign", assignee=inbox_view.me(request), if_free=True)
    return await _do(request, public, mine, "It is yours")


@deed("/inbox/{public:str}/assign", may="inbox.write")
async def assign(request: Asked, public: FromPath[str]) -> Response[str]:
    """To an agent, to a group, or to whoever is free."""
    kind, _, number = (await forms.read(request)).get("to", "").partition(":")
    chosen = forms.number(number)
    if kind == "member" and chosen is not None:
        wanted = Deed(action="assign", assignee=chosen)
        name = inbox_view.member_name(gate.platform_of(request), chosen)
        return await _do(request, public, wanted, f"Given to {name}")
    if kind == "group" and chosen is not None:
        return await _do(request, public, Deed(action="assign", group=chosen), "Passed on")
    if kind == "anybody":
        return await _do(request, public, Deed(action="assign"), "Given to whoever is free")
    raise Invalid.at("to", "Choose who gets it")


@deed("/inbox/{public:str}/bot", may="inbox.write")
async def give_back(request: Asked, public: FromPath[str]) -> Response[str]:
    """Back to the bot."""
    return await _do(request, public, Deed(action="bot"), "Given back to the bot")


@deed("/inbox/{public:str}/resolve", may="inbox.write")
async def resolve(request: Asked, public: FromPath[str]) -> Response[str]:
    """It has ended, why, and with which tags."""
    form = await forms.read(request)
    reason, tags = form.get("reason", "").strip(), _tags(form.get("tags", ""))
    wanted = Deed(action="resolve", reason=reason, add_tags=tags)
    return await _do(request, public, wanted, "Resolved")


def _tags(text: str) -> tuple[str, ...]:
    return tuple(tag.strip() for tag in text.split(",") if tag.strip())


@deed("/inbox/{public:str}/reopen", may="inbox.write")
async def reopen(request: Asked, public: FromPath[str]) -> Response[str]:
    """It has not ended."""
    return await _do(request, public, Deed(action="reopen"), "Opened again")


@deed("/inbox/{public:str}/state", may="inbox.write")
async def state(request: Asked, public: FromPath[str]) -> Response[str]:
    """A ticket goes from state to state."""
    wanted = (await forms.read(request)).get("state", "")
    said = inbox_view.STATES.get(wanted, wanted)
    return await _do(request, public, Deed(action="state", state=wanted), said)


@deed("/inbox/{public:str}/edit", may="inbox.write")
async def edit(request: Asked, public: FromPath[str]) -> Response[str]:
    """Subject, priority and tags."""
    form = await forms.read(request)
    given: dict[str, Any] = {}
    if "subject" in form:
        given["subject"] = form["subject"].strip()
    if "priority" in form:
        given["priority"] = form["priority"]
    wanted = Deed(
        action="edit",
        add_tags=_tags(form.get("add", "")),
        remove_tags=tuple(tag for tag in [form.get("remove", "")] if tag),
        **given,
    )
    return await _do(request, public, wanted, "Saved")


@shown("/inbox/{public:str}/canned", may="inbox.write")
async def offered(request: Asked, public: FromPath[str]) -> Response[str]:
    """Canned answers that a search finds, filled with what is known of the customer."""
    held, actor = inbox_view.conversation(request, public), gate.actor_of(request)
    platform = gate.platform_of(request)
    record = inbox_person.record_of(request, held)
    known = {} if record is None else {**record.properties, "userId": record.user_id}
    agent = inbox_view.member_name(platform, inbox_view.me(request))
    asked = request.query_params.get("q", "").strip().casefold()
    held_ones = await gate.read(platform, lambda c: canned.all_of(c, actor.workspace.id))
    found = [
        (each.name, canned.fill(each.text, known, agent))
        for each in held_ones
        if asked in f"{each.name}\n{each.text}".casefold()
    ]
    return render.page(
        request, "inbox/canned.html", found=found[:MOST_CANNED], asked=asked, any=bool(held_ones)
    )


@deed("/inbox/me", may="inbox.write")
async def be_there(request: Asked) -> Response[str]:
    """How she is there, and how many chats at once."""
    form, member = await forms.read(request), inbox_view.me(request)
    capacity = forms.number(form["capacity"]) if form.get("capacity") else None
    if form.get("capacity") and capacity is None:
        raise Invalid.at("capacity", "This must be a number of chats")
    availability = form.get("availability") or None
    await gate.change(
        request,
        lambda c: managing.set_agent(c, member, availability=availability, capacity=capacity),
    )
    agent = gate.actor_of(request).workspace.desk.agents[member]
    said = f"{inbox_view.AVAILABILITY[agent.availability]}, {agent.capacity} at once"
    return Response("", status_code=200, headers={**render.HEADERS, **render.said(said)})


ROUTES: list[HTTPRouteHandler] = [
    say,
    typing,
    take,
    assign,
    give_back,
    resolve,
    reopen,
    state,
    edit,
    offered,
    be_there,
]
