"""What somebody typed, as the value that was asked for."""

from __future__ import annotations

import re
from datetime import UTC

from user360.flows.language import nodes
from user360.flows.language.kinds import PROMPTS
from user360.records import values
from user360.records.properties import Type
from user360.records.values import BadValue, Value

_NAME = re.compile(r"(?=.*[^\W\d_])[^\d<>{}@]{1,100}\Z")
_BY = {"email": Type.EMAIL, "phone": Type.PHONE}


class BadAnswer(Exception):
    """An answer does not fit: `reason` says what would, and repeats nothing that was typed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def answer_of(node: nodes.Prompt | nodes.Identify, text: str) -> Value:
    """The value of an answer. Raises `BadAnswer`."""
    if isinstance(node, nodes.Identify):
        return parsed(_BY.get(node.by, Type.STRING), text)
    if node.kind == "choice":
        return _chosen(node.choices, text)
    if node.kind == "name" and not _NAME.match(text.strip()):
        raise BadAnswer("I need a name, without digits and signs")
    return parsed(PROMPTS[node.kind].type, text)


def parsed(kind: Type, text: str) -> Value:
    """A typed text as a value of a type, by the rules of properties. Raises `BadAnswer`."""
    try:
        found = values.parse(kind, " ".join(text.split()), UTC)
    except BadValue as bad:
        raise BadAnswer(bad.message.replace("expected", "I need", 1)) from bad
    if found is None:
        raise BadAnswer("I need an answer in words")
    return found


def _chosen(choices: tuple[str, ...], text: str) -> str:
    typed = " ".join(text.split()).casefold().rstrip(".!")
    for i, choice in enumerate(choices, 1):
        if typed in (choice.casefold(), str(i)):
            return choice
    raise BadAnswer(f"I need one of {', '.join(choices)}, or its number")
