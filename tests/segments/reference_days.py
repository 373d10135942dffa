"""The plain meaning of days and instants, by the calendar of the workspace's zone."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.segments.world import World

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def of_day(op: str, value: date, values: list[Any], world: World) -> bool:
    today = world.now.astimezone(world.zone).date()
    if op == "is":
        return any(value == date.fromisoformat(each) for each in values)
    if op == "isBefore":
        return any(value < date.fromisoformat(each) for each in values)
    if op == "isAfter":
        return any(value > date.fromisoformat(each) for each in values)
    if op == "between":
        return date.fromisoformat(values[0]) <= value <= date.fromisoformat(values[1])
    if op == "isToday":
        return value == today
    if op == "anniversary":
        return returns(value, values, today)
    moved = [moved_day(each, world, -1 if op in ("inLast", "wasExactly") else 1) for each in values]
    if op == "inLast":
        return any(each <= value <= today for each in moved)
    if op == "inNext":
        return any(today <= value <= each for each in moved)
    return value in moved


def of_instant(op: str, value: datetime, values: list[Any], world: World) -> bool:
    """`value` has an offset, or none when it is what a clock on the wall showed."""
    if op == "is":
        return any(is_at(value, each, world) for each in values)
    if op == "isBefore":
        return any(is_before(value, each, world) for each in values)
    if op == "isAfter":
        return any(is_after(value, each, world) for each in values)
    if op == "between":
        first, second = values
        return not is_before(value, first, world) and not is_after(value, second, world)
    if op == "isToday":
        return local(value, world).date() == world.now.astimezone(world.zone).date()
    if op == "anniversary":
        today = world.now.astimezone(world.zone).date()
        return returns(local(value, world).date(), values, today)
    return any(near(op, value, each, world) for each in values)


def local(value: datetime, world: World) -> datetime:
    return value if value.tzinfo is None else value.astimezone(world.zone)


def in_terms_of(bound: datetime, value: datetime, world: World) -> datetime:
    """A bound as it is to be compared with `value`: an instant, or what the wall shows then."""
    if value.tzinfo is not None:
        return bound
    return bound.astimezone(world.zone).replace(tzinfo=None, fold=0)


def read(given: str, world: World) -> date | datetime:
    """A bare day, or the instant."""
    given = given.strip()
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", given):
        return date.fromisoformat(given)
    at = datetime.fromisoformat(given)
    at = at if at.tzinfo else at.replace(tzinfo=world.zone)
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def is_at(value: datetime, given: str, world: World) -> bool:
    at = read(given, world)
    if isinstance(at, datetime):
        return value == in_terms_of(at, value, world)
    return local(value, world).date() == at


def is_before(value: datetime, given: str, world: World) -> bool:
    at = read(given, world)
    if isinstance(at, datetime):
        return value < in_terms_of(at, value, world)
    return local(value, world).date() < at


def is_after(value: datetime, given: str, world: World) -> bool:
    at = read(given, world)
    if isinstance(at, datetime):
        return value > in_terms_of(at, value, world)
    return local(value, world).date() > at


def near(op: str, value: datetime, span: dict[str, Any], world: World) -> bool:
    now = in_terms_of(world.now, value, world)
    if op == "inLast":
        return in_terms_of(moved(span, world, -1), value, world) <= value <= now
    if op == "inNext":
        return now <= value <= in_terms_of(moved(span, world, 1), value, world)
    sign = -1 if op == "wasExactly" else 1
    if span["unit"] in ("minutes", "hours"):
        return same_on_the_clock(value, moved(span, world, sign), span["unit"], world)
    return local(value, world).date() == moved_day(span, world, sign)


def same_on_the_clock(value: datetime, at: datetime, unit: str, world: World) -> bool:
    """Whether both are in one minute or hour, by the clock as it was set at `at`."""
    length = timedelta(minutes=1) if unit == "minutes" else timedelta(hours=1)
    offset = at.astimezone(world.zone).utcoffset() or timedelta()
    into = (at + offset - EPOCH) % length
    start = in_terms_of(at - into, value, world)
    end = in_terms_of(at - into + length, value, world)
    return start <= value < end


def moved(span: dict[str, Any], world: World, sign: int) -> datetime:
    """The instant so far from now."""
    amount, unit = span["amount"], span["unit"]
    if amount == 0:
        return world.now
    if unit in ("minutes", "hours"):
        return world.now + sign * amount * timedelta(**{unit: 1})
    here = world.now.astimezone(world.zone).replace(tzinfo=None, fold=0)
    there = datetime.combine(moved_day(span, world, sign), here.time())
    return there.replace(tzinfo=world.zone).astimezone(UTC)


def moved_day(span: dict[str, Any], world: World, sign: int) -> date:
    amount, unit = span["amount"] * sign, span["unit"]
    if unit in ("minutes", "hours"):
        return (world.now + amount * timedelta(**{unit: 1})).astimezone(world.zone).date()
    today = world.now.astimezone(world.zone).date()
    if unit == "months":
        return moved_months(today, amount)
    return today + timedelta(days=amount * (7 if unit == "weeks" else 1))


def moved_months(day: date, months: int) -> date:
    year, month = day.year, day.month
    for _ in range(abs(months)):
        month += 1 if months > 0 else -1
        if month == 13:
            year, month = year + 1, 1
        if month == 0:
            year, month = year - 1, 12
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def returns(born: date, values: list[Any], today: date) -> bool:
    """Whether the day returns between today and so far ahead, looking at every day in between."""
    last = today
    for each in values:
        span = each["inNext"]
        world = World(
            datetime(today.year, today.month, today.day, 12, tzinfo=UTC), ZoneInfo("UTC"), {}
        )
        last = moved_day(span, world, 1)
    day = today
    while day <= last:
        if celebrated(born, day):
            return True
        day += timedelta(days=1)
    return False


def celebrated(born: date, day: date) -> bool:
    if (born.month, born.day) == (2, 29) and not calendar.isleap(day.year):
        return (day.month, day.day) == (2, 28)
    return (born.month, born.day) == (day.month, day.day)
