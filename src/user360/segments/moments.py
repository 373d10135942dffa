"""What of somebody's the clock can pass by: for each single condition, moments and moving edges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import msgspec
from sqlglot import exp
from sqlglot.expressions import Expr

from user360.segments import clock, events_sql, nodes, operators, periods, reading, sql
from user360.segments import compile as compiler
from user360.segments.clock import DAY, Moving
from user360.segments.crossings import Passing
from user360.segments.few import People
from user360.segments.nodes import Node
from user360.segments.operators import Json
from user360.segments.periods import EPOCH_ORDINAL, Span, When

# An anniversary is looked for in so many years; in any of them it comes once.
_YEARS = 12
# How far an edge can still fall back behind where it is.
_SLACK = 5 * DAY


class _Asked(msgspec.Struct, frozen=True):
    """Moments to be read: whose edges they may be passed by, and from when on they may matter."""

    edges: tuple[clock.Edge, ...]
    select: exp.Select
    is_date: bool = False
    span: Span | None = None
    returning: bool = False


def passings(leaves: Sequence[Node], people: People) -> list[list[Passing]]:
    """For each single condition what the clock can pass by; nothing where it decides nothing.

    `people` holds one person. All are read in one statement.
    """
    asked = [list(_asked(leaf, people.frame)) for leaf in leaves]
    held = _read([each for of_leaf in asked for each in of_leaf], people)
    return [
        [passing for each in of_leaf for passing in _passings(each, next(held), people)]
        for of_leaf in asked
    ]


def _asked(leaf: Node, frame: compiler.Frame) -> Iterator[_Asked]:
    for found in clock.windows_of(leaf, frame):
        if isinstance(found, Moving):
            yield _Asked(found.edges, _of_window(found, leaf, frame), found.is_date)
        else:
            yield from _anniversaries(leaf, frame)


def _of_window(moving: Moving, leaf: Node, frame: compiler.Frame) -> exp.Select:
    """The moments that a moving window's edges may pass from now on."""
    value = exp.Cast(this=moving.value.copy(), to=sql.TIMESTAMP.copy())
    places = [edge(When(frame.now, frame.zone)) for edge in moving.edges]
    first = min((place for place in places if place is not None), default=0)
    least = (first - EPOCH_ORDINAL) * DAY if moving.is_date else first
    tests: list[Expr] = [exp.GTE(this=value.copy(), expression=sql.timestamp(least - _SLACK))]
    if moving.event is not None and moving.value == sql.column("at") and not by_clock(leaf):
        tests.append(_any_step(leaf, moving.event, When(frame.now, frame.zone)))
    return _select(value, moving.event, tests, frame)


def _any_step(leaf: Node, event: str, when: When) -> Expr:
    """What an event of this name must hold for one of the steps."""
    steps = [paths for name, paths in clock.steps_of(leaf) if name == event]
    if not all(steps):
        return sql.true()
    return sql.any_of(
        exp.Paren(this=sql.all_of([events_sql.where(test, when) for test in paths]))
        for paths in steps
    )


def by_clock(leaf: Node) -> bool:
    """Whether what single events must hold depends on the time."""
    return any(
        clock.windows(row, test.values) or test.op == "anniversary"
        for _, paths in clock.steps_of(leaf)
        for test in paths
        for row in operators.in_events(test.op)
    )


def _select(value: Expr, event: str | None, tests: list[Expr], frame: compiler.Frame) -> exp.Select:
    relation = "records"
    if event is not None:
        relation = frame.events
        tests = [exp.EQ(this=sql.column("name"), expression=sql.text(event)), *tests]
    return exp.Select(
        expressions=[sql.call("epoch_us", value)],
        from_=exp.From(this=sql.relation(frame.schema, relation)),
        where=exp.Where(this=sql.all_of(tests)),
    )


def _anniversaries(leaf: Node, frame: compiler.Frame) -> Iterator[_Asked]:
    """The days that return: of a property, or of what events hold."""
    if isinstance(leaf, nodes.PropertyTest):
        found = reading.property_of(leaf.property, frame.catalogue)
        if found is not None:
            value = sql.column(compiler.column_of(found))
            yield _returning(value, None, leaf.values, frame)
        return
    for name, paths in clock.steps_of(leaf):
        for test in paths:
            if test.op == "anniversary":
                subject = events_sql.subject(test, Json.MOMENT)
                for value in filter(None, (subject.value, subject.wall)):
                    yield _returning(value, name, test.values, frame)


def _returning(
    value: Expr, event: str | None, values: Sequence[object], frame: compiler.Frame
) -> _Asked:
    span = next((each for each in values if isinstance(each, Span)), Span(0, "days"))
    moment = exp.Cast(this=value, to=sql.TIMESTAMP.copy())
    select = _select(moment, event, [sql.is_not_null(moment.copy())], frame)

    def today(when: When) -> int:
        return periods.local_date(when.now, when.zone).toordinal()

    def after(when: When) -> int:
        return periods.shifted_day(when, span, 1).toordinal() + 1

    return _Asked((today, after), select, is_date=True, returning=True)


def _read(asked: Sequence[_Asked], people: People) -> Iterator[list[int]]:
    """The moments for each, ascending."""
    held: list[set[int]] = [set() for _ in asked]
    if asked:
        parts = [
            f"SELECT {i} AS i, v FROM ({compiler.to_sql(each.select)}) AS held(v)"
            for i, each in enumerate(asked)
        ]
        for i, value in people.query(" UNION ALL ".join(parts)).rows:
            if value is not None:
                held[i].add(value)
    return iter([sorted(each) for each in held])


def _passings(asked: _Asked, held: list[int], people: People) -> list[Passing]:
    moments: list[int] = held
    if asked.returning:
        moments = sorted({day for value in held for day in _days(value, people.frame)})
    elif asked.is_date:
        moments = [value // DAY + EPOCH_ORDINAL for value in held]
    return [Passing(edge, moments, asked.is_date) for edge in asked.edges] if moments else []


def _days(value: int, frame: compiler.Frame) -> Iterator[int]:
    """The days about those on which a moment's day returns, whatever the zone and the year."""
    year = periods.local_date(frame.now, frame.zone).year
    first = date.fromordinal(value // DAY + EPOCH_ORDINAL)
    for each in range(max(year - 1, 1), min(year + _YEARS, 9998)):
        for month, day in ((first.month, min(first.day, 28)), (2, 28)):
            around = date(each, month, day)
            yield from (around.toordinal() + n for n in range(-2, 5))
