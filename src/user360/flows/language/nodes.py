"""What a flow is made of, once it has been read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from user360.flows.language.templates import Template

HAND_OVER_WORDS = ("agent", "human")
ATTEMPTS = 3


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a flow: what it is called, at which line it begins, and where it leads."""

    name: str
    line: int
    next: str = ""

    @property
    def ways(self) -> tuple[tuple[str, str], ...]:
        """The nodes it may lead to, each with the field that names it."""
        return (("next", self.next),)

    @property
    def waits(self) -> bool:
        """Whether nothing goes on until the customer writes."""
        return False


class Message(Node, frozen=True, kw_only=True):
    """Says something."""

    text: Template


class Prompt(Node, frozen=True, kw_only=True):
    """Asks for something, and keeps it in a property, in a variable, or in both."""

    kind: str
    ask: Template
    again: Template
    into: str = ""
    variable: str = ""
    choices: tuple[str, ...] = ()
    use_as_user_id: bool = False
    code: Template = Template()
    attempts: int = ATTEMPTS
    otherwise: str = ""

    @property
    def ways(self) -> tuple[tuple[str, str], ...]:
        more = (("prompt.otherwise", self.otherwise),) if self.otherwise else ()
        return (("next", self.next), *more)

    @property
    def waits(self) -> bool:
        return True


class Identify(Node, frozen=True, kw_only=True):
    """Finds out who this is, unless that is known: asks, checks, has it proven, identifies."""

    by: str
    ask: Template
    again: Template
    code: Template
    attempts: int = ATTEMPTS
    otherwise: str = ""
    always: bool = False

    @property
    def ways(self) -> tuple[tuple[str, str], ...]:
        more = (("identify.otherwise", self.otherwise),) if self.otherwise else ()
        return (("next", self.next), *more)

    @property
    def waits(self) -> bool:
        return self.always


class Set(Node, frozen=True, kw_only=True):
    """Writes properties, and keeps variables."""

    properties: Mapping[str, Any] = msgspec.field(default_factory=dict)
    variables: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """Where to go if a condition holds, or if a variable is one of these values."""

    next: str
    where: Any = None
    variable: str = ""
    values: tuple[str, ...] = ()


class Condition(Node, frozen=True, kw_only=True):
    """Goes the way of the first branch that holds; `next` is where it goes else."""

    branches: tuple[Branch, ...]

    @property
    def ways(self) -> tuple[tuple[str, str], ...]:
        own = ((f"condition.{i}.next", each.next) for i, each in enumerate(self.branches))
        return (*own, (f"condition.{len(self.branches)}.else", self.next))


class Request(Node, frozen=True, kw_only=True):
    """Asks an HTTP API; its answer fills variables."""

    method: str
    url: Template
    headers: Mapping[str, Template] = msgspec.field(default_factory=dict)
    body: Any = None
    timeout: float = 10.0
    retries: int = 2
    variables: Mapping[str, str] = msgspec.field(default_factory=dict)
    failed: str = ""

    @property
    def ways(self) -> tuple[tuple[str, str], ...]:
        more = (("call.failed", self.failed),) if self.failed else ()
        return (("next", self.next), *more)


class HandOver(Node, frozen=True, kw_only=True):
    """Gives the conversation to agents."""

    group: str = ""
    skills: tuple[str, ...] = ()
    subject: Template = Template()
    kind: str = ""

    @property
    def ways(self) -> tuple[tuple[str, str], ...]:
        return ()


class End(Node, frozen=True, kw_only=True):
    """Ends the conversation."""

    reason: str = ""
    tags: tuple[str, ...] = ()

    @property
    def ways(self) -> tuple[tuple[str, str], ...]:
        return ()


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """A flow: where it starts, and its nodes by name."""

    start: str
    nodes: Mapping[str, Node]
    description: str = ""
    hand_over_words: tuple[str, ...] = HAND_OVER_WORDS
