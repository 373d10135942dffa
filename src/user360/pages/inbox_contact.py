"""View contact: all that is known of the customer, to be edited at once."""

from __future__ import annotations

from typing import Any, NamedTuple

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360 import clock, ids
from user360.conversations.talk import Conversation
from user360.doors import gate
from user360.doors.api import shapes
from user360.doors.api.shapes import Record
from user360.pages import (
    card_fields,
    card_page,
    forms,
    inbox_person,
    inbox_view,
    render,
    words,
)
from user360.pages.card_fields import Field
from user360.pages.card_page import Row
from user360.pages.render import Asked
from user360.pages.route import deed, shown

OTHERWISE = ("userId", "tags")  # what is written by other means
SEEN = "seen."  # before the name of the field that keeps what was there


class Line(NamedTuple):
    """One property: its field, and where its value came from."""

    row: Row
    field: Field
    origin: str


@shown("/inbox/{public:str}/contact", may="inbox.read")
async def contact(request: Asked, public: FromPath[str]) -> Response[str]:
    """Every property with where it came from, tags, and merges."""
    held = inbox_view.conversation(request, public)
    return await _told(request, held, inbox_person.living(request, held))


async def _told(request: Asked, held: Conversation, record: Record, **more: Any) -> Response[str]:
    workspace = gate.actor_of(request).workspace
    identity = await card_page.identity(request, record)
    lines = [
        Line(
            row,
            card_fields.field(row.declared, row.value, workspace.zone),
            said_here(held, row, workspace.zone) or row.origin,
        )
        for row in await card_page.properties(request, record)
    ]
    return card_page.part(
        request,
        "inbox/contact.html",
        record,
        held=held,
        public=ids.public_conversation_id(held.id),
        lines=lines,
        choices=card_fields.CHOICES,
        merges=identity["merges"],
        seen_prefix=SEEN,
        **{"after": None, "headers": {}, **more},
    )


def said_here(held: Conversation, row: Row, zone: Any) -> str:
    """`said in this chat, 10:42` of a value that came with one of its messages; else nothing."""
    found = row.found
    if found is None or found.source != "conversation" or found.merge_id is not None:
        return ""
    at = clock.to_us(words.moment(found.at))
    here = found.ref == f"session:{held.channel}/{held.session}"
    asked = found.ref.startswith("flow:")
    begun, last = held.created_at - clock.SECOND, held.updated_at + clock.SECOND
    if not (here or asked) or not begun <= at <= last:
        return ""
    local = clock.to_datetime(at).astimezone(zone)
    return f"said in this {held.kind}, {local:%H:%M}"


@deed("/inbox/{public:str}/contact", may="records.write")
async def save(request: Asked, public: FromPath[str]) -> Response[str]:
    """Write all that was changed, in one call; nothing when one of it is wrong."""
    held, form = inbox_view.conversation(request, public), await forms.read(request)
    record = inbox_person.living(request, held)
    number = card_page.number_of(request, record.id)
    changed = {}
    for declared in gate.actor_of(request).workspace.catalogue:
        if declared.name in OTHERWISE:
            continue
        given, seen = (_text(form, name) for name in (declared.name, SEEN + declared.name))
        if given is not None and given != (seen or ""):
            changed[declared.name] = card_fields.sent(declared, given)
    add = [tag.strip() for tag in form.get("tags", "").split(",") if tag.strip()]
    remove = [tag for tag in record.tags if form.get(f"untag.{tag}") == "yes"]
    if changed or add or remove:
        call = shapes.call(
            request,
            record=number,
            properties=changed,
            add_tags=tuple(add),
            remove_tags=tuple(remove),
        )
        await gate.one(gate.platform_of(request), call)
    tell = "Saved" if changed or add or remove else "Nothing was changed"
    living = shapes.record(request, number)
    return await _told(
        request,
        held,
        living,
        after=await inbox_person.given(request, held),
        headers=render.said(tell),
    )


def _text(form: dict[str, str], name: str) -> str | None:
    given = form.get(name)
    return None if given is None else given.replace("\r\n", "\n")


ROUTES: list[HTTPRouteHandler] = [contact, save]
