"""What the widget tells, as calls: who is signed in, what is said, what a page knows by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from user360.access.workspaces import Workspace
from user360.channels.web import zones
from user360.channels.web.identity import Identity
from user360.channels.web.sessions import CHANNEL, Visitor
from user360.conversations import talk
from user360.conversations.talk import Said
from user360.flows.greeting import Greeting
from user360.ingest.call import Call, Session
from user360.platform import Platform

Person = Mapping[str, Any]


def identifying(
    platform: Platform, visitor: Visitor, known: Identity, person: Person | None
) -> list[Call]:
    """Who is signed in, then what is said of them; nothing when the record says so already.

    Two calls, so that a property that cannot be kept does not stand against who it is.
    """
    held = {} if person is None or person["userId"] != known.user_id else person
    calls = [] if held else [_call(platform, visitor, user_id=known.user_id)]
    properties = {
        name: value
        for name, value in known.properties.items()
        if not held or held["properties"].get(name) != value
    }
    if properties:
        calls.append(_call(platform, visitor, properties=properties, undeclared="ignore"))
    return calls


def saying(
    platform: Platform, visitor: Visitor, said: Said, zone: str, person: Person | None
) -> Call:
    """A message. What the browser's time zone tells is taken for somebody of whom nothing is known.

    Country and time zone are a pair (specification: records, "Identity").
    """
    call = _call(platform, visitor, said=said)
    properties = {} if person is None else person["properties"]
    if zones.known(zone) and not {"country", "timezone"} & properties.keys():
        country = zones.country_of(zone)
        call.auto = {"timezone": zone} | ({"country": country} if country else {})
    return call


def greeting(platform: Platform, visitor: Visitor, shown: Greeting) -> list[Call]:
    """What a flow has asked before the customer wrote, as its messages; each once in a session."""
    calls = []
    for number, text in enumerate(shown.lines, 1):
        last = number == len(shown.lines)
        said = Said(
            sender=talk.BOT_SAYS,
            text=text[: talk.LONGEST_TEXT],
            id=f"greeting:{number}",
            author=shown.by,
            detail={"choices": list(shown.choices)} if last and shown.choices else {},
        )
        call = _call(platform, visitor, said=said)
        call.ref = shown.by
        calls.append(call)
    return calls


def claiming(
    platform: Platform,
    workspace: Workspace,
    visitor: Visitor,
    properties: Mapping[str, Any],
    person: Person | None,
) -> list[Call]:
    """What a page says of its visitor without a signature: kept where the workspace wants it so.

    Never of somebody who is identified, and never what would identify.
    """
    channel = workspace.desk.channels.get(CHANNEL)
    wanted = channel is not None and channel.settings.get("pageProperties")
    if not wanted or (person is not None and person["userId"] is not None):
        return []
    identifying = {"userid", workspace.settings.identifier.lower()}
    told = {n: v for n, v in properties.items() if n.lower() not in identifying}
    return [_call(platform, visitor, properties=told, undeclared="ignore")] if told else []


def _call(platform: Platform, visitor: Visitor, **given: Any) -> Call:
    at = platform.now()
    return Call(
        workspace=visitor.workspace,
        source="conversation",
        ref=visitor.ref,
        at=at,
        message_id=str(at),
        session=Session(CHANNEL, visitor.session),
        **given,
    )
