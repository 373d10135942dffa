"""What a condition means, as slowly and plainly as it can be said.

Written from the specification and apart from the compiler: it reads the JSON as it was given,
reckons with the calendar in its own way, and knows nothing of SQL or windows.
"""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """When and where a condition is asked, and what the properties are."""

    now: datetime
    zone: ZoneInfo
    types: dict[str, str] = field(compare=False)


@dataclass(eq=False)
class Happening:
    """Something that happened to a person."""

    name: str
    at: datetime
    properties: dict[str, Any]


@dataclass(eq=False)
class Person:
    """A person, with the values as records keep them."""

    number: int
    properties: dict[str, Any]
    events: list[Happening] = field(default_factory=list)
    segments: frozenset[int] = frozenset()


def holds(tree: dict[str, Any], person: Person, world: World) -> bool:
    """Whether the condition is true of the person."""
    if "all" in tree:
        return all(holds(each, person, world) for each in tree["all"])
    if "any" in tree:
        return any(holds(each, person, world) for each in tree["any"])
    if "not" in tree:
        return not holds(tree["not"], person, world)
    if "property" in tree:
        return of_property(tree, person, world)
    if "segment" in tree:
        return (tree["segment"] in person.segments) == tree["in"]
    return of_events(tree, person, world)


# --- properties ---------------------------------------------------------------------------------

NEGATIVE = {
    "unknown": "known",
    "isNot": "is",
    "notContains": "contains",
    "isNotTrue": "isTrue",
    "isNotFalse": "isFalse",
    "hasNot": "has",
    "isEmpty": "known",
}


def of_property(tree: dict[str, Any], person: Person, world: World) -> bool:
    op, values = tree["op"], tree.get("values", [])
    value = person.properties.get(tree["property"])
    kind = world.types[tree["property"]]
    if op in NEGATIVE:
        return not positive(NEGATIVE[op], kind, value, values, world)
    return positive(op, kind, value, values, world)


def positive(op: str, kind: str, value: Any, values: list[Any], world: World) -> bool:
    if value is None:
        return False
    if op == "known":
        return True
    if kind == "string":
        return text(op, value, [each.strip() for each in values])
    if kind in ("email", "phone", "url"):
        return address(op, kind, value, values)
    if kind == "number":
        return number(op, value, values)
    if kind == "boolean":
        return value is (op == "isTrue")
    if kind == "list":
        wanted = [each.strip() for each in values]
        return (all if op == "hasAll" else any)(each in value for each in wanted)
    if kind == "time":
        return clock_time(op, value, values)
    if kind == "date":
        return of_day(op, date.fromisoformat(value), values, world)
    return of_instant(op, datetime.fromisoformat(value), values, world)


def fold(text: str) -> str:
    """Lower case as engines do it: one character for one character."""
    return "".join(each.lower()[0] for each in text)


def text(op: str, value: str, values: list[str]) -> bool:
    found, wanted = fold(value), [fold(each) for each in values]
    if op == "is":
        return found in wanted
    if op == "contains":
        return any(each in found for each in wanted)
    if op == "startsWith":
        return any(found[: len(each)] == each for each in wanted)
    return any(each == "" or found[-len(each) :] == each for each in wanted)


def address(op: str, kind: str, value: str, values: list[str]) -> bool:
    if op == "domainIs":
        return value.split("@")[1] in [each.strip().lower().removeprefix("@") for each in values]
    if kind == "email":
        return value in [each.strip().lower() for each in values]
    if kind == "phone":
        return value in [e164(each) for each in values]
    return value in [each.strip() for each in values]


def e164(given: str) -> str:
    plus = given if given.strip().startswith("+") else "+" + given
    parsed = phonenumbers.parse(plus)
    return f"+{parsed.country_code}{parsed.national_number}"


def number(op: str, value: float, values: list[float]) -> bool:
    if op == "between":
        return values[0] <= value <= values[1]
    return any(compared(op, value, each) for each in values)


def compared(op: str, left: float, right: float) -> bool:
    tests: dict[str, Callable[[], bool]] = {
        "is": lambda: left == right,
        "isNot": lambda: left != right,
        "gt": lambda: left > right,
        "gte": lambda: left >= right,
        "lt": lambda: left < right,
        "lte": lambda: left <= right,
    }
    return tests[op]()


def clock_time(op: str, value: str, values: list[str]) -> bool:
    at, given = time.fromisoformat(value), [time.fromisoformat(each) for each in values]
    if op == "between":
        return given[0] <= at <= given[1]
    if op == "is":
        return at in given
    return any(at < each if op == "isBefore" else at > each for each in given)


# --- days and instants --------------------------------------------------------------------------


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


# --- events -------------------------------------------------------------------------------------


def of_events(tree: dict[str, Any], person: Person, world: World) -> bool:
    found = [
        event
        for event in person.events
        if event.name == tree["event"]
        and during(tree.get("during"), event.at, world)
        and all(where(test, event.properties, world) for test in tree.get("where", []))
    ]
    return enough(tree, found) == tree.get("occurred", True)


def enough(tree: dict[str, Any], found: list[Happening]) -> bool:
    tests = []
    if "count" in tree:
        tests.append((tree["count"], float(len(found))))
    if "sum" in tree:
        amounts = [at_path(event.properties, tree["sum"]["path"]) for event in found]
        total = math.fsum(each for each in amounts if is_number(each))
        tests.append((tree["sum"], round(total, 6)))
    if not found:
        idle = ("is", "isNot", "lt", "lte")
        return bool(tests) and all(
            test["op"] in idle and compared(test["op"], 0, test["value"]) for test, _ in tests
        )
    return all(compared(test["op"], total, test["value"]) for test, total in tests)


def during(period: dict[str, Any] | None, at: datetime, world: World) -> bool:
    if period is None:
        return True
    ((kind, given),) = period.items()
    day = at.astimezone(world.zone).date()
    if kind == "period":
        return named(given, day, world.now.astimezone(world.zone).date())
    if kind == "on":
        return day == date.fromisoformat(given)
    if kind == "after":
        return reached(at, given, world)
    if kind == "before":
        return not reached(at, given, world)
    if kind == "between":
        return reached(at, given[0], world) and not reached(at, given[1], world)
    return moved(given, world, -1) <= at <= world.now


def reached(at: datetime, given: str, world: World) -> bool:
    """Whether `at` is at or after a moment; that of a day is its beginning."""
    moment = read(given, world)
    if isinstance(moment, datetime):
        return at >= moment
    return at.astimezone(world.zone).date() >= moment


def named(name: str, day: date, today: date) -> bool:
    monday = today - timedelta(days=today.isoweekday() - 1)
    if name == "today":
        return day == today
    if name == "yesterday":
        return day + timedelta(days=1) == today
    if name == "thisWeek":
        return monday <= day < monday + timedelta(days=7)
    if name == "lastWeek":
        return monday - timedelta(days=7) <= day < monday
    months = (today.year * 12 + today.month) - (day.year * 12 + day.month)
    return months == (0 if name == "thisMonth" else 1)


def at_path(properties: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(properties, dict):
            return None
        properties = properties.get(key)
    return properties


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def where(test: dict[str, Any], properties: dict[str, Any], world: World) -> bool:
    op, values = test["op"], test.get("values", [])
    value = at_path(properties, test["path"])
    if op == "isEmpty":
        return not (isinstance(value, list) and value)
    if op in NEGATIVE:
        return not within(NEGATIVE[op], value, values, world)
    return within(op, value, values, world)


def within(op: str, value: Any, values: list[Any], world: World) -> bool:
    """A value within an event, by its own JSON type."""
    if op == "known":
        return value is not None
    if op in ("isTrue", "isFalse"):
        return value is (op == "isTrue")
    if op in ("has", "hasAll"):
        texts = [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
        return bool(value) and (all if op == "hasAll" else any)(each in texts for each in values)
    if op == "is":
        return any(same(value, each) for each in values)
    if op in ("contains", "startsWith", "endsWith"):
        return isinstance(value, str) and text(op, value, values)
    if op in ("gt", "gte", "lt", "lte") or (op == "between" and is_number(values[0])):
        return is_number(value) and number(op, value, values)
    moment = iso(value)
    return moment is not None and of_instant(op, moment, values, world)


def same(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(value, bool):
        return value is wanted
    if isinstance(wanted, str):
        return isinstance(value, str) and fold(value) == fold(wanted)
    return is_number(value) and float(value) == float(wanted)


def iso(value: Any) -> datetime | None:
    """The moment that a text writes in ISO 8601, to the microsecond."""
    if not isinstance(value, str) or not re.match(r"[1-9]\d{3}-\d\d-\d\d($|[T ]\d\d:\d\d)", value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None
