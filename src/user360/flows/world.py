"""What a flow acts on: the real conversation, or an invented one when it is tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from user360.flows.language.nodes import Request
from user360.flows.language.templates import ValueOf
from user360.flows.state import State
from user360.records.values import Value


class Person(msgspec.Struct, frozen=True):
    """Who speaks, as far as that is known: `told` are properties and what else a record shows."""

    user_id: str | None
    told: Mapping[str, Any]


class Identified(msgspec.Struct, frozen=True):
    """It is known who this is."""


class Sent(msgspec.Struct, frozen=True):
    """A code was sent to an address, of which only a part is shown."""

    address: str


class Refused(msgspec.Struct, frozen=True):
    """What was typed cannot be right: the reason, for who typed it."""

    reason: str


class Wrong(msgspec.Struct, frozen=True):
    """The code was another; it may be tried again."""


class Unproven(msgspec.Struct, frozen=True):
    """It cannot be proven, so it is kept as a claim alone."""


class Line(msgspec.Struct, frozen=True):
    """Something the bot says, with what may be chosen for an answer."""

    text: str
    choices: tuple[str, ...] = ()


Claimed = Identified | Sent | Refused | Wrong | Unproven


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a flow gives a conversation away: to agents, or to nobody (`ended`)."""

    ended: bool = False
    group: str = ""
    skills: tuple[str, ...] = ()
    subject: str = ""
    kind: str = ""
    reason: str = ""
    tags: tuple[str, ...] = ()


class CallFailed(Exception):
    """An API did not answer as it should; the message says how, without what was sent."""


class TakenOver(Exception):
    """The conversation is not with the bot any more."""


class World(Protocol):
    """What the runner of flows is given."""

    channel: str
    conversation: str
    text: str  # the customer's last message

    async def person(self) -> Person:
        """Who speaks, as it is now. Raises `TakenOver`."""
        ...  # pragma: no cover

    async def holds(self, where: Any) -> bool:
        """Whether a condition is true of them. Raises `InvalidCondition`."""
        ...  # pragma: no cover

    async def write(self, properties: Mapping[str, Any]) -> None:
        """Write properties to their record. Raises the `Problem` with it."""
        ...  # pragma: no cover

    async def claim(self, by: str, value: Value) -> Claimed:
        """Take in that they say who they are by the value of a property."""
        ...  # pragma: no cover

    async def prove(self, code: str) -> Claimed:
        """Take in the code that was typed."""
        ...  # pragma: no cover

    def identifies(self, name: str) -> bool:
        """Whether writing this property says who somebody is."""
        ...  # pragma: no cover

    def attested(self, by: str) -> str | None:
        """What the channel itself vouches for: the number that writes on WhatsApp."""
        ...  # pragma: no cover

    async def ask(self, node: Request, value_of: ValueOf, turn: str) -> Any:
        """Ask an API; its JSON answer. Raises `CallFailed`."""
        ...  # pragma: no cover

    async def keep(self, said: Sequence[Line], state: State, ending: Ending | None) -> None:
        """Say this and keep where the flow stands, both or neither. Raises `TakenOver`."""
        ...  # pragma: no cover
