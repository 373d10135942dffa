"""Conditions from JSON and back (specification: segments, "The condition language").

`parse` checks everything at once: names against the declarations, operators against the table,
values against the types. What comes out needs no further checking.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from user360 import errors
from user360.records.properties import Catalogue
from user360.segments.language import nodes, operands, operators, reading, reading_events
from user360.segments.language.comparisons import Operand
from user360.segments.language.nodes import Node
from user360.segments.language.periods import During, Span
from user360.segments.language.reading import DEEPEST, Reader


def parse(
    given: object, catalogue: Catalogue, path: str = "where", segments: Collection[int] = ()
) -> Node:
    """The tree that `given` (any JSON value) means.

    `path` names the place of `given` in the request. `segments` are the numbers of the segments,
    static and dynamic, that may be named. Raises `InvalidCondition` with a fault for every place
    that is wrong.
    """
    reader = Reader(catalogue, segments)
    node = _node(reader, given, path, 1)
    if reader.faults or node is None:
        first = reader.faults[0]
        raise errors.InvalidCondition(f"{first.path} {first.message}", faults=reader.faults)
    return node


def dump(node: Node) -> dict[str, Any]:
    """The JSON of a tree: `parse(dump(node), ...)` is `node` again."""
    match node:
        case nodes.All():
            return {"all": [dump(each) for each in node.nodes]}
        case nodes.Any():
            return {"any": [dump(each) for each in node.nodes]}
        case nodes.Not():
            return {"not": dump(node.node)}
        case nodes.PropertyTest():
            return {"property": node.property, **_dump_test(node)}
        case nodes.EventTest():
            return _dump_event(node)
        case nodes.Sequence():
            return _dump_sequence(node)
        case nodes.Membership():
            return {"segment": node.segment, "in": node.inside}


def _node(reader: Reader, given: object, path: str, depth: int) -> Node | None:
    if depth > DEEPEST:
        reader.fault(path, f"expected nesting no more than {DEEPEST} deep")
        return None
    if not reader.counted(path):
        return None
    kinds = [kind for kind in _KINDS if kind in given] if isinstance(given, dict) else []
    if not isinstance(given, dict) or len(kinds) != 1:
        _which(reader, given, kinds, path)
        return None
    allowed, read = _KINDS[kinds[0]]
    reader.only(given, allowed, path)
    return read(reader, given, path, depth)


def _which(reader: Reader, given: object, kinds: list[str], path: str) -> None:
    """Say what a condition is, to somebody who gave none, or several in one."""
    if kinds:
        reader.fault(path, f"expected only one of {', '.join(kinds)}")
        return
    guesses = [reader.guess(str(key), _KINDS) for key in given] if isinstance(given, dict) else []
    guess = next(filter(None, guesses), "")
    reader.fault(path, f"expected an object with one of {', '.join(_KINDS)}; {guess}".rstrip("; "))


def _all(reader: Reader, given: Mapping[str, object], path: str, depth: int) -> Node | None:
    inner = _branch(reader, given["all"], f"{path}.all", depth)
    return nodes.All(inner) if inner else None


def _any(reader: Reader, given: Mapping[str, object], path: str, depth: int) -> Node | None:
    inner = _branch(reader, given["any"], f"{path}.any", depth)
    return nodes.Any(inner) if inner else None


def _not(reader: Reader, given: Mapping[str, object], path: str, depth: int) -> Node | None:
    inner = _node(reader, given["not"], f"{path}.not", depth + 1)
    return nodes.Not(inner) if inner else None


def _branch(reader: Reader, given: object, path: str, depth: int) -> tuple[Node, ...]:
    if not isinstance(given, list) or not given:
        reader.fault(path, "expected a list of at least one condition")
        return ()
    read = []
    for i, each in enumerate(given):
        if reader.nodes > reading.MOST_NODES:
            break
        read.append(_node(reader, each, f"{path}.{i}", depth + 1))
    return tuple(node for node in read if node is not None)


def _property(reader: Reader, given: Mapping[str, object], path: str, _depth: int) -> Node | None:
    found = reading.of_property(reader, given, path)
    if found is None:
        return None
    op = reading.operator_of(reader, given.get("op"), operators.names(found.type), path)
    row = operators.find(op, found.type) if op else None
    if op is None or row is None:
        return None

    def read(value: object) -> Operand:
        return operands.of_property(row, found.type, value)

    values = reader.values(given.get("values", []), row.takes, read, f"{path}.values")
    return None if values is None else nodes.PropertyTest(found.name, op, values)


def _event(reader: Reader, given: Mapping[str, object], path: str, _depth: int) -> Node | None:
    return reading_events.event(reader, given, path)


def _segment(reader: Reader, given: Mapping[str, object], path: str, _depth: int) -> Node | None:
    number, inside = given["segment"], reader.flag(given.get("in", True), f"{path}.in")
    if isinstance(number, bool) or not isinstance(number, int) or number not in reader.segments:
        reader.fault(f"{path}.segment", "expected the number of a segment that can be used")
        return None
    return nodes.Membership(number, inside)


def _sequence(reader: Reader, given: Mapping[str, object], path: str, _depth: int) -> Node | None:
    return reading_events.sequence(reader, given, path)


_Read = Callable[[Reader, Mapping[str, object], str, int], Node | None]
_KINDS: dict[str, tuple[tuple[str, ...], _Read]] = {
    "all": (("all",), _all),
    "any": (("any",), _any),
    "not": (("not",), _not),
    "property": (("property", "op", "values"), _property),
    "event": (reading_events.KEYS, _event),
    "segment": (("segment", "in"), _segment),
    "sequence": (reading_events.SEQUENCE_KEYS, _sequence),
}


def _dump_test(test: nodes.PropertyTest | nodes.PathTest) -> dict[str, Any]:
    if not test.values:
        return {"op": test.op}
    return {"op": test.op, "values": [_dump_operand(value, test.op) for value in test.values]}


def _dump_operand(value: Operand, op: str) -> object:
    if not isinstance(value, Span):
        return value
    span = msgspec.structs.asdict(value)
    return {"inNext": span} if op == "anniversary" else span


def _dump_event(node: nodes.EventTest) -> dict[str, Any]:
    dumped: dict[str, Any] = {"event": node.event, "occurred": node.occurred}
    if node.count:
        dumped["count"] = {"op": node.count.op, "value": node.count.value}
    if node.during:
        dumped["during"] = _dump_during(node.during)
    if node.where:
        dumped["where"] = _dump_where(node.where)
    if node.sum:
        dumped["sum"] = msgspec.structs.asdict(node.sum)
    return dumped


def _dump_sequence(node: nodes.Sequence) -> dict[str, Any]:
    steps = [
        {"event": step.event, **({"where": _dump_where(step.where)} if step.where else {})}
        for step in node.steps
    ]
    dumped: dict[str, Any] = {"sequence": steps, "completed": node.completed}
    if node.within:
        dumped["within"] = msgspec.structs.asdict(node.within)
    if node.during:
        dumped["during"] = _dump_during(node.during)
    return dumped


def _dump_where(tests: tuple[nodes.PathTest, ...]) -> list[dict[str, Any]]:
    return [{"path": test.path, **_dump_test(test)} for test in tests]


def _dump_during(during: During) -> dict[str, Any]:
    if during.span:
        return {during.kind: msgspec.structs.asdict(during.span)}
    if during.name:
        return {during.kind: during.name}
    moments = list(during.moments)
    return {during.kind: moments if during.kind == "between" else moments[0]}
