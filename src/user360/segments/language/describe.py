"""A condition as one English sentence, from the same rows that make its SQL."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from user360.records.properties import Catalogue, Type
from user360.segments.language import nodes, operands, operators, reading
from user360.segments.language.comparisons import Operand
from user360.segments.language.nodes import Node
from user360.segments.language.operators import Json, Operator, Takes
from user360.segments.language.periods import During, Span

_NAMED = {
    "today": "today",
    "yesterday": "yesterday",
    "thisWeek": "this week",
    "lastWeek": "last week",
    "thisMonth": "this month",
    "lastMonth": "last month",
}
_QUOTED = (Type.STRING, Type.LIST, Type.URL)


def describe(
    node: Node | None, catalogue: Catalogue, names: Mapping[int, str] = MappingProxyType({})
) -> str:
    """One sentence: `People for whom country is "IN" or "US", and "Purchase" happened today.`

    `names` are those of segments by number; one that is not among them goes by its number.
    """
    return "Everybody." if node is None else f"People for whom {clause(node, catalogue, names)}."


def clause(
    node: Node, catalogue: Catalogue, names: Mapping[int, str] = MappingProxyType({})
) -> str:
    """What a node says, to be read within a sentence."""
    match node:
        case nodes.All():
            return ", and ".join(_inner(each, catalogue, names) for each in node.nodes)
        case nodes.Any():
            return ", or ".join(_inner(each, catalogue, names) for each in node.nodes)
        case nodes.Not():
            return _denied(clause(node.node, catalogue, names))
        case nodes.PropertyTest():
            return f"{node.property} {_property(node, catalogue)}"
        case nodes.EventTest():
            return _event(node)
        case nodes.Sequence():
            return _sequence(node)
        case nodes.Membership():
            return f"they are {'' if node.inside else 'not '}in {_segment(node, names)}"


def _inner(node: Node, catalogue: Catalogue, names: Mapping[int, str]) -> str:
    """A clause within another: in brackets where it has commas of its own."""
    said = clause(node, catalogue, names)
    joins = isinstance(node, nodes.All | nodes.Any) and len(node.nodes) > 1
    listed = isinstance(node, nodes.Sequence) and node.completed
    return f"({said})" if joins or listed else said


def _denied(said: str) -> str:
    return f"it is not so that ({said})"


def _segment(node: nodes.Membership, names: Mapping[int, str]) -> str:
    name = names.get(node.segment)
    return f"segment {node.segment}" if name is None else f"the segment {_quoted(name)}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _property(node: nodes.PropertyTest, catalogue: Catalogue) -> str:
    found = reading.property_of(node.property, catalogue)
    row = operators.find(node.op, found.type) if found else None
    if found is None or row is None:
        return f"{node.op} {_list(node.values, ' or ', True)}".strip()
    return _phrase(row, node.values, found.type in _QUOTED)


def _phrase(row: Operator, values: Sequence[Operand], quoted: bool) -> str:
    if row.takes is Takes.AHEAD:
        said = f"in the next {_value(values[0], False)}" if values else "today"
    else:
        joined = " and " if row.takes in (Takes.PAIR, Takes.ALL) else " or "
        said = _list(values, joined, quoted and row.takes is not Takes.DOMAINS)
    return row.english.format(values=said)


def _list(values: Sequence[Operand], joined: str, quoted: bool) -> str:
    return joined.join(_value(value, quoted) for value in values)


def _value(value: Operand, quoted: bool) -> str:
    if isinstance(value, Span):
        return f"{value.amount} {value.unit[:-1] if value.amount == 1 else value.unit}"
    if isinstance(value, str) and not quoted:
        return value
    return json.dumps(value, ensure_ascii=False)


def _event(node: nodes.EventTest) -> str:
    said = [_named(node.event, node.where), _times(node), _during(node.during)]
    if node.sum:
        total = f"{operators.TOTALS[node.sum.op].label} {_value(node.sum.value, False)}"
        said.append(f"with its {node.sum.path} adding up to {total}")
    clause = " ".join(filter(None, said))
    counted = node.count or node.sum
    return _denied(clause) if counted and not node.occurred else clause


def _sequence(node: nodes.Sequence) -> str:
    steps = ", then ".join(_named(step.event, step.where) for step in node.steps)
    within = f", all within {_value(node.within, False)}" if node.within else ""
    joined = " and " if node.within and node.during else " " if node.during else ""
    said = f"{steps} happened{within}{joined}{_during(node.during)}"
    return said if node.completed else _denied(said)


def _named(event: str, tests: Sequence[nodes.PathTest]) -> str:
    """The name of an event, with what it must hold in brackets."""
    held = ", and ".join(_where(test) for test in tests)
    return f"{_quoted(event)} (where {held})" if held else _quoted(event)


def _times(node: nodes.EventTest) -> str:
    if node.count is None:
        return "happened" if node.occurred or node.sum else "never happened"
    times = "time" if node.count.value == 1 else "times"
    return f"happened {operators.TOTALS[node.count.op].label} {node.count.value} {times}"


def _where(test: nodes.PathTest) -> str:
    rows = operators.in_events(test.op)
    row = next((row for row in rows if operands.fits(row, next(iter(test.values), None))), rows[0])
    return f"{test.path} {_phrase(row, test.values, row.event is not Json.MOMENT)}"


def _during(during: During | None) -> str:
    if during is None:
        return ""
    first, last = (*during.moments, "", "")[:2]
    span = _value(during.span, False) if during.span else ""
    return {
        "period": _NAMED.get(during.name, ""),
        "on": f"on {first}",
        "after": f"since {first}",
        "before": f"before {first}",
        "between": f"from {first} until before {last}",
        "last": f"in the last {span}",
    }[during.kind]
