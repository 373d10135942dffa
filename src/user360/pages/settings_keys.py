"""API keys: who calls, in which role, and the lines that send with a key."""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360.access import roles
from user360.doors.api import workspace as api
from user360.doors.segment import source
from user360.errors import Invalid
from user360.pages import forms, render, route, snippets
from user360.pages.render import Asked

LONGEST_NAME = 200
MEANING = {
    "ingest": "sends events and traits, reads nothing; for websites and apps",
    "reader": "reads everything, changes nothing",
    "supervisor": "as an agent, and sees all conversations of their groups",
    "agent": "reads, changes single records, and answers conversations",
    "editor": "everything but settings, members and keys",
    "admin": "everything",
}


def address(request: Asked) -> str:
    """Where this server is, as the one who asks sees it."""
    return f"{source.scheme_of(request)}://{source.host_of(request)}"


async def _page(request: Asked, template: str, **given: Any) -> Response[str]:
    """The keys, newest first, and the snippets with a key that was just made."""
    made: str = given.get("made", "")
    found = sorted(await api.keys_of(request), key=lambda key: -key.id)
    chosen = request.query_params.get("for", "curl")
    known = [each.name for each in snippets.ALL]
    return render.page(
        request,
        template,
        keys=found,
        meaning=MEANING,
        snippets=snippets.filled(address(request), made or snippets.KEY),
        chosen=chosen if chosen in known else known[0],
        **{"made": "", **given},
    )


@route.shown("/settings/keys", may="keys")
async def listing(request: Asked) -> Response[str]:
    """All keys, and how to send with one."""
    return await _page(request, "settings/keys.html")


@route.deed("/settings/keys", may="keys")
async def create(request: Asked) -> Response[str]:
    """Make a key; it is shown this once, also in the snippets."""
    form = await forms.read(request)
    name, role = form.get("name", "").strip(), form.get("role", "")
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid.at("name", f"A name has 1 to {LONGEST_NAME} characters")
    if role not in roles.ALL:
        raise Invalid.at("role", "Choose a role")
    key, text, _ = await api.make_key(request, name, role)
    return await _page(request, "settings/keys_part.html", made=text, key=key)


@route.deed("/settings/keys/{key_id:int}/revoke", may="keys")
async def revoke(request: Asked, key_id: FromPath[int]) -> Response[str]:
    """End a key at once."""
    await api.revoke_key(request, key_id)
    return render.go(request, "/settings/keys", tell="Revoked; it opens nothing from now on")


ROUTES: list[HTTPRouteHandler] = [listing, create, revoke]
