"""Answering by a template: which there are, what they say, and sending one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360 import ids
from user360.channels.whatsapp import templates
from user360.channels.whatsapp.templates import Chosen, Template
from user360.conversations import canned, talk
from user360.conversations.talk import Conversation, Said
from user360.doors import gate
from user360.doors.api import shapes
from user360.errors import Invalid, NotFound
from user360.pages import forms, inbox_deeds, inbox_person, inbox_view, render
from user360.pages.render import Asked
from user360.pages.route import deed, shown

FIELD = "template.parameters."


@shown("/inbox/{public:str}/template", may="inbox.write")
async def choose(request: Asked, public: FromPath[str]) -> Response[str]:
    """The templates to choose from, with the places of the one that is chosen."""
    held = inbox_view.conversation(request, public)
    there = _there(request, held)
    chosen = _chosen(there, request.query_params)
    return render.page(
        request,
        "inbox/template.html",
        public=public,
        there=there,
        chosen=chosen,
        fields=[(f"{FIELD}{i}", name) for i, name in enumerate(chosen.places)],
        id=ids.new_id(),
        **_previewed(request, held, chosen, request.query_params),
    )


@shown("/inbox/{public:str}/template/preview", may="inbox.write")
async def preview(request: Asked, public: FromPath[str]) -> Response[str]:
    """What the customer would read, as far as the places are filled in."""
    held = inbox_view.conversation(request, public)
    given = request.query_params
    told = _previewed(request, held, _chosen(_there(request, held), given), given)
    return render.page(request, "inbox/template_preview.html", **told)


@deed("/inbox/{public:str}/template", may="inbox.write")
async def send(request: Asked, public: FromPath[str]) -> Response[str]:
    """Say it; what is wrong is told at its place."""
    held, form = inbox_view.conversation(request, public), await forms.read(request)
    chosen = _chosen(_there(request, held), form)
    filled = _filled(request, held, chosen, _values(chosen, form))
    number = form.get("id", "").strip()
    said = Said(
        sender=talk.AGENT,
        text=filled.text,
        id=number or None,
        author=gate.actor_of(request).ref,
        detail={**filled.detail, "said": number},
    )
    call = shapes.call(request, source="conversation", conversation=held.id, said=said)
    await gate.one(gate.platform_of(request), call)
    return await inbox_deeds.after(request, held, "Sent")


def _there(request: Asked, held: Conversation) -> list[Template]:
    """The templates by which this conversation can be answered. Raises `NotFound`."""
    found = templates.of(gate.actor_of(request).workspace)
    if held.channel != templates.CHANNEL or not found:
        raise NotFound("There are no templates for this conversation")
    return sorted(found, key=lambda each: (each.name, each.language))


def _chosen(there: list[Template], given: Mapping[str, str]) -> Template:
    wanted = given.get("template.name", "")
    found = [each for each in there if each.label == wanted]
    if wanted and not found:
        raise Invalid.at("template.name", "There is no such template any more")
    return found[0] if found else there[0]


def _values(chosen: Template, given: Mapping[str, str]) -> list[str]:
    return [given.get(f"{FIELD}{i}", "") for i in range(len(chosen.places))]


def _filled(
    request: Asked, held: Conversation, chosen: Template, values: list[str]
) -> templates.Filled:
    known, agent = _known(request, held)
    asked = Chosen(chosen.name, chosen.language, values)
    return templates.fill(gate.actor_of(request).workspace, held.channel, asked, known, agent)


def _known(request: Asked, held: Conversation) -> tuple[dict[str, Any], str]:
    """What places are filled with: what is known of the customer, and who answers."""
    record = inbox_person.record_of(request, held)
    known = {} if record is None else {**record.properties, "userId": record.user_id}
    return known, inbox_view.member_name(gate.platform_of(request), inbox_view.me(request))


def _previewed(
    request: Asked, held: Conversation, chosen: Template, given: Mapping[str, str]
) -> dict[str, Any]:
    """What is shown of it; with places that are not filled in yet as they stand."""
    known, agent = _known(request, held)
    values = [canned.fill(value, known, agent) for value in _values(chosen, given)]
    return {"text": templates.words(chosen, values), "buttons": chosen.buttons}


ROUTES: list[HTTPRouteHandler] = [preview, choose, send]
