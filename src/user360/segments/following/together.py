"""The conditions of a workspace asked together: a row a person, a column a condition.

What they share is worked out once (`compiler.shared`), and every text is kept while the clock goes
on.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from user360.segments.compiler import compile as compiler
from user360.segments.compiler import shared
from user360.segments.compiler.compile import Frame
from user360.segments.compiler.shared import Names, Ready, Worked
from user360.segments.following import clock
from user360.segments.following.texts import Current
from user360.segments.language import nodes
from user360.segments.language.nodes import EventTest, Node

# With more than so many, some of them nobody asks about any more: they are collected anew.
_MOST = 5_000


class Leaf(msgspec.Struct, frozen=True, eq=False):
    """Something worked out for the conditions that refer to it."""

    node: Worked
    name: str
    text: Current

    def ready(self, given: Frame, dialect: str) -> Ready:
        return Ready.of(self.node, self.name, self.text.at(given), dialect)


class Part(msgspec.Struct, frozen=True, eq=False):
    """One condition: its test of a record, and what the test refers to."""

    test: Current
    leaves: tuple[Leaf, ...]


class Together:
    """The conditions of one workspace, for an engine; what they share is there once."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._leaves: dict[Worked, Leaf] = {}

    @property
    def full(self) -> bool:
        """Whether another is to be begun, and parts taken from that."""
        return len(self._leaves) > _MOST

    def part(self, node: Node, given: Frame) -> Part:
        """Take in a condition. Raises `InvalidCondition` where it cannot be compiled."""
        used: dict[Leaf, None] = {}

        def name(worked: Worked) -> str:
            leaf = self._leaf(worked, given)
            used[leaf] = None
            return leaf.name

        names = Names(name)

        def make(frame: Frame) -> str:
            there = msgspec.structs.replace(frame, shared=names)
            return compiler.to_sql(compiler.condition(node, there), self._dialect)

        test = Current(make, _own_windows(node, given))
        test.at(given)
        return Part(test, tuple(used))

    def statement(self, parts: Sequence[Part], given: Frame) -> tuple[str, list[str]]:
        """The statement that answers, for each record of `given`, its id and whether each of the
        conditions is true of it; and the names of the columns that say so, one for each part.
        """
        leaves = dict.fromkeys(leaf for part in parts for leaf in part.leaves)
        ready = [leaf.ready(given, self._dialect) for leaf in leaves]
        tests: dict[str, str] = {}  # what says the same is asked once
        names = [tests.setdefault(part.test.at(given), f"c{len(tests)}") for part in parts]
        columns = [f"({test}) IS TRUE AS {name}" for test, name in tests.items()]
        return shared.statement(['"id"', *columns], ready, given), names

    def _leaf(self, node: Worked, given: Frame) -> Leaf:
        found = self._leaves.get(node)
        if found is None:
            text = Current(
                lambda frame: shared.worked(node, frame, self._dialect),
                clock.windows_of(node, given),
            )
            found = self._leaves[node] = Leaf(node, f"e{len(self._leaves)}", text)
        return found


def _own_windows(node: Node, given: Frame) -> list[clock.Moving | clock.Returning]:
    """The windows that move in the test itself, which are not those of events."""
    return [
        window
        for leaf in clock.leaves(node, given.segments)
        if not isinstance(leaf, EventTest | nodes.Sequence)
        for window in clock.windows_of(leaf, given)
    ]
