"""Many conditions asked of a few people in one statement: a row a person, a column a condition.

Asked one by one, every condition would go through the same few events again, and be planned anew.
Here what people's events come to is worked out once: a column for each count or sum that any of the
conditions asks for, and a relation for each sequence. The conditions themselves are compiled as
always; where they would look into the events they find it there.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlglot import exp
from sqlglot.expressions import Expr

from user360.segments.compiler import compile as compiler
from user360.segments.compiler import events_sql, sequences_sql
from user360.segments.compiler.compile import Frame
from user360.segments.following import clock
from user360.segments.following.texts import Current
from user360.segments.language import nodes, sql
from user360.segments.language.nodes import Compared, EventTest, Node
from user360.segments.language.periods import When

_TOTALS = "totals"
# With more than so many, some of them nobody asks about any more: they are collected anew.
_MOST = 5_000


class Leaf(msgspec.Struct, frozen=True, eq=False):
    """What conditions refer to: a total, with the SQL that folds it onto living people, or where
    `folded` is empty the people of a sequence.
    """

    name: str
    text: Current
    folded: str = ""


class Part(msgspec.Struct, frozen=True, eq=False):
    """One condition: its test of a record, and what the test refers to."""

    test: Current
    leaves: tuple[Leaf, ...]


class Together:
    """The conditions of one workspace, for an engine; each total among them is there once."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._leaves: dict[Node, Leaf] = {}

    @property
    def full(self) -> bool:
        """Whether another is to be begun, and parts taken from that."""
        return len(self._leaves) > _MOST

    def part(self, node: Node, given: Frame) -> Part:
        """Take in a condition. Raises `InvalidCondition` where it cannot be compiled."""
        named = _Named(self, given)
        shared = msgspec.structs.replace(given, shared=named)
        compiler.condition(node, shared)
        own = [
            window
            for leaf in clock.leaves(node, given.segments)
            if not isinstance(leaf, EventTest | nodes.Sequence)
            for window in clock.windows_of(leaf, given)
        ]

        def make(frame: Frame) -> str:
            there = msgspec.structs.replace(frame, shared=named)
            return compiler.to_sql(compiler.condition(node, there), self._dialect)

        return Part(Current(make, own), tuple(named.leaves))

    def leaf(self, node: EventTest | nodes.Sequence, given: Frame) -> Leaf:
        """What stands for this node wherever it is asked about."""
        found = self._leaves.get(node)
        if found is None:
            name = f"e{len(self._leaves)}"
            windows = clock.windows_of(node, given)
            if isinstance(node, nodes.Sequence):
                found = Leaf(name, Current(lambda frame: self._people(node, frame), windows))
            else:
                again = compiler.to_sql(events_sql.folded_total(node, name), self._dialect)
                found = Leaf(name, Current(lambda frame: self._total(node, frame), windows), again)
            self._leaves[node] = found
        return found

    def _people(self, node: nodes.Sequence, frame: Frame) -> str:
        when = When(frame.now, frame.zone)
        people = sequences_sql.people(node, compiler.source(frame), when)
        return compiler.to_sql(people, self._dialect)

    def _total(self, node: EventTest, frame: Frame) -> str:
        total = events_sql.total(node, When(frame.now, frame.zone), rounded=not frame.mapped)
        return compiler.to_sql(total, self._dialect)


class _Named:
    """The leaves of one condition, as the compiler refers to them."""

    def __init__(self, together: Together, given: Frame) -> None:
        self._together = together
        self._given = given
        self.leaves: dict[Leaf, None] = {}

    def count(self, node: EventTest) -> Expr:
        counted = EventTest(node.event, during=node.during, where=node.where)
        # Who did nothing at all has no row there.
        return sql.call("coalesce", self._column(counted), sql.number(0))

    def sum(self, node: EventTest) -> Expr:
        assert node.sum is not None
        added = Compared("", 0, node.sum.path)
        return self._column(EventTest(node.event, during=node.during, where=node.where, sum=added))

    def people(self, node: nodes.Sequence) -> Expr:
        leaf = self._leaf(msgspec.structs.replace(node, completed=True))
        done = exp.From(this=sql.named(leaf.name))
        return exp.Select(expressions=[sql.column("person")], from_=done)

    def _column(self, node: EventTest) -> Expr:
        return sql.column(self._leaf(node).name, _TOTALS)

    def _leaf(self, node: EventTest | nodes.Sequence) -> Leaf:
        leaf = self._together.leaf(node, self._given)
        self.leaves[leaf] = None
        return leaf


def statement(parts: Sequence[Part], given: Frame) -> str:
    """The statement that answers, for each record of `given`, its id and then whether each of the
    conditions is true of it.
    """
    leaves = dict.fromkeys(leaf for part in parts for leaf in part.leaves)
    columns = ['"id"', *(f"({p.test.at(given)}) IS TRUE AS c{i}" for i, p in enumerate(parts))]
    sequences = [
        f'"{leaf.name}"("person") AS MATERIALIZED ({leaf.text.at(given)})'
        for leaf in leaves
        if not leaf.folded
    ]
    head = f"WITH {', '.join(sequences)} " if sequences else ""
    totals = _totals([leaf for leaf in leaves if leaf.folded], given)
    return f'{head}SELECT {", ".join(columns)} FROM "{given.schema}"."records"{totals}'


def _totals(leaves: Sequence[Leaf], given: Frame) -> str:
    """The join with what everybody's events come to, where anything is asked about that."""
    columns = "".join(f', {leaf.text.at(given)} AS "{leaf.name}"' for leaf in leaves)
    if not columns:
        return ""
    schema, events = given.schema, given.events
    if not given.mapped:
        counted = f'SELECT "record_id" AS "person"{columns} FROM "{schema}"."{events}" GROUP BY 1'
    else:
        by_record = f'SELECT "record_id"{columns} FROM "{schema}"."{events}" GROUP BY 1'
        again = "".join(f', {leaf.folded} AS "{leaf.name}"' for leaf in leaves)
        counted = (
            f'SELECT COALESCE("m"."survivor_id", "e"."record_id") AS "person"{again}'
            f' FROM ({by_record}) AS "e" LEFT JOIN "{schema}"."merged" AS "m"'
            ' ON "m"."record_id" = "e"."record_id" GROUP BY 1'
        )
    return f' LEFT JOIN ({counted}) AS "{_TOTALS}" ON "{_TOTALS}"."person" = "id"'
