"""What of somebody's the clock can pass by: for each single condition, moments and moving edges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import msgspec
from sqlglot import exp
from sqlglot.expressions import Expr

from user360.segments.compiler import compile as compiler
from user360.segments.compiler import events_sql
from user360.segments.compiler.few import People
from user360.segments.explain.crossings import Passing
from user360.segments.following import clock
from user360.segments.following.clock import DAY, Moving
from user360.segments.language import nodes, operators, periods, reading, sql
from user360.segments.language.nodes import Node
from user360.segments.language.operators import Json
from user360.segments.language.periods import EPOCH_ORDINAL, Span, When

# An anniversary is looked for in so many years; in any of them it comes once.
_YEARS = 12
# How far an edge can still fall back behind where it is.
_SLACK = 5 * DAY


class _Asked(msgspec.Struct, frozen=True):
    """Moments to be read: whose edges they may be passed by, and from when on they may matter."""

    edges: tuple[clock.Edge, ...]
    value: Expr
    of_events: bool
    tests: list[Expr]
    is_date: bool = False
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
            yield _of_window(found, leaf, frame)
        else:
            yield from _anniversaries(leaf, frame)


def _of_window(moving: Moving, leaf: Node, frame: compiler.Frame) -> _Asked:
    """The moments that a moving window's edges may pass from now on."""
    value = exp.Cast(this=moving.value.copy(), to=sql.TIMESTAMP.copy())
    places = [edge(When(frame.now, frame.zone)) for edge in moving.edges]
    first = min((place for place in places if place is not None), default=0)
    least = (first - EPOCH_ORDINAL) * DAY if moving.is_date else first
    tests = _named(moving.event)
    tests.append(exp.GTE(this=value.copy(), expression=sql.timestamp(least - _SLACK)))
    if moving.event is not None and moving.value == sql.column("at") and not by_clock(leaf):
        tests.append(_any_step(leaf, moving.event, When(frame.now, frame.zone)))
    return _Asked(moving.edges, value, moving.event is not None, tests, moving.is_date)


def _named(event: str | None) -> list[Expr]:
    if event is None:
        return []
    return [exp.EQ(this=sql.column("name"), expression=sql.text(event))]


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


def _anniversaries(leaf: Node, frame: compiler.Frame) -> Iterator[_Asked]:
    """The days that return: of a property, or of what events hold."""
    if isinstance(leaf, nodes.PropertyTest):
        found = reading.property_of(leaf.property, frame.catalogue)
        if found is not None:
            value = sql.column(compiler.column_of(found))
            yield _returning(value, None, leaf.values)
        return
    for name, paths in clock.steps_of(leaf):
        for test in paths:
            if test.op == "anniversary":
                subject = events_sql.subject(test, Json.MOMENT)
                for value in filter(None, (subject.value, subject.wall)):
                    yield _returning(value, name, test.values)


def _returning(value: Expr, event: str | None, values: Sequence[object]) -> _Asked:
    span = next((each for each in values if isinstance(each, Span)), Span(0, "days"))
    moment = exp.Cast(this=value, to=sql.TIMESTAMP.copy())
    tests = [*_named(event), sql.is_not_null(moment.copy())]

    def today(when: When) -> int:
        return periods.local_date(when.now, when.zone).toordinal()

    def after(when: When) -> int:
        return periods.shifted_day(when, span, 1).toordinal() + 1

    of_events = event is not None
    return _Asked((today, after), moment, of_events, tests, is_date=True, returning=True)


def _read(asked: Sequence[_Asked], people: People) -> Iterator[list[int]]:
    """The moments for each, ascending: one statement for events, one for the record."""
    held: list[list[int]] = [[] for _ in asked]
    frame = people.frame
    for of_events, relation in ((True, frame.events), (False, "records")):
        wanted = [i for i, each in enumerate(asked) if each.of_events == of_events]
        if not wanted:
            continue
        columns = ", ".join(
            f"list(epoch_us({compiler.to_sql(asked[i].value)}))"
            f" FILTER (WHERE {compiler.to_sql(sql.all_of(asked[i].tests))})"
            for i in wanted
        )
        row = people.query(f"SELECT {columns} FROM {frame.schema}.{relation}").rows[0]
        for i, found in zip(wanted, row, strict=True):
            held[i] = sorted(set(found or ()))
    return iter(held)


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
