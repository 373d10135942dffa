"""Days, weeks, windows: every reckoning with the clock and the workspace's time zone.

It is all done here, into plain bounds in UTC, so that SQL compares and nothing else and every
engine answers alike (specification: segments, "Operators by type" and "PERIOD"). The rules:

- A day begins when its date begins in the zone: where midnight is skipped, right after the gap.
- Minutes and hours go by the clock. Days, weeks and months go by the calendar: the same wall
  time so many days ago. A wall time that happens twice means the first; one that never happens
  is read with the offset from before. Months end where they end: a month before 31 March is the
  last day of February.
- Weeks begin on Monday.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from user360 import clock
from user360.records import values
from user360.records.properties import Type

UNITS = ("minutes", "hours", "days", "weeks", "months")
LONGEST = 1_000_000

_MICROSECOND = timedelta(microseconds=1)
_DAY = 86_400 * clock.SECOND
_CLOCK_UNITS = {"minutes": 60 * clock.SECOND, "hours": 3600 * clock.SECOND}
# Zones have crossed the date line: clocks were put 24 hours forward.
_MOST_CHANGE = 26 * 3600 * clock.SECOND
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_FIRST = (date.min.toordinal() - EPOCH_ORDINAL) * _DAY
_LAST = (date.max.toordinal() - EPOCH_ORDINAL + 1) * _DAY - 1


class Span(msgspec.Struct, frozen=True):
    """A length of time: 48 hours."""

    amount: int
    unit: str


class When(msgspec.Struct, frozen=True):
    """What the clock says (microseconds since 1970) and where: the workspace's zone."""

    now: int
    zone: ZoneInfo


class Window(msgspec.Struct, frozen=True):
    """From `start`, included, to `end`, not included, in microseconds. None: open on that side."""

    start: int | None = None
    end: int | None = None


class During(msgspec.Struct, frozen=True):
    """The PERIOD of an event condition as it was given.

    `kind` is `period`, `on`, `after`, `before`, `between` or `last`. `moments` are days
    `YYYY-MM-DD` or times as a property of type datetime takes them.
    """

    kind: str
    name: str = ""
    moments: tuple[str, ...] = ()
    span: Span | None = None


def day(text: str, zone: ZoneInfo) -> Window:
    """The day `YYYY-MM-DD` in the zone."""
    return _days(date.fromisoformat(text), 1, zone)


def moment(text: str, zone: ZoneInfo) -> Window:
    """The whole day that a bare date means, or the instant of a datetime."""
    if len(text) == len("YYYY-MM-DD"):
        return day(text, zone)
    read = values.parse(Type.DATETIME, text, zone)
    us = clock.to_us(datetime.fromisoformat(str(read)))
    return Window(us, us + 1)


def longest(span: Span) -> int:
    """The most microseconds that a span can come to, whatever calendar and clock changes do."""
    clock_unit = _CLOCK_UNITS.get(span.unit)
    if clock_unit is not None or span.amount == 0:
        return span.amount * (clock_unit or 0)
    days = {"days": 1, "weeks": 7, "months": 31}[span.unit] * span.amount
    return days * _DAY + _MOST_CHANGE


def today(when: When) -> Window:
    """The day it is in the zone."""
    return _days(local_date(when.now, when.zone), 1, when.zone)


def last(when: When, span: Span) -> Window:
    """From so long ago up to and including now."""
    return Window(_shift(when, span, -1), when.now + 1)


def upcoming(when: When, span: Span) -> Window:
    """From now up to and including the moment so far ahead."""
    return Window(when.now, _shift(when, span, 1) + 1)


def exactly(when: When, span: Span, sign: int) -> Window:
    """The clock's minute or hour, or the day, that lies so far ahead (`sign` 1) or back (-1)."""
    length = _CLOCK_UNITS.get(span.unit)
    if length is None:
        return _days(shifted_day(when, span, sign), 1, when.zone)
    wall = to_wall(_shift(when, span, sign), when.zone)
    offset = wall - _shift(when, span, sign)
    start = wall // length * length - offset
    return Window(start, start + length)


def shifted_day(when: When, span: Span, sign: int) -> date:
    """The day that lies so many days, weeks or months ahead (`sign` 1) or back (-1)."""
    wall = _move(to_wall(when.now, when.zone), span, sign)
    return date.fromordinal(_within(wall) // _DAY + EPOCH_ORDINAL)


def local_date(us: int, zone: ZoneInfo) -> date:
    """The day of a moment in the zone."""
    return date.fromordinal(_within(to_wall(us, zone)) // _DAY + EPOCH_ORDINAL)


def dates(window: Window, zone: ZoneInfo) -> tuple[int | None, int | None]:
    """The first and the last day that the window touches, as `date` ordinals, None: open.

    They are whole numbers because they may lie outside the years that a date can have.
    """
    first = None if window.start is None else _ordinal(window.start, zone)
    final = None if window.end is None else _ordinal(window.end - 1, zone)
    return first, final


def to_wall(us: int, zone: ZoneInfo) -> int:
    """What the clock on a wall in the zone shows, as if it were UTC."""
    near = min(max(us, _FIRST + _DAY), _LAST - _DAY)
    return us + _us(clock.to_datetime(near).astimezone(zone).utcoffset())


def of(during: During | None, when: When) -> Window:
    """The stretch of time in which the events of a condition lie; without a PERIOD, all of it."""
    return Window() if during is None else _KINDS[during.kind](during, when)


def _ordinal(us: int, zone: ZoneInfo) -> int:
    return to_wall(us, zone) // _DAY + EPOCH_ORDINAL


def _from_wall(wall: int, zone: ZoneInfo) -> int:
    local = clock.to_datetime(_within(wall)).replace(tzinfo=zone)
    return wall - _us(local.utcoffset())


def _us(offset: timedelta | None) -> int:
    return 0 if offset is None else offset // _MICROSECOND


def _within(wall: int) -> int:
    return min(max(wall, _FIRST), _LAST)


def _days(first: date, count: int, zone: ZoneInfo) -> Window:
    start = (first.toordinal() - EPOCH_ORDINAL) * _DAY
    return Window(_from_wall(start, zone), _from_wall(start + count * _DAY, zone))


def _shift(when: When, span: Span, sign: int) -> int:
    if span.amount == 0:
        return when.now
    if span.unit in _CLOCK_UNITS:
        return when.now + sign * span.amount * _CLOCK_UNITS[span.unit]
    return _from_wall(_move(to_wall(when.now, when.zone), span, sign), when.zone)


def _move(wall: int, span: Span, sign: int) -> int:
    """A wall time moved by days, weeks or months, never beyond the years 1 to 9999."""
    if span.unit == "months":
        return _move_months(wall, sign * span.amount)
    days = span.amount * (7 if span.unit == "weeks" else 1)
    return _within(wall + sign * days * _DAY)


def _move_months(wall: int, months: int) -> int:
    today = date.fromordinal(_within(wall) // _DAY + EPOCH_ORDINAL)
    year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        return _FIRST if months < 0 else _LAST
    last = calendar.monthrange(year, month + 1)[1]
    moved = date(year, month + 1, min(today.day, last))
    return wall + (moved.toordinal() - today.toordinal()) * _DAY


def _week(when: When, back: int) -> Window:
    today = local_date(when.now, when.zone)
    return _days(today - timedelta(days=today.weekday() + 7 * back), 7, when.zone)


def _month(when: When, back: int) -> Window:
    first = local_date(when.now, when.zone).replace(day=1)
    if back:
        first = (first - timedelta(days=1)).replace(day=1)
    return _days(first, calendar.monthrange(first.year, first.month)[1], when.zone)


def _yesterday(when: When) -> Window:
    return _days(local_date(when.now, when.zone) - timedelta(days=1), 1, when.zone)


NAMED: dict[str, Callable[[When], Window]] = {
    "today": today,
    "yesterday": _yesterday,
    "thisWeek": lambda when: _week(when, 0),
    "lastWeek": lambda when: _week(when, 1),
    "thisMonth": lambda when: _month(when, 0),
    "lastMonth": lambda when: _month(when, 1),
}


def _start(text: str, when: When) -> int | None:
    return moment(text, when.zone).start


def _last(during: During, when: When) -> Window:
    return last(when, during.span or Span(0, "days"))


# A moment given as a date is that day's beginning: `after` a date means since it.
_KINDS: dict[str, Callable[[During, When], Window]] = {
    "period": lambda during, when: NAMED[during.name](when),
    "on": lambda during, when: day(during.moments[0], when.zone),
    "after": lambda during, when: Window(start=_start(during.moments[0], when)),
    "before": lambda during, when: Window(end=_start(during.moments[0], when)),
    "between": lambda during, when: Window(
        _start(during.moments[0], when), _start(during.moments[1], when)
    ),
    "last": _last,
}
