"""Members: who signs in, in which role; inviting by a link, taking out."""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360.access import members, roles
from user360.doors import gate
from user360.doors.api import team
from user360.pages import forms, render, route, settings_keys
from user360.pages.render import Asked


def _page(request: Asked, template: str, **given: Any) -> Response[str]:
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    shown = [(member, member.roles[workspace.id]) for member in team.of_workspace(request)]
    more = {"link": "", "whose": "", "now": platform.clock.now(), **given}
    meaning = {role: settings_keys.MEANING[role] for role in roles.OF_PEOPLE}
    return render.page(request, template, members=shown, meaning=meaning, **more)


@route.shown("/settings/members", may="members")
async def listing(request: Asked) -> Response[str]:
    """Everybody who may sign in and look into this workspace."""
    return _page(request, "settings/members.html")


@route.deed("/settings/members", may="members")
async def invite(request: Asked) -> Response[str]:
    """Make somebody a member; the link that they need is shown this once."""
    form = await forms.read(request)
    given = (form.get("email", ""), form.get("name", ""), form.get("role", ""))
    (number, secret), _ = await team.change(request, lambda c: members.invite(c, *given))
    return _linked(request, number, secret)


@route.deed("/settings/members/{member_id:int}/link", may="members")
async def link(request: Asked, member_id: FromPath[int]) -> Response[str]:
    """Another link for somebody who lost theirs, or forgot the password."""
    secret, _ = await team.change(request, lambda c: members.link(c, member_id))
    return _linked(request, member_id, secret)


def _linked(request: Asked, number: int, secret: str) -> Response[str]:
    whose = gate.platform_of(request).members[number].name
    address = settings_keys.address(request) + team.path_of(secret) if secret else ""
    return _page(request, "settings/members_part.html", link=address, whose=whose)


@route.deed("/settings/members/{member_id:int}/role", may="members")
async def change_role(request: Asked, member_id: FromPath[int]) -> Response[str]:
    """Another role, from their next click on."""
    role = (await forms.read(request)).get("role", "")
    await team.change(request, lambda c: members.set_role(c, member_id, role))
    name = gate.platform_of(request).members[member_id].name
    return render.go(request, "/settings/members", tell=f"{name} is {role} now")


@route.deed("/settings/members/{member_id:int}/remove", may="members")
async def remove(request: Asked, member_id: FromPath[int]) -> Response[str]:
    """Take somebody out of the workspace; their sessions in it end."""
    await team.change(request, lambda c: members.remove(c, member_id))
    return render.go(request, "/settings/members", tell="Removed")


ROUTES: list[HTTPRouteHandler] = [listing, invite, link, change_role, remove]
