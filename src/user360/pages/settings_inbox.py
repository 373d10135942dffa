"""Settings of the inbox: how conversations are given out, who answers, and canned answers."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360.conversations import canned, managing
from user360.conversations.desk import Hours
from user360.doors import gate
from user360.errors import Fault, Invalid
from user360.pages import forms, inbox_view, render, route
from user360.pages.render import Asked

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Settings that are numbers: what they are called, and what they say.
NUMBERS = {
    "queueLimit": ("How many may wait", "Who comes next is missed. 0 for any number."),
    "queueMinutes": ("How long they may wait, in minutes", "Then they are missed. 0 for ever."),
    "idleMinutes": ("Minutes until a chat with the bot ends", "After the last word. 0 for never."),
    "closeDays": ("Days until a solved ticket is closed", "Until then an answer opens it again."),
    "awayAfter": (
        "Minutes until who closes the inbox is away",
        "Back as soon as they open it again. 0 for never.",
    ),
    "reassignAfter": (
        "Minutes from then until others get their chats",
        "Those in which the customer waits. 0 for never.",
    ),
}
ASSIGNMENT = {
    "leastBusy": "whoever has the fewest",
    "roundRobin": "whoever was given none for longest",
    "manual": "nobody, until somebody takes it",
}
PROOF = {
    "claim": "what they say is believed",
    "proof": "they prove it, with a code for example, before an existing record is joined",
}
SPAN = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])\s*-\s*([01]?[0-9]|2[0-4]):([0-5][0-9])")


@route.shown("/settings/inbox", may="inbox.settings")
async def shown(request: Asked) -> Response[str]:
    """How the inbox is set, its groups, and who answers."""
    platform, desk = gate.platform_of(request), gate.actor_of(request).workspace.desk
    agents = [
        (inbox_view.member_name(platform, number), agent)
        for number, agent in desk.agents.items()
        if number in platform.members
    ]
    return render.page(
        request,
        "settings/inbox.html",
        settings=msgspec.to_builtins(desk.settings),
        hours=[(day, _said(desk.settings.hours, i)) for i, day in enumerate(DAYS, 1)],
        numbers=NUMBERS,
        assignment=ASSIGNMENT,
        proof=PROOF,
        groups=sorted(desk.groups.values(), key=lambda g: g.name.lower()),
        agents=sorted(agents, key=lambda each: each[0].lower()),
        availability=inbox_view.AVAILABILITY,
    )


def _said(hours: tuple[Hours, ...], day: int) -> str:
    """`09:00-12:00, 13:00-17:30` of one day."""
    return ", ".join(
        f"{h.start // 60:02}:{h.start % 60:02}-{h.end // 60:02}:{h.end % 60:02}"
        for h in hours
        if h.day == day
    )


@route.deed("/settings/inbox", may="inbox.settings")
async def save(request: Asked) -> Response[str]:
    """Keep what the form holds; each that is wrong is named."""
    form = await forms.read(request)
    given: dict[str, Any] = {
        "assignment": form.get("assignment", ""),
        "proof": form.get("proof", ""),
        "sticky": form.get("sticky") == "yes",
        "hours": [],
    }
    faults = []
    for name in NUMBERS:
        given[name] = forms.number(form.get(name, "").strip())
        if given[name] is None:
            faults.append(Fault(name, "invalid", "This must be a whole number"))
    for day in range(1, 8):
        try:
            given["hours"] += _hours(day, form.get(f"hours{day}", ""))
        except ValueError:
            message = "Write it as 09:00-12:00, 13:00-17:30"
            faults.append(Fault(f"hours{day}", "invalid", message))
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    await gate.change(request, lambda c: managing.set_inbox(c, given))
    return render.go(request, "/settings/inbox", tell="Saved")


def _hours(day: int, text: str) -> list[dict[str, int]]:
    """The spans of a day. Raises `ValueError`."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = SPAN.fullmatch(part)
        if match is None:
            raise ValueError(part)
        first, second, third, fourth = map(int, match.groups())
        span = {"day": day, "start": first * 60 + second, "end": third * 60 + fourth}
        if not span["start"] < span["end"] <= 24 * 60:
            raise ValueError(part)
        found.append(span)
    return found


@route.deed("/settings/inbox/groups", may="inbox.settings")
async def make_group(request: Asked) -> Response[str]:
    """Make a group of agents."""
    name = (await forms.read(request)).get("name", "")
    await gate.change(request, lambda c: managing.make_group(c, name))
    return render.go(request, "/settings/inbox", tell="Made")


@route.deed("/settings/inbox/groups/{number:int}", may="inbox.settings")
async def rename_group(request: Asked, number: FromPath[int]) -> Response[str]:
    """Give a group another name."""
    name = (await forms.read(request)).get("name", "")
    await gate.change(request, lambda c: managing.rename_group(c, number, name))
    return render.go(request, "/settings/inbox", tell="Renamed")


@route.deed("/settings/inbox/groups/{number:int}/delete", may="inbox.settings")
async def delete_group(request: Asked, number: FromPath[int]) -> Response[str]:
    """Remove a group; its conversations stay, in no group."""
    await gate.change(request, lambda c: managing.delete_group(c, number))
    return render.go(request, "/settings/inbox", tell="Deleted")


@route.deed("/settings/inbox/agents/{member:int}", may="inbox.settings")
async def set_agent(request: Asked, member: FromPath[int]) -> Response[str]:
    """How many chats somebody has at once, in which groups, and what they are good at."""
    form = await forms.read(request)
    capacity = forms.number(form.get("capacity", "").strip())
    if capacity is None:
        raise Invalid.at("capacity", "This must be a number of chats")
    groups = [
        number
        for number in gate.actor_of(request).workspace.desk.groups
        if form.get(f"group{number}") == "yes"
    ]
    skills = [skill.strip() for skill in form.get("skills", "").split(",") if skill.strip()]
    await gate.change(
        request,
        lambda c: managing.set_agent(c, member, capacity=capacity, groups=groups, skills=skills),
    )
    return render.go(request, "/settings/inbox", tell="Saved")


@route.shown("/settings/canned", may="inbox.settings")
async def canned_answers(request: Asked) -> Response[str]:
    """The canned answers of the workspace."""
    workspace = gate.actor_of(request).workspace
    held = await gate.read(gate.platform_of(request), lambda c: canned.all_of(c, workspace.id))
    return render.page(request, "settings/canned.html", held=held)


@route.deed("/settings/canned", may="inbox.settings")
async def make_canned(request: Asked) -> Response[str]:
    """Write one more."""
    name, text = await _canned(request)
    await gate.change(request, lambda c: canned.make(c, name, text))
    return render.go(request, "/settings/canned", tell="Saved")


@route.deed("/settings/canned/{number:int}", may="inbox.settings")
async def alter_canned(request: Asked, number: FromPath[int]) -> Response[str]:
    """Say it otherwise."""
    name, text = await _canned(request)
    await gate.change(request, lambda c: canned.alter(c, number, name, text))
    return render.go(request, "/settings/canned", tell="Saved")


async def _canned(request: Asked) -> tuple[str, str]:
    form = await forms.read(request)
    return form.get("name", ""), form.get("text", "").replace("\r\n", "\n")


@route.deed("/settings/canned/{number:int}/delete", may="inbox.settings")
async def delete_canned(request: Asked, number: FromPath[int]) -> Response[str]:
    """Remove one."""
    await gate.change(request, lambda c: canned.remove(c, number))
    return render.go(request, "/settings/canned", tell="Deleted")


ROUTES: list[HTTPRouteHandler] = [
    shown,
    save,
    make_group,
    rename_group,
    delete_group,
    set_agent,
    canned_answers,
    make_canned,
    alter_canned,
    delete_canned,
]
