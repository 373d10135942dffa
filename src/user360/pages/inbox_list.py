"""The lists of the inbox: how many stand in each, one page of one, and what it is filtered by."""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from user360.conversations import counting, reading, searching
from user360.conversations import store as kept
from user360.conversations.reading import Page, Place
from user360.conversations.talk import Conversation
from user360.doors import gate
from user360.doors.api import spoken
from user360.errors import Invalid, InvalidCondition, NotFound
from user360.inbox.finding import Sought
from user360.pages import forms, inbox_view, render, users_view
from user360.pages.builder import routes as builder_routes
from user360.pages.builder import view as builder
from user360.pages.inbox_view import Row, View
from user360.pages.render import Asked
from user360.pages.route import deed, shown
from user360.storage.ledger import Connection

AT_ONCE = 50
NOBODY: list[Row] = []


class Colleague(NamedTuple):
    """Somebody who answers, as they are chosen from a list."""

    number: int
    name: str
    availability: str
    load: int
    capacity: int


async def given(request: Asked, view: View) -> dict[str, Any]:
    """What the lists show: their counts, one page, and what can be filtered by."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    held = await gate.read(platform, lambda c: counting.tally(c, actor.workspace.id))
    counts = held.counts(inbox_view.me(request), inbox_view.scope_of(actor))
    return {
        "lists": inbox_view.LISTS,
        "counts": {name: f"{count:,}" for name, count in counts.items()},
        "channels": {
            name: inbox_view.CHANNELS.get(name, name)
            for name in dict.fromkeys((*inbox_view.CHANNELS, *actor.workspace.desk.channels))
        },
        "groups": groups(request),
        "segments_all": sorted(
            (s.name, s.id) for s in actor.workspace.segments.values() if s.archived_at is None
        ),
        "says": await _says(request, view),
        "whole": searching.whole(view.q),
        **await rows(request, view),
    }


async def _says(request: Asked, view: View) -> str:
    """The filter by what is known of people, in English; nothing for one that is damaged."""
    with contextlib.suppress(InvalidCondition):
        if view.where:
            those = await users_view.whom(request, users_view.View(where=view.where))
            return users_view.says(request, those.node)
    return ""


def groups(request: Asked) -> list[tuple[int, str]]:
    """The groups of agents by number and name."""
    held = gate.actor_of(request).workspace.desk.groups.values()
    return sorted(((g.id, g.name) for g in held), key=lambda each: each[1].lower())


def agents(request: Asked) -> list[Colleague]:
    """Everybody who may answer: those who are there first."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    loads = gate.glance(platform, lambda c: kept.loads(c, workspace.id))
    found = [
        Colleague(
            number,
            inbox_view.member_name(platform, number),
            agent.availability,
            loads.get(number, 0),
            agent.capacity,
        )
        for number, agent in workspace.desk.agents.items()
        if number in platform.members
    ]
    order = ("available", "busy", "away")
    return sorted(found, key=lambda each: (order.index(each.availability), each.name.lower()))


async def rows(request: Asked, view: View, after: Place | None = None) -> dict[str, Any]:
    """One page of a list; `trouble` says why there is none."""
    trouble, found = "", Page([], None)
    try:
        found = await _found(request, view, after)
    except (Invalid, InvalidCondition, NotFound) as problem:
        trouble = problem.detail
    shown_ones = await _rows(request, found.conversations)
    place = f"{found.after.updated_at}-{found.after.id}" if found.after else ""
    return {"rows": shown_ones, "after": place, "trouble": trouble, "view": view}


async def _found(request: Asked, view: View, after: Place | None) -> Page:
    wanted = msgspec.structs.replace(
        reading.lists(inbox_view.me(request))[view.list],
        scope=inbox_view.scope_of(gate.actor_of(request)),
        channel=view.channel,
        tag=view.tag,
        group=int(view.group) if view.group else None,
    )
    those = await users_view.whom(request, users_view.View(segment=view.segment, where=view.where))
    sought = Sought(wanted=wanted, text=view.q, whose=those.node)
    found = await spoken.found(request, sought, those.segment, AT_ONCE, after)
    return found.page


async def _rows(request: Asked, held: list[Conversation]) -> list[Row]:
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace

    def ask(connection: Connection) -> list[Row]:
        numbers = {each.record for each in held}
        found = inbox_view.living(connection, platform.ledger.dialect, workspace, numbers)
        return [inbox_view.row(platform, workspace, each, found.get(each.record)) for each in held]

    return await gate.read(platform, ask) if held else NOBODY


@shown("/inbox/rows", may="inbox.read")
async def listing(request: Asked) -> Response[str]:
    """A list, or the next page of it."""
    view = inbox_view.view_of(request)
    after = _place(request.query_params.get("after", ""))
    if after is not None:
        return render.page(request, "inbox/more.html", **await rows(request, view, after))
    return render.page(request, "inbox/lists.html", **await given(request, view))


def _place(text: str) -> Place | None:
    at, number = (forms.number(part) for part in (*text.split("-", 1), "")[:2])
    return None if at is None or number is None else Place(at, number)


@shown("/inbox/filter", may="records.read")
async def filtering(request: Asked) -> Response[str]:
    """The builder with the filter of an address in it; one that is damaged begins anew."""
    where = None
    with contextlib.suppress(InvalidCondition):
        where = users_view.condition(request.query_params.get("where", ""))
    built = builder.view(gate.actor_of(request).workspace, where)
    here = request.query_params.get("here", "")
    return render.page(request, "inbox/filter.html", here=here, builder=built)


@deed("/inbox/filter", may="records.read")
async def filtered(request: Asked) -> Response[str]:
    """On at the conversations of those whom the filter leaves. Raises `Invalid`."""
    pairs = await builder_routes.pairs(request)
    where = builder.submitted(gate.actor_of(request).workspace, pairs)
    text = "" if where is None else msgspec.json.encode(where).decode()
    here = dict(parse_qsl(urlsplit(dict(pairs).get("here", "")).query))
    return render.go(request, inbox_view.read(here, "active").at(where=text))


ROUTES: list[HTTPRouteHandler] = [listing, filtering, filtered]
