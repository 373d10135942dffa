"""Coming in and going out: the first member, signing in, a link of an invitation, signing out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from litestar import MediaType, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360.access import keys, members, passwords, signing
from user360.access.members import Member
from user360.doors import gate
from user360.errors import Forbidden, Invalid, NotFound, Unauthenticated
from user360.pages import forms, navigation, render
from user360.pages.render import Asked
from user360.platform import Platform

HOME = navigation.USERS


def _open(path: str) -> Callable[[Any], HTTPRouteHandler]:
    """A page for whoever comes, without a session."""
    return get(path, media_type=MediaType.HTML, include_in_schema=False)


def _sent(path: str) -> Callable[[Any], HTTPRouteHandler]:
    """What such a page sends; only from a page of this server."""
    return post(path, media_type=MediaType.HTML, status_code=200, include_in_schema=False)


async def _form(request: Asked) -> dict[str, str]:
    """The fields of a form. Raises `Forbidden` when the page of another site sends it."""
    origin = request.headers.get("origin")
    if origin and urlsplit(origin).netloc != request.headers.get("host"):
        raise Forbidden("Another site may not sign anybody in")
    return await forms.read(request)


@_open("/")
async def root(request: Asked) -> Response[str]:
    """The users; for a stranger the way in."""
    actor = gate.signed_in(request)
    if actor is not None:
        return render.go(request, navigation.home(actor.role))
    return render.go(request, "/sign-in" if gate.platform_of(request).members else "/welcome")


@_open("/welcome")
async def welcome(request: Asked) -> Response[str]:
    """Making the first member; afterwards the way in is the sign-in."""
    if gate.platform_of(request).members:
        return render.go(request, "/sign-in")
    return render.page(request, "welcome.html", shortest=passwords.SHORTEST)


@_sent("/welcome")
async def make_first(request: Asked) -> Response[str]:
    """The first member proves with an admin key that they run this server."""
    platform, form = gate.platform_of(request), await _form(request)
    attempts: signing.Attempts = request.app.state.attempts
    attempts.check("", place_of(request))
    key = platform.keys.get(keys.fingerprint(form.get("key", "").strip()))
    if key is None or key.role != "admin":
        attempts.failed("", place_of(request))
        raise Invalid.at("key", "This is no admin key of this server; its first start printed one")
    workspace = platform.workspaces[key.workspace]

    def job(connection: Any) -> int:
        change = platform.change(connection, workspace, f"key:{key.id}")
        given = (form.get("email", ""), form.get("name", ""), form.get("password", ""))
        return members.first(change, *given)

    number = await gate.write(platform, job)
    return await let_in(request, number, workspace.id, HOME)


@_open("/sign-in")
async def sign_in(request: Asked) -> Response[str]:
    """Signing in, and going on where one wanted to go."""
    if not gate.platform_of(request).members:
        return render.go(request, "/welcome")
    where = _own(request.query_params.get("next", HOME))
    if gate.signed_in(request) is not None:
        return render.go(request, where)
    return render.page(request, "sign_in.html", next=where)


class WrongSignIn(Unauthenticated):
    """E-mail and password do not go together."""


@_sent("/sign-in")
async def begin(request: Asked) -> Response[str]:
    """One answer for an unknown address and a wrong password, which takes equally long."""
    platform, form = gate.platform_of(request), await _form(request)
    attempts: signing.Attempts = request.app.state.attempts
    address = form.get("email", "").strip().lower()
    attempts.check(address, place_of(request))
    member = next((m for m in platform.members.values() if m.email == address), None)
    kept = None if member is None else member.password
    fits = await asyncio.to_thread(passwords.fits, kept, form.get("password", ""))
    if member is None or not fits:
        attempts.failed(address, place_of(request))
        raise WrongSignIn("E-mail and password do not go together")
    return await let_in(request, member.id, min(member.roles), _own(form.get("next", HOME)))


@_open("/join/{secret:str}")
async def join(request: Asked, secret: FromPath[str]) -> Response[str]:
    """Choosing a password by a link."""
    member = _invited(request, secret)
    return render.page(request, "join.html", member=member, shortest=passwords.SHORTEST)


@_sent("/join/{secret:str}")
async def choose(request: Asked, secret: FromPath[str]) -> Response[str]:
    """The password chosen, and signed in with it."""
    platform, form = gate.platform_of(request), await _form(request)
    member = _invited(request, secret)
    workspace = platform.workspaces[min(member.roles)]
    await gate.write(
        platform,
        lambda c: members.join(
            platform.change(c, workspace, member.ref), secret, form.get("password", "")
        ),
    )
    return await let_in(request, member.id, workspace.id, HOME)


def _invited(request: Asked, secret: str) -> Member:
    """Whose link this is. Raises `NotFound` when it is not good."""
    platform = gate.platform_of(request)
    number = gate.glance(platform, lambda c: members.by_link(c, secret, platform.clock.now()))
    if number is None:
        raise NotFound("This link was used or is too old; ask for another one")
    return platform.members[number]


@_sent("/sign-out")
async def sign_out(request: Asked) -> Response[str]:
    """The session ends here and on disk."""
    actor, platform = gate.signed_in(request), gate.platform_of(request)
    if actor is not None and actor.sign_in is not None:
        gate.refuse_forged(actor, request.headers.get(gate.CSRF))
        found = actor.sign_in
        await gate.write(platform, lambda c: signing.end(c, found.member, found.id))
        await asyncio.to_thread(platform.reload_members)
    answer = render.go(request, "/sign-in")
    answer.delete_cookie(gate.COOKIE)
    return answer


@_sent("/workspace")
async def choose_workspace(request: Asked) -> Response[str]:
    """Look into another workspace that one is a member of."""
    actor, platform = gate.signed_in(request), gate.platform_of(request)
    if actor is None or actor.sign_in is None:
        return render.go(request, "/sign-in")
    gate.refuse_forged(actor, request.headers.get(gate.CSRF))
    found, form = actor.sign_in, await _form(request)
    chosen = platform.workspace(form.get("workspace", ""))
    if chosen.id not in platform.members[found.member].roles:
        raise NotFound("There is no such workspace")
    await gate.write(platform, lambda c: signing.look_into(c, found.id, chosen.id))
    await asyncio.to_thread(platform.reload_members)
    return render.go(request, HOME)


async def let_in(request: Asked, member: int, workspace: int, where: str) -> Response[str]:
    """Begin a session of a member, and go on."""
    platform: Platform = gate.platform_of(request)
    agent, now = request.headers.get("user-agent", ""), platform.now()
    secret = await gate.write(platform, lambda c: signing.begin(c, member, workspace, agent, now))
    await asyncio.to_thread(platform.reload_members)
    if where == HOME:  # known only now, when they are somebody new
        where = navigation.home(platform.members[member].roles[workspace])
    answer = render.go(request, where)
    answer.set_cookie(
        gate.COOKIE,
        secret,
        max_age=signing.LASTS // 1_000_000,
        httponly=True,
        samesite="lax",
        secure=_secure(request),
    )
    return answer


def _secure(request: Asked) -> bool:
    """Whether the browser came by TLS, to us or to whoever stands before us."""
    forwarded: str = request.headers.get("x-forwarded-proto", request.url.scheme)
    return forwarded.partition(",")[0].strip() == "https"


def place_of(request: Asked) -> str:
    """Where a request comes from, as far as attempts are counted."""
    return request.client.host if request.client else ""


def _own(where: str) -> str:
    """An address of this server to go on at; nobody is led to another site."""
    fine = where.startswith("/") and not where.startswith(("//", "/\\")) and "\\" not in where
    return where if fine and where.isprintable() else HOME


ROUTES: list[HTTPRouteHandler] = [
    root,
    welcome,
    make_first,
    sign_in,
    begin,
    join,
    choose,
    sign_out,
    choose_workspace,
]
