"""What the chat on a page says before its customer does: shown there, kept nowhere.

It is the channel's own `greeting`, or else the messages with which its flow begins. These are said,
and kept, once the customer writes; the page then shows them in the place where they were said.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from user360.access.workspaces import Workspace
from user360.flows import managing, store
from user360.flows.language import nodes, reading, templates
from user360.flows.language.templates import Template
from user360.storage.ledger import Connection

OF_PERSON = "user."
MOST = 5  # messages of a flow
KEPT = 64  # flows whose beginning is remembered


class Greeting(msgspec.Struct, frozen=True):
    """Lines to be shown; `said` tells that a flow says them itself once somebody writes."""

    lines: list[str]
    said: bool = False


def of(
    connection: Connection, workspace: Workspace, channel: str, known: Mapping[str, Any] | None
) -> Greeting:
    """How a channel greets; `known` is what may be told of who is there, None for a stranger."""
    held = workspace.desk.channels.get(channel)
    own = "" if held is None else str(held.settings.get("greeting", ""))
    bot = workspace.desk.bot_of(channel)
    if own:
        return Greeting(_filled([templates.read(own)], known))
    if not bot.startswith(managing.BOT):
        return Greeting([])
    kept = store.one(connection, workspace.id, bot.removeprefix(managing.BOT))
    return Greeting([] if kept is None else _filled(beginning(kept.text), known), said=True)


def _filled(texts: Iterable[Template], known: Mapping[str, Any] | None) -> list[str]:
    def value_of(name: str) -> Any:
        return (known or {}).get(name.removeprefix(OF_PERSON))

    told = [templates.fill(each, value_of).strip() for each in texts]
    return [text for text in told if text]


@functools.lru_cache(KEPT)
def beginning(text: str) -> tuple[Template, ...]:
    """The messages that a flow says before anything else, whoever writes and whatever it is."""
    flow, troubles, _ = reading.read(text)
    found: list[Template] = []
    if flow is None or troubles:
        return ()
    node = flow.nodes.get(flow.start)
    while isinstance(node, nodes.Message) and len(found) < MOST and not _strange(node.text):
        found.append(node.text)
        node = flow.nodes.get(node.next)
    return tuple(found)


def _strange(text: Template) -> bool:
    """Whether a text has a place for what means nothing before somebody writes."""
    return any(not place.name.startswith(OF_PERSON) for place in text.places)
