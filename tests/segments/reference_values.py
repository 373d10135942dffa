"""The plain meaning of conditions on properties."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import phonenumbers

from tests.segments.reference_days import of_day, of_instant
from tests.segments.world import Person, World

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
