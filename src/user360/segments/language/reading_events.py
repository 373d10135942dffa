"""The reading of conditions on events: count, PERIOD, `where`, sum, and sequences of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from user360 import errors
from user360.records import values
from user360.records.properties import Type
from user360.records.values import BadValue
from user360.segments.language import nodes, operands, operators, periods, reading
from user360.segments.language.comparisons import Operand
from user360.segments.language.nodes import Compared, EventTest, PathTest, Sequence, Step
from user360.segments.language.operators import Operator
from user360.segments.language.periods import During, Span
from user360.segments.language.reading import Reader

LONGEST_NAME = 200
LONGEST_PATH = 500
MOST_COUNTED = 1_000_000_000_000
FEWEST_STEPS, MOST_STEPS = 2, 10
KEYS = ("event", "occurred", "count", "during", "where", "sum")
SEQUENCE_KEYS = ("sequence", "within", "completed", "during")


def event(reader: Reader, given: Mapping[str, object], path: str) -> EventTest | None:
    """A condition on events."""
    _counted(reader, path)
    name = reader.text(given["event"], f"{path}.event", LONGEST_NAME)
    return nodes.EventTest(
        event=name or "",
        occurred=reader.flag(given.get("occurred", True), f"{path}.occurred"),
        count=_count(reader, given["count"], f"{path}.count") if "count" in given else None,
        during=_during(reader, given["during"], f"{path}.during") if "during" in given else None,
        where=_where(reader, given.get("where", []), f"{path}.where"),
        sum=_sum(reader, given["sum"], f"{path}.sum") if "sum" in given else None,
    )


def sequence(reader: Reader, given: Mapping[str, object], path: str) -> Sequence | None:
    """A condition on a sequence of events."""
    steps = _steps(reader, given["sequence"], f"{path}.sequence")
    within = _within(reader, given["within"], f"{path}.within") if "within" in given else None
    return nodes.Sequence(
        steps=steps,
        within=within,
        completed=reader.flag(given.get("completed", True), f"{path}.completed"),
        during=_during(reader, given["during"], f"{path}.during") if "during" in given else None,
    )


def _steps(reader: Reader, given: object, path: str) -> tuple[Step, ...]:
    if not isinstance(given, list) or not FEWEST_STEPS <= len(given) <= MOST_STEPS:
        reader.fault(path, f"expected a list of {FEWEST_STEPS} to {MOST_STEPS} steps")
        return ()
    steps = []
    for i, each in enumerate(given):
        if not reader.counted(f"{path}.{i}"):
            break
        steps.append(_step(reader, each, f"{path}.{i}"))
    return tuple(step for step in steps if step is not None)


def _step(reader: Reader, given: object, path: str) -> Step | None:
    _counted(reader, path)
    if not isinstance(given, dict):
        reader.fault(path, 'expected an object such as {"event": "Purchase"}')
        return None
    reader.only(given, ("event", "where"), path)
    name = reader.text(given.get("event"), f"{path}.event", LONGEST_NAME)
    return Step(name or "", _where(reader, given.get("where", []), f"{path}.where"))


def _within(reader: Reader, given: object, path: str) -> Span | None:
    try:
        return operands.span(given)
    except BadValue as bad:
        reader.fault(path, bad.message)
        return None


def _counted(reader: Reader, path: str) -> None:
    """Count one more kind of event that is looked for; once too many leaves a fault."""
    reader.events += 1
    if reader.events == reading.MOST_EVENTS + 1:
        most = reading.MOST_EVENTS
        reader.fault(path, f"expected at most {most} conditions on events, each step being one")


def _count(reader: Reader, given: object, path: str) -> Compared | None:
    if not isinstance(given, dict):
        reader.fault(path, 'expected an object such as {"op": "gte", "value": 3}')
        return None
    reader.only(given, ("op", "value"), path)
    op = reading.operator_of(reader, given.get("op"), tuple(operators.TOTALS), path)
    value = given.get("value")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_COUNTED:
        reader.fault(f"{path}.value", "expected a whole number from 0")
        return None
    return Compared(op, value) if op else None


def _sum(reader: Reader, given: object, path: str) -> Compared | None:
    if not isinstance(given, dict):
        reader.fault(path, 'expected an object such as {"path": "amount", "op": "gte", "value": 9}')
        return None
    reader.only(given, ("path", "op", "value"), path)
    at = _path(reader, given.get("path"), f"{path}.path")
    op = reading.operator_of(reader, given.get("op"), tuple(operators.TOTALS), path)
    try:
        value = _number(given.get("value"))
    except BadValue as bad:
        reader.fault(f"{path}.value", bad.message, errors.InvalidDataType.code)
        return None
    return Compared(op, value, at) if op and at else None


def _number(given: object) -> int | float:
    read = None if isinstance(given, str) else values.parse(Type.NUMBER, given, operands.ANYWHERE)
    if isinstance(read, int | float):
        return read
    raise BadValue("expected a number, such as 12 or 12.5")


def _path(reader: Reader, given: object, path: str) -> str | None:
    """A dotted path of object keys; a key may hold anything but a point."""
    longest = LONGEST_PATH
    if not isinstance(given, str) or len(given) > longest or operands.is_unfit(given):
        reader.fault(path, f"expected a dotted path of at most {longest} characters, such as a.b")
        return None
    if not all(given.split(".")):
        reader.fault(path, "expected keys with a point between them, such as a.b")
        return None
    return given


def _where(reader: Reader, given: object, path: str) -> tuple[PathTest, ...]:
    if not isinstance(given, list):
        reader.fault(path, "expected a list of conditions on what the event holds")
        return ()
    tests = []
    for i, each in enumerate(given):
        if not reader.counted(f"{path}.{i}"):
            break
        test = _path_test(reader, each, f"{path}.{i}")
        if test is not None:
            tests.append(test)
    return tuple(tests)


def _path_test(reader: Reader, given: object, path: str) -> PathTest | None:
    if not isinstance(given, dict):
        reader.fault(path, 'expected an object such as {"path": "a.b", "op": "is", "values": [1]}')
        return None
    reader.only(given, ("path", "op", "values"), path)
    at = _path(reader, given.get("path"), f"{path}.path")
    op = reading.operator_of(reader, given.get("op"), operators.EVENT_NAMES, path)
    if op is None:
        return None
    rows = operators.in_events(op)
    found = reader.values(given.get("values", []), rows[0].takes, _reads(rows), f"{path}.values")
    return PathTest(at, op, found) if at and found is not None else None


def _reads(rows: list[Operator]) -> Callable[[object], Operand]:
    """What reads a value by its own JSON type, among the operators of one name."""
    takes = " or ".join(str(row.event.value) for row in rows if row.event)

    def read(value: object) -> Operand:
        row = next((row for row in rows if operands.fits(row, value)), None)
        if row is None:
            raise BadValue(f"expected for this operator: {takes}")
        return operands.of_event(row, value)

    return read


def _during(reader: Reader, given: object, path: str) -> During | None:
    kinds = tuple(_PERIODS)
    if not isinstance(given, dict) or len(given) != 1 or next(iter(given)) not in _PERIODS:
        reader.fault(path, f"expected an object with exactly one of {', '.join(kinds)}")
        return None
    ((kind, value),) = given.items()
    try:
        return _PERIODS[kind](value)
    except BadValue as bad:
        reader.fault(f"{path}.{kind}", bad.message)
        return None


def _named(given: object) -> During:
    if isinstance(given, str) and given in periods.NAMED:
        return During("period", name=given)
    raise BadValue(f"expected one of {', '.join(periods.NAMED)}")


def _between(given: object) -> During:
    if not isinstance(given, list) or len(given) != 2:
        raise BadValue("expected a list of two moments: the beginning, included, and the end, not")
    first, second = (operands.moment(value) for value in given)
    if len(first) == len(second) == len("YYYY-MM-DD") and first >= second:
        raise BadValue("expected an end after the beginning; the end is not included")
    return During("between", moments=(first, second))


_PERIODS: dict[str, Callable[[object], During]] = {
    "period": _named,
    "on": lambda given: During("on", moments=(operands.day(given),)),
    "after": lambda given: During("after", moments=(operands.moment(given),)),
    "before": lambda given: During("before", moments=(operands.moment(given),)),
    "between": _between,
    "last": lambda given: During("last", span=operands.span(given)),
}
