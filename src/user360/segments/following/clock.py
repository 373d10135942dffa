"""When the clock alone could change an answer: the moving windows of a condition.

Whoever is asked about with "in the last 7 days" may come and go without doing anything. Nobody is
asked again and again for that: the windows of a condition move along the time, and a person's
answer can change only when an edge of one passes one of the person's moments. `due` finds these
for a stretch of time ahead. It says when an answer may change, never what it is then: that is the
compiler's business alone, so it may name somebody in vain but must leave nobody out.

Windows are those of `periods` and nothing else. Within one minute of the clock an edge moves with
the time or stands still; it jumps (midnights, changes of the clock) only where a minute begins.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from sqlglot import exp
from sqlglot.expressions import Expr

from user360.clock import SECOND
from user360.records.properties import Catalogue, Type
from user360.segments.compiler import compile as compiler
from user360.segments.compiler import events_sql
from user360.segments.compiler.compile import Frame
from user360.segments.language import comparisons, nodes, operators, periods, reading, sql
from user360.segments.language.dependencies import inside
from user360.segments.language.nodes import Node, PathTest, PropertyTest
from user360.segments.language.operators import Json, Operator
from user360.segments.language.periods import During, Span, When, Window

MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
_EPOCH = periods.EPOCH_ORDINAL

Edge = Callable[[When], int | None]
Rows = Callable[[str], Iterable[tuple[Any, ...]]]  # runs a statement and reads its answer


class Moving(msgspec.Struct, frozen=True):
    """Moments that the edges of a window pass by, of records or of the events of one name.

    `value` is the expression of a moment, a UTC timestamp or a date; `edges` say, for a time,
    where the edge is: in microseconds, for dates in days as `date.toordinal` counts them.
    """

    value: Expr
    is_date: bool
    edges: tuple[Edge, ...]
    event: str | None = None

    def at(self, when: When) -> list[int | None]:
        """Where the edges are."""
        return [edge(when) for edge in self.edges]


class Returning(msgspec.Struct, frozen=True):
    """A condition that may change for anybody when a day begins: an anniversary."""

    node: Node

    def at(self, when: When) -> list[int | None]:
        """The day it is, as `date.toordinal` counts it."""
        return [periods.local_date(when.now, when.zone).toordinal()]


def windows_of(node: Node, frame: Frame) -> list[Moving | Returning]:
    """What the clock decides in a condition; nothing where it decides nothing."""
    return list(_walk(node, frame.catalogue, frame.segments))


def events_named(node: Node, segments: Mapping[int, Node]) -> set[str]:
    """The names of the events that a condition asks about, those of segments within it too."""
    return {name for leaf in leaves(node, segments) for name in _names(leaf)}


def events_held(node: Node, segments: Mapping[int, Node]) -> set[str]:
    """The names of the events that a condition looks into: what they hold decides or is added."""
    return {
        name
        for leaf in leaves(node, segments)
        for name, tests in steps_of(leaf)
        if tests or getattr(leaf, "sum", None)
    }


def leaves(node: Node, segments: Mapping[int, Node]) -> Iterator[Node]:
    """The single conditions of a tree, those of the dynamic segments within it too."""
    if isinstance(node, nodes.Membership) and node.segment in segments:
        yield from leaves(segments[node.segment], segments)
        return
    within = list(inside(node))
    if not within:
        yield node
    for each in within:
        yield from leaves(each, segments)


def steps_of(leaf: Node) -> list[tuple[str, tuple[PathTest, ...]]]:
    """The events a single condition asks about: names, and what each must hold."""
    if isinstance(leaf, nodes.EventTest):
        return [(leaf.event, leaf.where)]
    return [(step.event, step.where) for step in getattr(leaf, "steps", ())]


def _names(leaf: Node) -> list[str]:
    return [name for name, _ in steps_of(leaf)]


def _walk(
    node: Node, catalogue: Catalogue, segments: Mapping[int, Node]
) -> Iterator[Moving | Returning]:
    for leaf in leaves(node, segments):
        if isinstance(leaf, PropertyTest):
            yield from _of_property(leaf, catalogue)
            continue
        window = during_window(getattr(leaf, "during", None))
        for name, tests in steps_of(leaf):
            if window is not None:
                yield Moving(sql.column("at"), False, _edges(window), name)
            for test in tests:
                yield from _of_path(test, name, leaf)


def _of_property(leaf: PropertyTest, catalogue: Catalogue) -> Iterator[Moving | Returning]:
    found = reading.property_of(leaf.property, catalogue)
    row = operators.find(leaf.op, found.type) if found else None
    if found is None or row is None:
        return
    if row.comparison is comparisons.anniversary:
        yield Returning(leaf)
    is_date = found.type is Type.DATE
    for window in windows(row, leaf.values):
        edges = _date_edges(window) if is_date else _edges(window)
        yield Moving(sql.column(compiler.column_of(found)), is_date, edges)


def _of_path(test: PathTest, name: str, leaf: Node) -> Iterator[Moving | Returning]:
    for row in operators.in_events(test.op):
        if row.event is not Json.MOMENT:
            continue
        if row.comparison is comparisons.anniversary:
            yield Returning(leaf)
        subject = events_sql.subject(test, Json.MOMENT)
        for window in windows(row, test.values):
            yield Moving(subject.value, False, _edges(window), name)
            if subject.wall is not None:
                yield Moving(subject.wall, False, _edges(window, on_wall=True), name)


def windows(row: Operator, values: Iterable[object]) -> list[Callable[[When], Window]]:
    """The windows that an operator looks through with these values, where they move."""
    if row.comparison is comparisons.today:
        return [periods.today]
    if isinstance(row.comparison, comparisons.Moving):
        shift = row.comparison.window
        return [_with(shift, value) for value in values if isinstance(value, Span)]
    return []


def _with(shift: Callable[[When, Span], Window], span: Span) -> Callable[[When], Window]:
    return lambda when: shift(when, span)


def during_window(during: During | None) -> Callable[[When], Window] | None:
    """The window of a PERIOD, where it moves with the clock."""
    if during is None or during.kind not in ("period", "last"):
        return None
    return lambda when: periods.of(during, when)


def _edges(window: Callable[[When], Window], on_wall: bool = False) -> tuple[Edge, Edge]:
    def placed(us: int | None, when: When) -> int | None:
        return comparisons.on_wall(us, when) if on_wall else us

    return (
        lambda when: placed(window(when).start, when),
        lambda when: placed(window(when).end, when),
    )


def _date_edges(window: Callable[[When], Window]) -> tuple[Edge, Edge]:
    def first(when: When) -> int | None:
        return periods.dates(window(when), when.zone)[0]

    def after(when: When) -> int | None:
        last = periods.dates(window(when), when.zone)[1]
        return None if last is None else last + 1

    return first, after


def passes(edge: Edge, values: list[int], frame: Frame, until: int) -> Iterator[tuple[int, int]]:
    """When the edge passes which of these moments (ascending), after `frame.now` up to `until`.

    Yields the time and the moment. An edge at `e` has passed all moments before `e`.
    """
    for start, end, low, high, after in _stretches(edge, frame, until):
        for value in _between(values, low, high):
            yield start + (value - low) + 1, value
        for value in _between(values, min(high, after), max(high, after)):
            yield end, value


def _between(values: list[int], low: int, high: int) -> list[int]:
    return values[bisect_left(values, low) : bisect_left(values, high)]


def _stretches(edge: Edge, frame: Frame, until: int) -> Iterator[tuple[int, int, int, int, int]]:
    """The time cut where minutes begin: from, to, where the edge is at first and at last, and
    where it jumps to. Times from `frame.now` to `until`.
    """
    start = frame.now
    while start < until:
        end = min(start - start % MINUTE + MINUTE, until)
        low = edge(When(start, frame.zone))
        high = edge(When(end - 1, frame.zone))
        after = edge(When(end, frame.zone))
        if low is not None and high is not None and after is not None:
            yield start, end, low, high, after
        start = end


def due(
    found: Iterable[Moving | Returning], frame: Frame, until: int, rows: Rows, dialect: str
) -> list[tuple[int, int]]:
    """Whose answer may change after `frame.now` up to `until`, and when: (time, record id).

    Records stand as the events were written to them, whatever they were merged into since.
    """
    times: list[tuple[int, int]] = []
    for each in found:
        if isinstance(each, Returning):
            times += _days_due(each, frame, until, rows, dialect)
        else:
            times += _moments_due(each, frame, until, rows, dialect)
    return times


def _moments_due(
    moving: Moving, frame: Frame, until: int, rows: Rows, dialect: str
) -> Iterator[tuple[int, int]]:
    for edge in moving.edges:
        reach = extent(edge, frame, until)
        if reach is None:
            continue
        people: dict[int, list[int]] = {}
        for record, value in rows(compiler.to_sql(_passed(moving, frame, *reach), dialect)):
            people.setdefault(value // DAY + _EPOCH if moving.is_date else value, []).append(record)
        for at, value in passes(edge, sorted(people), frame, until):
            for record in people[value]:
                yield at, record


class Passing(msgspec.Struct, frozen=True):
    """The moments that an edge passes in a stretch of time: from `low` on and before `high`.

    Where it never steps back, those it has passed already are of no more interest.
    """

    edge: Edge
    low: int
    high: int
    steps_back: bool

    def ahead(self, when: When) -> tuple[int, int]:
        """The moments that it may still pass from `when` on."""
        now = None if self.steps_back else self.edge(when)
        return (self.low if now is None else now), self.high


def reach(window: Moving | Returning, frame: Frame, until: int) -> list[Passing]:
    """What the edges of a window pass after `frame.now` up to `until`; for a condition of the day
    something wherever a day begins.
    """
    if isinstance(window, Returning):
        begins = days_beginning(frame, until)
        return [Passing(lambda when: when.now, at, at + 1, True) for at in begins]
    found = []
    for edge in window.edges:
        places = _places(edge, frame, until)
        if places and min(places) < max(places):
            back = any(after < before for before, after in itertools.pairwise(places))
            found.append(Passing(edge, min(places), max(places), back))
    return found


def extent(edge: Edge, frame: Frame, until: int) -> tuple[int, int] | None:
    """The moments that an edge passes after `frame.now` up to `until`: from, to (not included).

    None when it passes none.
    """
    places = _places(edge, frame, until)
    return (min(places), max(places)) if places and min(places) < max(places) else None


def _places(edge: Edge, frame: Frame, until: int) -> list[int]:
    """Where the edge is as the time goes on, wherever it may turn."""
    return [place for _, _, *these in _stretches(edge, frame, until) for place in these]


def _passed(moving: Moving, frame: Frame, low: int, high: int) -> exp.Select:
    """The records, and their moments in microseconds, from `low` on and before `high`."""
    if moving.is_date:
        bounds = [sql.timestamp((each - _EPOCH) * DAY) for each in (low, high)]
    else:
        bounds = [sql.timestamp(each) for each in (low, high)]
    value = exp.Cast(this=moving.value.copy(), to=sql.TIMESTAMP.copy())
    tests: list[Expr] = [
        exp.GTE(this=moving.value.copy(), expression=bounds[0]),
        exp.LT(this=moving.value.copy(), expression=bounds[1]),
    ]
    relation, record = "records", "id"
    if moving.event is not None:
        relation, record = frame.events, "record_id"
        tests.insert(0, exp.EQ(this=sql.column("name"), expression=sql.text(moving.event)))
    return exp.Select(
        expressions=[sql.column(record), sql.call("epoch_us", value)],
        from_=exp.From(this=sql.relation(frame.schema, relation)),
        where=exp.Where(this=sql.all_of(tests)),
    )


def _days_due(
    returning: Returning, frame: Frame, until: int, rows: Rows, dialect: str
) -> Iterator[tuple[int, int]]:
    """Everybody for whom the condition is another one once the day has changed."""
    for at in days_beginning(frame, until):
        before = msgspec.structs.replace(frame, now=at - 1)
        after = msgspec.structs.replace(frame, now=at)
        held = [compiler.condition(returning.node, each) for each in (before, after)]
        differs = exp.NEQ(this=_whether(held[0]), expression=_whether(held[1]))
        select = exp.Select(
            expressions=[sql.column("id")],
            from_=exp.From(this=sql.relation(frame.schema, "records")),
            where=exp.Where(this=differs),
        )
        for (record,) in rows(compiler.to_sql(select, dialect)):
            yield at, record


def _whether(test: Expr) -> Expr:
    return exp.Paren(this=exp.Not(this=exp.Paren(this=sql.is_not_true(test))))


def days_beginning(frame: Frame, until: int) -> Iterator[int]:
    """The times, after `frame.now` up to `until`, at which another day begins in the zone."""
    at = frame.now - frame.now % MINUTE + MINUTE
    while at <= until:
        before, after = (periods.local_date(us, frame.zone) for us in (at - 1, at))
        if before != after:
            yield at
        at += MINUTE
