"""Oneself: the name, the password, where one is signed in, dark or light."""

from __future__ import annotations

import asyncio

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360.access import members, passwords, signing
from user360.access.members import Member
from user360.access.signing import SignIn
from user360.doors import gate
from user360.doors.api import team
from user360.errors import Invalid, NotFound
from user360.pages import forms, render, route, sign_in, words
from user360.pages.render import Asked

# Everybody who is signed in may do what is about themselves.
EVERYBODY = "workspace.read"


def _me(request: Asked) -> tuple[Member, SignIn]:
    """Who asks, and the session in which they do."""
    found = gate.actor_of(request).sign_in
    assert found is not None  # the guard of pages lets nobody else in
    return gate.platform_of(request).members[found.member], found


@route.shown("/me", may=EVERYBODY)
async def shown(request: Asked) -> Response[str]:
    """What is known of oneself, and all one's sessions, the newest first."""
    platform, (member, here) = gate.platform_of(request), _me(request)
    now = platform.clock.now()
    mine = [s for s in platform.sign_ins.values() if s.member == member.id and s.until > now]
    sessions = [
        (each, words.browser(each.agent), platform.workspaces[each.workspace].name)
        for each in sorted(mine, key=lambda each: (each.id != here.id, -each.created_at))
    ]
    return render.page(
        request, "me/me.html", sessions=sessions, here=here.id, shortest=passwords.SHORTEST
    )


@route.deed("/me/name", may=EVERYBODY)
async def rename(request: Asked) -> Response[str]:
    """How one is called from now on."""
    name, (member, _) = (await forms.read(request)).get("name", ""), _me(request)
    await team.change(request, lambda c: members.rename(c, member.id, name))
    return render.go(request, "/me", tell="Saved")


@route.deed("/me/password", may=EVERYBODY)
async def change_password(request: Asked) -> Response[str]:
    """Another password for who knows the old one; all other sessions end."""
    form, (member, here) = await forms.read(request), _me(request)
    attempts: signing.Attempts = request.app.state.attempts
    attempts.check(member.email, sign_in.place_of(request))
    fits = await asyncio.to_thread(passwords.fits, member.password, form.get("old", ""))
    if not fits:
        attempts.failed(member.email, sign_in.place_of(request))
        raise Invalid.at("old", "This is not your password")
    new = form.get("password", "")
    await team.change(request, lambda c: members.set_password(c, member.id, new))
    answer = await sign_in.let_in(request, member.id, here.workspace, "/me")
    answer.set_cookie("said", "Your%20password%20is%20changed", max_age=20, samesite="lax")
    return answer


@route.deed("/me/sessions/{session_id:int}/end", may=EVERYBODY)
async def end(request: Asked, session_id: FromPath[int]) -> Response[str]:
    """End one session of one's own."""
    platform, (member, here) = gate.platform_of(request), _me(request)
    if not await gate.write(platform, lambda c: signing.end(c, member.id, session_id)):
        raise NotFound("This session has ended already")
    await asyncio.to_thread(platform.reload_members)
    where = "/sign-in" if session_id == here.id else "/me"
    return render.go(request, where, tell="That session has ended")


@route.deed("/me/sessions/end-others", may=EVERYBODY)
async def end_others(request: Asked) -> Response[str]:
    """End all sessions of one's own but this one."""
    platform, (member, here) = gate.platform_of(request), _me(request)
    others = [s.id for s in platform.sign_ins.values() if s.member == member.id and s.id != here.id]
    await gate.write(platform, lambda c: [signing.end(c, member.id, each) for each in others])
    await asyncio.to_thread(platform.reload_members)
    return render.go(request, "/me", tell="You are signed in here alone")


ROUTES: list[HTTPRouteHandler] = [shown, rename, change_password, end_others, end]
