"""Flows: the bots of a workspace, writing one with its faults beside it, trying it as a chat."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360.doors import gate
from user360.doors.api import flows as api
from user360.doors.api import shapes
from user360.errors import Conflict, Invalid, Problem
from user360.flows import managing, store, trial
from user360.flows.language import naming
from user360.flows.language import page as language
from user360.flows.language.kinds import KINDS
from user360.flows.language.loading import Trouble
from user360.flows.language.nodes import Flow
from user360.flows.trial import MOST_MESSAGES, Given
from user360.pages import flows_picture, forms, render, route
from user360.pages.render import Asked

BEGINNINGS = {
    "identify": ("Ask who it is, then hand over to agents", api.EXAMPLE),
    "greet": (
        "Greet, then hand over to agents",
        "start: hello\nnodes:\n  hello:\n    message: Hello {{{user.firstName|there}}}! Somebody is"
        " with you in a moment.\n    next: agents\n  agents:\n    handOver: {}\n",
    ),
}
# What nodes can do: the kind, a sentence on it, and how one is written.
HELP = [(name, kind.says.replace("`", ""), language.EXAMPLES[name]) for name, kind in KINDS.items()]


@route.shown("/flows", may="flows.read")
async def listing(request: Asked) -> Response[str]:
    """All flows, with the channels that begin with each."""
    workspace = gate.actor_of(request).workspace
    found = await gate.read(gate.platform_of(request), lambda c: store.all_flows(c, workspace.id))
    rows = [api.shown(request, each) for each in found]
    return render.page(request, "flows/list.html", flows=rows, beginnings=BEGINNINGS)


@route.deed("/flows", may="flows.write")
async def create(request: Asked) -> Response[str]:
    """Begin a flow from one of ours, and go on to write it."""
    form = await forms.read(request)
    name, text = form.get("name", "").strip(), BEGINNINGS.get(form.get("begin", ""))
    if text is None:
        raise Invalid.at("begin", "Choose how it begins")
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    managing.need_name(name)
    if await gate.read(platform, lambda c: store.one(c, workspace.id, name)) is not None:
        raise Conflict.at("name", "There is a flow of this name already")
    await gate.change(request, lambda c: managing.put(c, platform.vault, name, text[1]))
    return render.go(request, f"/flows/{name}", tell=f"Made {name}")


@route.shown("/flows/{name:str}", may="flows.read")
async def shown(request: Asked, name: FromPath[str]) -> Response[str]:
    """One flow: its text, its picture, a chat to try it."""
    kept = await api.kept(request, name)
    return render.page(
        request,
        "flows/one.html",
        flow=api.shown(request, kept),
        nodes=HELP,
        **await _checked(request, name, kept.text),
        **_talk(),
    )


@route.deed("/flows/{name:str}", may="flows.write")
async def save(request: Asked, name: FromPath[str]) -> Response[str]:
    """Keep a flow as it is written now; what is wrong is shown at its lines."""
    text = _text(await forms.read(request))
    vault = gate.platform_of(request).vault
    try:
        await gate.change(request, lambda c: managing.put(c, vault, name, text))
        headers = render.said("Saved")
    except Invalid:
        headers = render.said("It is not kept: some lines are wrong")
    told = await _checked(request, name, text)
    return render.page(request, "flows/checked.html", headers=headers, **told)


@route.deed("/flows/{name:str}/check", may="flows.read")
async def check(request: Asked, name: FromPath[str]) -> Response[str]:
    """What is wrong with a flow as it is being written, and its picture."""
    text = _text(await forms.read(request))
    return render.page(request, "flows/checked.html", **await _checked(request, name, text))


@route.deed("/flows/{name:str}/try", may="flows.read")
async def attempt(request: Asked, name: FromPath[str]) -> Response[str]:
    """The conversation so far with one more message, all of it dry and from the beginning."""
    form = await request.form()
    said = [text for text in form.getall("said", []) if isinstance(text, str)]
    message = str(form.get("message", "")).strip()
    if message:
        said.append(message)
    who = str(form.get("who", "")).strip()
    text = _text({"text": str(form.get("text", ""))})
    try:
        told = await _tried(request, name, text, said[-MOST_MESSAGES:], who)
    except Problem as problem:
        told = _talk(said=said, problem=problem.detail)
    return render.page(request, "flows/talk.html", **told)


@route.deed("/flows/{name:str}/delete", may="flows.write")
async def delete(request: Asked, name: FromPath[str]) -> Response[str]:
    """Delete a flow that no channel begins with."""
    await gate.change(request, lambda c: managing.delete(c, name))
    return render.go(request, "/flows", tell=f"Deleted {name}")


async def _checked(request: Asked, name: str, text: str) -> dict[str, Any]:
    """What is wrong with a text, and the picture of it as far as it can be drawn."""
    flow, troubles, _ = await _read(request, name, text)
    workspace = gate.actor_of(request).workspace
    drawn = [] if flow is None else flows_picture.draw(flow, workspace)
    return {"troubles": troubles, "drawn": drawn}


async def _read(
    request: Asked, name: str, text: str
) -> tuple[Flow | None, list[Trouble], dict[str, str]]:
    """The flow of a text, what is wrong with it, and the secrets that are kept for it."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    kept = await gate.read(platform, lambda c: store.one(c, workspace.id, name))
    secrets = managing.secrets_in("" if kept is None else kept.secrets, platform.vault)
    return *naming.checked(text, workspace, secrets), secrets


async def _tried(request: Asked, name: str, text: str, said: list[str], who: str) -> dict[str, Any]:
    flow, troubles, secrets = await _read(request, name, text)
    if flow is None or troubles:
        return _talk(said=said, problem="Mend the lines that are wrong, then go on")
    record = shapes.number_of_user(request, who) if who else None
    given = Given(messages=said, record=record)
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    tried = await trial.attempt(platform, workspace, flow, given, secrets)
    steps = [msgspec.structs.asdict(step) for step in tried.steps]
    ended = tried.at is None and bool(said)
    return _talk(said=said, steps=steps, ended=ended, gave_up=tried.gave_up)


def _talk(**given: Any) -> dict[str, Any]:
    """What the chat shows."""
    return {"said": [], "steps": [], "ended": False, "gave_up": "", "problem": "", **given}


def _text(form: dict[str, str]) -> str:
    """The text of a form; a browser ends its lines in two characters."""
    return form.get("text", "").replace("\r\n", "\n")


ROUTES: list[HTTPRouteHandler] = [listing, create, shown, save, check, attempt, delete]
