"""What conditions on events refer to when many are asked of a few people in one statement.

Asked one by one, every condition would go through the same few events again, and be planned anew.
So what people's events come to is worked out once: a column for each count or sum that any of the
conditions asks for, and a relation for each sequence. The conditions are compiled as always; where
they would look into the events they find it there (`compile.Shared`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import msgspec
from sqlglot import exp
from sqlglot.expressions import Expr

from user360.segments.compiler import compile as compiler
from user360.segments.compiler import events_sql, sequences_sql
from user360.segments.compiler.compile import Frame
from user360.segments.language import nodes, sql
from user360.segments.language.nodes import Compared, EventTest
from user360.segments.language.periods import When

_TOTALS = "totals"
Worked = EventTest | nodes.Sequence  # a total (`events_sql.total`), or the people of a sequence


class Names:
    """How the compiler refers to what is worked out; `name` says what that is called."""

    def __init__(self, name: Callable[[Worked], str]) -> None:
        self._name = name

    def count(self, node: EventTest) -> Expr:
        counted = EventTest(node.event, during=node.during, where=node.where)
        # Who did nothing at all has no row there.
        return sql.call("coalesce", self._column(counted), sql.number(0))

    def sum(self, node: EventTest) -> Expr:
        assert node.sum is not None
        added = Compared("", 0, node.sum.path)
        return self._column(EventTest(node.event, during=node.during, where=node.where, sum=added))

    def people(self, node: nodes.Sequence) -> Expr:
        name = self._name(msgspec.structs.replace(node, completed=True))
        done = exp.From(this=sql.named(name))
        return exp.Select(expressions=[sql.column("person")], from_=done)

    def _column(self, node: EventTest) -> Expr:
        return sql.column(self._name(node), _TOTALS)


def worked(node: Worked, frame: Frame, dialect: str) -> str:
    """The SQL that works something out."""
    when = When(frame.now, frame.zone)
    if isinstance(node, nodes.Sequence):
        found = sequences_sql.people(node, compiler.source(frame), when)
    else:
        found = events_sql.total(node, when, rounded=not frame.mapped)
    return compiler.to_sql(found, dialect)


class Ready(msgspec.Struct, frozen=True):
    """Something worked out: its name and its SQL; for a total what folds it onto living people."""

    name: str
    sql: str
    folded: str = ""

    @classmethod
    def of(cls, node: Worked, name: str, text: str, dialect: str) -> Ready:
        """`text` is what `worked` says of the node."""
        if isinstance(node, nodes.Sequence):
            return cls(name, text)
        return cls(name, text, compiler.to_sql(events_sql.folded_total(node, name), dialect))


def statement(columns: Sequence[str], ready: Collection[Ready], given: Frame) -> str:
    """The statement of columns over the records of `given`, which refer to what is ready."""
    totals = [each for each in ready if each.folded]
    sequences = [
        f'"{each.name}"("person") AS MATERIALIZED ({each.sql})' for each in ready if not each.folded
    ]
    head = f"WITH {', '.join(sequences)} " if sequences else ""
    return (
        f'{head}SELECT {", ".join(columns)} FROM "{given.schema}"."records"{_joined(totals, given)}'
    )


def _joined(totals: Sequence[Ready], given: Frame) -> str:
    """The join with what everybody's events come to, where anything is asked about that."""
    if not totals:
        return ""
    columns = "".join(f', {each.sql} AS "{each.name}"' for each in totals)
    schema, events = given.schema, given.events
    if not given.mapped:
        counted = f'SELECT "record_id" AS "person"{columns} FROM "{schema}"."{events}" GROUP BY 1'
    else:
        by_record = f'SELECT "record_id"{columns} FROM "{schema}"."{events}" GROUP BY 1'
        again = "".join(f', {each.folded} AS "{each.name}"' for each in totals)
        counted = (
            f'SELECT COALESCE("m"."survivor_id", "e"."record_id") AS "person"{again}'
            f' FROM ({by_record}) AS "e" LEFT JOIN "{schema}"."merged" AS "m"'
            ' ON "m"."record_id" = "e"."record_id" GROUP BY 1'
        )
    return f' LEFT JOIN ({counted}) AS "{_TOTALS}" ON "{_TOTALS}"."person" = "id"'
