"""What the chat on a page says before its customer does: shown there, kept nowhere.

It is the channel's own `greeting`, or else the messages with which its flow begins, with the first
question behind them. They are said, and kept, once the customer writes. Where she was shown the
question they are kept in front of what she writes, which then is its answer; without a question
the flow says them itself after her.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from user360.access.workspaces import Workspace
from user360.flows import managing, runner, store
from user360.flows.language import nodes, reading, templates
from user360.flows.language.templates import Template
from user360.flows.store import Kept
from user360.storage.ledger import Connection

OF_PERSON = "user."
MOST = 5  # messages of a flow
KEPT = 64  # flows whose beginning is remembered


class Greeting(msgspec.Struct, frozen=True):
    """Lines to be shown; `said` tells that a flow (`by`) says them itself once somebody writes.

    Where the last line is a question, `asked` stands for it, and `choices` can be chosen.
    """

    lines: list[str]
    said: bool = False
    by: str = ""
    asked: str = ""
    choices: tuple[str, ...] = ()


class Beginning(msgspec.Struct, frozen=True):
    """The messages that a flow says whoever writes, and the question that it asks then."""

    texts: tuple[Template, ...] = ()
    question: nodes.Prompt | nodes.Identify | None = None


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
    return Greeting([], said=True) if kept is None else _of_flow(kept, channel, bot, known)


def _of_flow(kept: Kept, channel: str, bot: str, known: Mapping[str, Any] | None) -> Greeting:
    begins = beginning(kept.text)
    lines, question = _filled(begins.texts, known), begins.question
    if question is None or _is_needless(question, known):
        return Greeting(lines, said=True, by=bot)
    choices = question.choices if isinstance(question, nodes.Prompt) else ()
    asks = "".join(_filled([question.ask], known)) + runner.listed(channel, choices)
    asked = _named(kept, question)
    return Greeting([*lines, asks], said=True, by=bot, asked=asked, choices=choices)


def _is_needless(question: nodes.Prompt | nodes.Identify, known: Mapping[str, Any] | None) -> bool:
    """Whether it asks who somebody is of whom that is known."""
    identified = (known or {}).get("userId") is not None
    return isinstance(question, nodes.Identify) and identified and not question.always


def answered(kept: Kept, asked: object) -> str:
    """The node whose question somebody was shown before they wrote, as the flow stands now.

    Empty where they were shown none, or the flow has been changed since.
    """
    question = beginning(kept.text).question if asked else None
    return question.name if question is not None and _named(kept, question) == asked else ""


def _named(kept: Kept, question: nodes.Prompt | nodes.Identify) -> str:
    """What stands for a question of a flow as it is written now; it tells nothing of either."""
    told = "\0".join((kept.name, kept.text, question.name))
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _filled(texts: Iterable[Template], known: Mapping[str, Any] | None) -> list[str]:
    def value_of(name: str) -> Any:
        return (known or {}).get(name.removeprefix(OF_PERSON))

    told = [templates.fill(each, value_of).strip() for each in texts]
    return [text for text in told if text]


@functools.lru_cache(KEPT)
def beginning(text: str) -> Beginning:
    """How a flow begins before anything else, whoever writes and whatever it is."""
    flow, troubles, _ = reading.read(text)
    found: list[Template] = []
    if flow is None or troubles:
        return Beginning()
    node = flow.nodes.get(flow.start)
    while isinstance(node, nodes.Message) and len(found) < MOST and not _strange(node.text):
        found.append(node.text)
        node = flow.nodes.get(node.next)
    if isinstance(node, nodes.Prompt | nodes.Identify) and not _strange(node.ask):
        return Beginning(tuple(found), node)
    return Beginning(tuple(found))


def _strange(text: Template) -> bool:
    """Whether a text has a place for what means nothing before somebody writes."""
    return any(not place.name.startswith(OF_PERSON) for place in text.places)
