"""The plain meaning of conditions on events, and on sequences of them."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import Any

from tests.segments.reference_days import moved, of_instant, read
from tests.segments.reference_values import NEGATIVE, compared, fold, number, text
from tests.segments.world import Happening, Person, World


def of_events(tree: dict[str, Any], person: Person, world: World) -> bool:
    found = [
        event
        for event in person.events
        if event.name == tree["event"]
        and during(tree.get("during"), event.at, world)
        and all(where(test, event.properties, world) for test in tree.get("where", []))
    ]
    return enough(tree, found) == tree.get("occurred", True)


def of_sequence(tree: dict[str, Any], person: Person, world: World) -> bool:
    """Whether some events of the person, in their order, are the steps one after the other."""
    steps, span = tree["sequence"], tree.get("within")
    placed = sorted(enumerate(person.events), key=lambda pair: (pair[1].at, pair[0]))
    done = any(
        all(is_step(step, event, tree, world) for step, event in zip(steps, chosen, strict=True))
        and (span is None or is_within(chosen[0].at, chosen[-1].at, span, world))
        for chosen in combinations([event for _, event in placed], len(steps))
    )
    return done == tree.get("completed", True)


def is_step(step: dict[str, Any], event: Happening, tree: dict[str, Any], world: World) -> bool:
    return (
        event.name == step["event"]
        and during(tree.get("during"), event.at, world)
        and all(where(test, event.properties, world) for test in step.get("where", []))
    )


def is_within(first: datetime, last: datetime, span: dict[str, Any], world: World) -> bool:
    """Whether the first was in the last so and so long, at the time of the last."""
    return moved(span, replace(world, now=last), -1) <= first


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
