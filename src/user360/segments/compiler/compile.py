"""The one compiler: a condition tree becomes SQL here and nowhere else.

Two-valued throughout: an unknown value makes a positive comparison NULL, which WHERE takes for
false; a complement is pushed down to the single comparisons, where it becomes IS NOT TRUE. So a
comparison stays in the plain form that engines run fast, and every node is exactly true or not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec
from sqlglot import exp
from sqlglot.expressions import Expr

from user360 import errors
from user360.records.properties import Catalogue, Property
from user360.segments.compiler import dialects, events_sql, sequences_sql
from user360.segments.language import dependencies, nodes, operands, operators, reading, sql
from user360.segments.language.comparisons import Subject
from user360.segments.language.nodes import Node
from user360.segments.language.periods import When


class Shared(events_sql.Totals, Protocol):
    """What was worked out for many conditions together, for one to refer to."""

    def people(self, node: nodes.Sequence) -> Expr:
        """The sub-select of those who completed a sequence."""


class Frame(msgspec.Struct, frozen=True):
    """What a condition is asked of: one workspace's relations in the warehouse, at one time.

    `now` is in microseconds since 1970; `mapped` is False when no record was ever merged away;
    `events` is the relation that events are read from. `segments` are the dynamic segments by
    number: each is written out where it is named, as of the same `now`. Any other segment is
    answered from its stored members. `ordered` names the relation of those events that tell how far
    back they are, if that may be used; `few` says that they are a few people's. With
    `shared` conditions on events refer to what is there already.
    """

    schema: str
    catalogue: Catalogue
    zone: ZoneInfo
    now: int
    mapped: bool
    events: str = "events"
    segments: Mapping[int, Node] = MappingProxyType({})
    ordered: str | None = None
    few: bool = False
    shared: Shared | None = None


def select_ids(node: Node | None, frame: Frame) -> exp.Select:
    """The ids of the records a condition is true of, or without one of all records."""
    select = exp.Select(
        expressions=[sql.column("id")], from_=exp.From(this=sql.relation(frame.schema, "records"))
    )
    if node is not None:
        select.set("where", exp.Where(this=condition(node, frame)))
    return select


def condition(node: Node, frame: Frame) -> Expr:
    """The condition over the columns of `records`; NULL where it is not true, or false.

    Raises `InvalidCondition` when a property is no longer what the condition was written for, or
    when the segments within it go round or come to too much.
    """
    dependencies.check_extent(node, frame.segments)
    return _compile(node, frame, True)


def to_sql(expression: Expr, dialect: str = "duckdb") -> str:
    """The text of an expression for an engine."""
    return dialects.to_sql(expression, dialect)


def text_search(text: str) -> Expr:
    """Records with `text` in their userId, a name, both names, e-mail or phone, but for case."""
    sought = unicodedata.normalize("NFC", operands.without_unfit(text)).strip()
    if not sought:
        return sql.true()
    return sql.any_of(
        sql.call("contains", value, exp.Lower(this=sql.text(part)))
        for value, part in _searched(sought)
    )


def _searched(text: str) -> list[tuple[Expr, str]]:
    """The values to look in, each with what to look for; those that cannot hold it are left out."""
    first, last = (_lower(_SYSTEM.by_name[name].column) for name in ("firstName", "lastName"))
    found = [(_lower("user_id"), text), (first, text), (last, text)]
    if " " in text:
        space = exp.DPipe(this=first.copy(), expression=sql.text(" "))
        found.append((exp.DPipe(this=space, expression=last.copy()), text))
    else:
        found.append((sql.column(_SYSTEM.by_name["email"].column), text))
    digits = _BETWEEN_DIGITS.sub("", text)
    if _DIGITS.fullmatch(digits):
        found.append((sql.column(_SYSTEM.by_name["phone"].column), digits))
    return found


def _lower(name: str) -> Expr:
    return exp.Lower(this=sql.column(name))


_SYSTEM = Catalogue()
_BETWEEN_DIGITS = re.compile(r"[\s()./-]")
_DIGITS = re.compile(r"\+?[0-9]{3,}")


def _compile(node: Node, frame: Frame, wanted: bool) -> Expr:
    """`node` where `wanted`, else its complement."""
    return _KINDS[type(node)](node, frame, wanted)


def _all(node: nodes.All, frame: Frame, wanted: bool) -> Expr:
    inner = [_compile(each, frame, wanted) for each in node.nodes]
    return sql.all_of(inner) if wanted else sql.any_of(inner)


def _any(node: nodes.Any, frame: Frame, wanted: bool) -> Expr:
    inner = [_compile(each, frame, wanted) for each in node.nodes]
    return sql.any_of(inner) if wanted else sql.all_of(inner)


def _not(node: nodes.Not, frame: Frame, wanted: bool) -> Expr:
    return _compile(node.node, frame, not wanted)


def _property(node: nodes.PropertyTest, frame: Frame, wanted: bool) -> Expr:
    found = reading.property_of(node.property, frame.catalogue)
    row = operators.find(node.op, found.type) if found else None
    if found is None or row is None:
        raise errors.InvalidCondition(f"{node.property} is no longer what it was")
    subject = Subject(found.type, sql.column(column_of(found)))
    held = row.comparison(subject, node.values, When(frame.now, frame.zone))
    return held if wanted != row.negative else sql.is_not_true(held)


def column_of(found: Property) -> str:
    """The column of `records` that holds a property, `createdAt` and `updatedAt` included."""
    return _TIMES.get(found.name, "") if found.id == 0 else found.column


_TIMES = {"createdAt": "created_at", "updatedAt": "updated_at"}


def _event(node: nodes.EventTest, frame: Frame, wanted: bool) -> Expr:
    if frame.shared is not None:
        held, fit = events_sql.by_totals(node, frame.shared)
        return held if fit == (node.occurred == wanted) else exp.Not(this=exp.Paren(this=held))
    people, fit = events_sql.people(node, source(frame), When(frame.now, frame.zone))
    return _among(people, fit == (node.occurred == wanted))


def _sequence(node: nodes.Sequence, frame: Frame, wanted: bool) -> Expr:
    if frame.shared is not None:
        return _among(frame.shared.people(node), node.completed == wanted)
    people = sequences_sql.people(node, source(frame), When(frame.now, frame.zone))
    return _among(people, node.completed == wanted)


def source(frame: Frame) -> events_sql.Source:
    """Where the events of a frame are."""
    merged = "merged" if frame.mapped else None
    return events_sql.Source(frame.schema, frame.events, merged, frame.ordered, frame.few)


def _membership(node: nodes.Membership, frame: Frame, wanted: bool) -> Expr:
    if node.segment not in frame.segments:
        return _stored(node, frame, wanted)
    inner = frame.segments[node.segment]
    try:
        return _compile(inner, frame, node.inside == wanted)
    except errors.InvalidCondition as problem:
        message = f"Segment {node.segment} cannot be evaluated: {problem.detail}"
        raise errors.InvalidCondition(message) from problem


def _stored(node: nodes.Membership, frame: Frame, wanted: bool) -> Expr:
    """In the stored members or not."""
    members = exp.Select(
        expressions=[sql.column("record_id")],
        from_=exp.From(this=sql.relation(frame.schema, "members")),
        where=exp.Where(
            this=exp.EQ(this=sql.column("segment_id"), expression=sql.number(node.segment))
        ),
    )
    if frame.mapped:  # who was merged away is a member as the survivor
        members = events_sql.fold(members, sql.relation(frame.schema, "merged"))
    return _among(members, node.inside == wanted)


def _among(people: Expr, wanted: bool) -> Expr:
    among = sql.within(sql.column("id"), people)
    return among if wanted else sql.is_not_true(among)


_KINDS: dict[type, Callable[[Any, Frame, bool], Expr]] = {
    nodes.All: _all,
    nodes.Any: _any,
    nodes.Not: _not,
    nodes.PropertyTest: _property,
    nodes.EventTest: _event,
    nodes.Sequence: _sequence,
    nodes.Membership: _membership,
}
