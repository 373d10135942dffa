"""The inbox: the lists, the conversation that is open, and the customer beside it."""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360.conversations.talk import Conversation
from user360.doors import gate
from user360.pages import (
    inbox_contact,
    inbox_deeds,
    inbox_list,
    inbox_live,
    inbox_person,
    inbox_talk,
    inbox_templates,
    inbox_view,
    render,
)
from user360.pages.inbox_view import View
from user360.pages.render import Asked
from user360.pages.route import shown


@shown("/inbox", may="inbox.read")
async def listed(request: Asked) -> Response[str]:
    """The lists, with no conversation open."""
    return await _page(request, inbox_view.view_of(request), None)


@shown("/inbox/{public:str}", may="inbox.read")
async def opened(request: Asked, public: FromPath[str]) -> Response[str]:
    """A conversation, in the page or as the part of it that changes."""
    held, view = inbox_view.conversation(request, public), inbox_view.view_of(request)
    if not render.from_htmx(request):
        return await _page(request, view, held)
    given = await inbox_talk.talked(request, held)
    return render.page(request, "inbox/opened.html", view=view, **given)


async def _page(request: Asked, view: View, held: Conversation | None) -> Response[str]:
    seen = inbox_live.hub(request).room(gate.actor_of(request).workspace.id).seen
    given: dict[str, Any] = {"held": None, **await inbox_list.given(request, view)}
    if held is not None:
        given |= await inbox_talk.talked(request, held)
    return render.page(
        request,
        "inbox/inbox.html",
        seen=seen,
        availability=inbox_view.AVAILABILITY,
        agent=gate.actor_of(request).workspace.desk.agents.get(inbox_view.me(request)),
        **given,
    )


ROUTES: list[HTTPRouteHandler] = [
    listed,
    opened,
    *inbox_list.ROUTES,
    *inbox_talk.ROUTES,
    *inbox_person.ROUTES,
    *inbox_contact.ROUTES,
    *inbox_deeds.ROUTES,
    *inbox_templates.ROUTES,
    *inbox_live.ROUTES,
]
