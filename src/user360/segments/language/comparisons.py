"""What each operator says in SQL about one value.

A comparison is true, false, or NULL where the value is unknown; the compiler decides what NULL
comes to. Text is compared without regard to case by the engine's own `lower`, on both sides, so
that both sides fold alike.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Sequence
from datetime import date

import msgspec
from sqlglot import exp
from sqlglot.expressions import Expr

from user360.records.properties import Type
from user360.segments.language import periods, sql
from user360.segments.language.periods import Span, When, Window

Operand = str | int | float | bool | Span


class Subject(msgspec.Struct, frozen=True):
    """The value an operator looks at: an expression of the SQL type that goes with `kind`.

    `wall` is the same moment where it was written without an offset: on the workspace's clock.
    """

    kind: Type
    value: Expr
    wall: Expr | None = None


Comparison = Callable[[Subject, Sequence[Operand], When], Expr]


def known(subject: Subject, _values: Sequence[Operand], _when: When) -> Expr:
    """There is a value."""
    return sql.is_not_null(subject.value)


def same(subject: Subject, values: Sequence[Operand], _when: When) -> Expr:
    """Equal to one of the values, exactly."""
    return sql.one_of(subject.value, [_literal(subject.kind, value) for value in values])


def same_text(subject: Subject, values: Sequence[Operand], _when: When) -> Expr:
    """Equal to one of the texts but for case."""
    return sql.one_of(_lower(subject.value), [_lower(sql.text(str(value))) for value in values])


def part(function: str) -> Comparison:
    """One of the texts is within, at the beginning or at the end, but for case."""

    def compare(subject: Subject, values: Sequence[Operand], _when: When) -> Expr:
        return sql.any_of(
            sql.call(function, _lower(subject.value.copy()), _lower(sql.text(str(value))))
            for value in values
        )

    return compare


def domain(subject: Subject, values: Sequence[Operand], _when: When) -> Expr:
    """The e-mail address, which is kept in lower case, is at one of the domains."""
    return sql.any_of(
        sql.call("ends_with", subject.value.copy(), sql.text(f"@{value}")) for value in values
    )


def ordered(comparison: type[exp.Binary]) -> Comparison:
    """On this side of one of the values."""

    def compare(subject: Subject, values: Sequence[Operand], _when: When) -> Expr:
        return sql.any_of(
            comparison(this=subject.value.copy(), expression=_literal(subject.kind, value))
            for value in values
        )

    return compare


def between(subject: Subject, values: Sequence[Operand], _when: When) -> Expr:
    """From the first to the second value, both included."""
    low, high = (_literal(subject.kind, value) for value in values)
    return sql.between(subject.value, low, high)


def flag(wanted: bool) -> Comparison:
    """The boolean is `wanted`."""

    def compare(subject: Subject, _values: Sequence[Operand], _when: When) -> Expr:
        return exp.EQ(this=subject.value, expression=exp.Boolean(this=wanted))

    return compare


def has(every: bool) -> Comparison:
    """The list holds any, or every one, of the texts."""

    def compare(subject: Subject, values: Sequence[Operand], _when: When) -> Expr:
        wanted = [sql.text(str(value)) for value in values]
        return sql.ListHas(this=subject.value, expressions=wanted, every=every)

    return compare


def on(subject: Subject, values: Sequence[Operand], when: When) -> Expr:
    """On one of the days, or at one of the instants."""
    return _inside(subject, [periods.moment(str(value), when.zone) for value in values], when)


def before(subject: Subject, values: Sequence[Operand], when: When) -> Expr:
    """Before a day begins, or before an instant."""
    starts = [periods.moment(str(value), when.zone).start for value in values]
    return _inside(subject, [Window(end=start) for start in starts], when)


def after(subject: Subject, values: Sequence[Operand], when: When) -> Expr:
    """After a day has ended, or after an instant."""
    ends = [periods.moment(str(value), when.zone).end for value in values]
    return _inside(subject, [Window(start=end) for end in ends], when)


def from_to(subject: Subject, values: Sequence[Operand], when: When) -> Expr:
    """From the first to the second day or instant, both included."""
    first, second = (periods.moment(str(value), when.zone) for value in values)
    return _inside(subject, [Window(first.start, second.end)], when)


def today(subject: Subject, _values: Sequence[Operand], when: When) -> Expr:
    """On the day it is now."""
    return _inside(subject, [periods.today(when)], when)


class Moving:
    """In a window that moves with the clock; `window` says where it is for each length of time."""

    def __init__(self, window: Callable[[When, Span], Window]) -> None:
        self.window = window

    def __call__(self, subject: Subject, values: Sequence[Operand], when: When) -> Expr:
        spans = [value for value in values if isinstance(value, Span)]
        return _inside(subject, [self.window(when, span) for span in spans], when)


def anniversary(subject: Subject, values: Sequence[Operand], when: When) -> Expr:
    """The day and month return today, or within the span that begins today.

    Whoever was born on 29 February has their day on the 28th in years that lack it.
    """
    today = periods.local_date(when.now, when.zone)
    spans = [value for value in values if isinstance(value, Span)]
    last = periods.shifted_day(when, spans[0], 1) if spans else today
    year = periods.shifted_day(when, Span(12, "months"), 1)
    ranges = [(101, 1231)] if last >= year else _month_days(today, last)
    return sql.any_of(
        sql.between(sql.MonthDay(this=day), sql.number(low), sql.number(high))
        for day in _local_days(subject, when)
        for low, high in ranges
    )


def _month_days(first: date, last: date) -> list[tuple[int, int]]:
    """The ranges of month-and-day numbers that less than a year runs through."""
    low, high = _month_day(first), _month_day(last)
    if high == 228 and not calendar.isleap(last.year):
        high = 229
    return [(low, high)] if low <= high else [(low, 1231), (101, high)]


def _month_day(day: date) -> int:
    return day.month * 100 + day.day


def _local_days(subject: Subject, when: When) -> list[Expr]:
    if subject.kind is Type.DATE:
        return [subject.value]
    zone = sql.text(when.zone.key)
    days: list[Expr] = [sql.LocalDay(this=subject.value, zone=zone)]
    return days if subject.wall is None else [*days, subject.wall]


def _inside(subject: Subject, windows: list[Window], when: When) -> Expr:
    """In one of the windows, by the day for a date, by the instant for a datetime."""
    if subject.kind is Type.DATE:
        return sql.any_of(_on_days(subject.value, window, when) for window in windows)
    tests = [_at(subject.value, window) for window in windows]
    if subject.wall is not None:
        tests += [_at(subject.wall, _on_wall(window, when)) for window in windows]
    return sql.any_of(tests)


def _at(value: Expr, window: Window) -> Expr:
    if window.start is not None and window.end == window.start + 1:
        return exp.EQ(this=value.copy(), expression=sql.timestamp(window.start))
    return in_window(value, window)


def in_window(value: Expr, window: Window) -> Expr:
    """The timestamp `value` lies in the window."""
    tests: list[Expr] = []
    if window.start is not None:
        tests.append(exp.GTE(this=value.copy(), expression=sql.timestamp(window.start)))
    if window.end is not None:
        tests.append(exp.LT(this=value.copy(), expression=sql.timestamp(window.end)))
    return sql.all_of(tests or [sql.true()])


def _on_wall(window: Window, when: When) -> Window:
    return Window(on_wall(window.start, when), on_wall(window.end, when))


def on_wall(us: int | None, when: When) -> int | None:
    """What the wall's clock shows at the edge of a window, as if it were UTC."""
    # Reckoned from just before: a day whose midnight is skipped still begins at 0:00 on the wall.
    return None if us is None else periods.to_wall(us - 1, when.zone) + 1


def _on_days(value: Expr, window: Window, when: When) -> Expr:
    first, last = periods.dates(window, when.zone)
    lowest, highest = date.min.toordinal(), date.max.toordinal()
    if (first or lowest) > highest or (highest if last is None else last) < lowest:
        return sql.false()
    tests: list[Expr] = []
    if first is not None:
        tests.append(exp.GTE(this=value.copy(), expression=_day(max(first, lowest))))
    if last is not None:
        tests.append(exp.LTE(this=value.copy(), expression=_day(min(last, highest))))
    return sql.all_of(tests)


def _day(ordinal: int) -> Expr:
    return sql.date(date.fromordinal(ordinal).isoformat())


def _lower(value: Expr) -> Expr:
    return exp.Lower(this=value)


def _literal(kind: Type, value: Operand) -> Expr:
    if kind is Type.TIME:
        return sql.time(str(value))
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, int | float):
        return sql.number(float(value))
    return sql.text(str(value))
