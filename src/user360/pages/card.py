"""One person: who they are, what happened lately, which groups, and why."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from user360.doors import gate
from user360.doors.api import members, why
from user360.errors import NotFound
from user360.identity import history as told
from user360.pages import card_deeds, card_fields, card_page, card_words, render
from user360.pages.card_page import View
from user360.pages.render import Asked
from user360.pages.route import shown
from user360.records import suggested
from user360.records.properties import Property

CHANGES = 30  # of one property that are shown at once


@shown("/users/{record_id:str}", may="records.read")
async def card(request: Asked, record_id: FromPath[str]) -> Response[str]:
    """The card, or the panel of it that the page changes; a merged record's id goes on."""
    _, record = card_page.living(request, record_id)
    query = request.url.query
    if record.id != record_id:
        return render.go(request, f"/users/{record.id}" + (f"?{query}" if query else ""))
    view = View.of(query)
    if render.from_htmx(request):
        given = await card_page.panel(request, record, view)
        return card_page.part(request, "card/panel.html", record, **given)
    return render.page(request, "card/card.html", **await card_page.whole(request, record, view))


@shown("/users/{record_id:str}/more", may="records.read")
async def more(request: Asked, record_id: FromPath[str]) -> Response[str]:
    """The next page of the timeline."""
    _, record = card_page.living(request, record_id)
    given = await card_page.events(request, record, View.of(request.url.query))
    return card_page.part(request, "card/events.html", record, **given)


@shown("/users/{record_id:str}/segments", may="segments.read")
async def segments(
    request: Asked, record_id: FromPath[str], seq: FromQuery[int] = 0
) -> Response[str]:
    """The segments once they are right at a position that was written before."""
    platform = gate.platform_of(request)
    number, record = card_page.living(request, record_id)
    await asyncio.to_thread(platform.keeper.settle, min(seq, platform.committer.position.last))
    found = await card_page.segments(request, number)
    return card_page.part(
        request,
        "card/segments.html",
        record,
        segments=found,
        others=card_page.others(request, found),
        pending=0,
    )


@shown("/users/{record_id:str}/tags", may="records.write")
async def tags(request: Asked, record_id: FromPath[str], add: FromQuery[str] = "") -> Response[str]:
    """The tags that others have, to choose from while one is written."""
    workspace = gate.actor_of(request).workspace
    _, record = card_page.living(request, record_id)
    declared = _declared(request, "tags")
    found = await gate.ask(
        request, lambda w: suggested.values(w, workspace.id, declared, add.strip())
    )
    known = [tag for tag, _ in found if tag not in record.tags]
    return render.page(request, "card/known_tags.html", known=known)


@shown("/users/{record_id:str}/why", may="segments.read")
async def why_chosen(
    request: Asked, record_id: FromPath[str], segment: FromQuery[int]
) -> Response[str]:
    """Why somebody is in a segment or not, chosen from a list."""
    return await _why(request, record_id, segment)


@shown("/users/{record_id:str}/why/{segment_id:int}", may="segments.read")
async def why_in(
    request: Asked, record_id: FromPath[str], segment_id: FromPath[int]
) -> Response[str]:
    """Why somebody is in a segment or not: each condition, and what decided it."""
    return await _why(request, record_id, segment_id)


async def _why(request: Asked, record_id: str, segment_id: int) -> Response[str]:
    number, record = card_page.living(request, record_id)
    segment = await members.one(request, segment_id)
    found = await why.told(request, number, segment)
    platform = gate.platform_of(request)
    return card_page.part(
        request,
        "card/why.html" if render.from_htmx(request) else "card/why_page.html",
        record,
        segment=segment,
        found=found,
        kind_of=card_words.kind_of,
        origin=lambda source: card_words.origin(platform, source),
        address=lambda *given: card_words.timeline_address(record.id, *given),
    )


def _declared(request: Asked, name: str) -> Property:
    found = gate.actor_of(request).workspace.catalogue.get(name)
    if found is None:
        raise NotFound("There is no property of this name")
    return found


@shown("/users/{record_id:str}/properties/{name:str}", may="records.read")
async def property_row(
    request: Asked, record_id: FromPath[str], name: FromPath[str]
) -> Response[str]:
    """One property as it is, after its editing was given up."""
    _, record = card_page.living(request, record_id)
    _declared(request, name)
    (row,) = [r for r in await card_page.properties(request, record) if r.declared.name == name]
    return card_page.part(request, "card/property.html", record, row=row, focus=name)


@shown("/users/{record_id:str}/properties/{name:str}/edit", may="records.write")
async def property_edit(
    request: Asked, record_id: FromPath[str], name: FromPath[str]
) -> Response[str]:
    """The field in which a property is edited."""
    _, record = card_page.living(request, record_id)
    declared = _declared(request, name)
    zone = gate.actor_of(request).workspace.zone
    field = card_fields.field(declared, record.properties.get(name), zone)
    given = {"declared": declared, "field": field, "choices": card_fields.CHOICES}
    return card_page.part(request, "card/edit.html", record, **given)


@shown("/users/{record_id:str}/properties/{name:str}/history", may="records.read")
async def property_history(
    request: Asked,
    record_id: FromPath[str],
    name: FromPath[str],
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """What a property was before, and who or what changed it."""
    number, record = card_page.living(request, record_id)
    workspace, declared = gate.actor_of(request).workspace, _declared(request, name)
    changes, following = await gate.ask(
        request, lambda w: told.changes(w, workspace.id, number, CHANGES, cursor, name)
    )
    given: dict[str, Any] = {"declared": declared, "changes": changes, "following": following}
    return card_page.part(request, "card/history.html", record, **given, doors=card_words.DOORS)


ROUTES: list[HTTPRouteHandler] = [
    card,
    more,
    segments,
    tags,
    why_chosen,
    why_in,
    property_row,
    property_edit,
    property_history,
    *card_deeds.ROUTES,
]
