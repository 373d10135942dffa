"""The condition tree once it is understood: checked against the declarations, never changed."""

from __future__ import annotations

import msgspec

from user360.segments.language.comparisons import Operand
from user360.segments.language.periods import During, Span


class All(msgspec.Struct, frozen=True):
    """Every one of the nodes holds."""

    nodes: tuple[Node, ...]


class Any(msgspec.Struct, frozen=True):
    """One of the nodes holds, or more."""

    nodes: tuple[Node, ...]


class Not(msgspec.Struct, frozen=True):
    """The node does not hold."""

    node: Node


class PropertyTest(msgspec.Struct, frozen=True):
    """A condition on one property of the record."""

    property: str
    op: str
    values: tuple[Operand, ...] = ()


class PathTest(msgspec.Struct, frozen=True):
    """A condition on one value within an event, at a dotted path of object keys."""

    path: str
    op: str
    values: tuple[Operand, ...] = ()

    @property
    def keys(self) -> list[str]:
        """The object keys from the outside in."""
        return self.path.split(".")


class Compared(msgspec.Struct, frozen=True):
    """A number compared: the count of events, or with a `path` the sum of what they hold."""

    op: str
    value: int | float
    path: str = ""

    @property
    def keys(self) -> list[str]:
        """The object keys from the outside in."""
        return self.path.split(".")


class EventTest(msgspec.Struct, frozen=True):
    """A condition on the events of one name that a person did, or did not do."""

    event: str
    occurred: bool = True
    count: Compared | None = None
    during: During | None = None
    where: tuple[PathTest, ...] = ()
    sum: Compared | None = None


class Step(msgspec.Struct, frozen=True):
    """One step of a sequence: an event of this name that fits."""

    event: str
    where: tuple[PathTest, ...] = ()


class Sequence(msgspec.Struct, frozen=True):
    """Events of these steps one after the other, all within a time, done or not done."""

    steps: tuple[Step, ...]
    within: Span | None = None
    completed: bool = True
    during: During | None = None


class Membership(msgspec.Struct, frozen=True):
    """A condition on who is in a segment: a static one, or a dynamic one."""

    segment: int
    inside: bool


Node = All | Any | Not | PropertyTest | EventTest | Sequence | Membership
