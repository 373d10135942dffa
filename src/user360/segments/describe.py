"""A condition as one English sentence, from the same rows that make its SQL."""

from __future__ import annotations

import json
from collections.abc import Sequence

from user360.records.properties import Catalogue, Type
from user360.segments import nodes, operands, operators, reading
from user360.segments.comparisons import Operand
from user360.segments.nodes import Node
from user360.segments.operators import Operator, Takes
from user360.segments.periods import During, Span

_NAMED = {
    "today": "today",
    "yesterday": "yesterday",
    "thisWeek": "this week",
    "lastWeek": "last week",
    "thisMonth": "this month",
    "lastMonth": "last month",
}
_QUOTED = (Type.STRING, Type.LIST, Type.URL)


def describe(node: Node | None, catalogue: Catalogue) -> str:
    """One sentence: `Records where country is "IN" or "US", and "Purchase" happened today.`"""
    return "All records." if node is None else f"Records where {_clause(node, catalogue)}."


def _clause(node: Node, catalogue: Catalogue) -> str:
    match node:
        case nodes.All():
            return ", and ".join(_inner(each, catalogue) for each in node.nodes)
        case nodes.Any():
            return ", or ".join(_inner(each, catalogue) for each in node.nodes)
        case nodes.Not():
            return f"it is not so that ({_clause(node.node, catalogue)})"
        case nodes.PropertyTest():
            return f"{node.property} {_property(node, catalogue)}"
        case nodes.EventTest():
            return _event(node)
        case nodes.Membership():
            return f"the record is {'' if node.inside else 'not '}in segment {node.segment}"


def _inner(node: Node, catalogue: Catalogue) -> str:
    """A clause within another: in brackets where it joins several itself."""
    clause = _clause(node, catalogue)
    joins = isinstance(node, nodes.All | nodes.Any) and len(node.nodes) > 1
    return f"({clause})" if joins else clause


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
    name = json.dumps(node.event, ensure_ascii=False)
    said = [f"{name} {_times(node)}", _during(node.during)]
    if node.where:
        said.append("with " + " and ".join(_where(test) for test in node.where))
    if node.sum:
        total = operators.TOTALS[node.sum.op].label
        joined = "and " if node.where else "with "
        said.append(
            f"{joined}its {node.sum.path} adding up to {total} {_value(node.sum.value, False)}"
        )
    clause = " ".join(filter(None, said))
    counted = node.count or node.sum
    return f"it is not so that ({clause})" if counted and not node.occurred else clause


def _times(node: nodes.EventTest) -> str:
    if node.count is None:
        return "happened" if node.occurred or node.sum else "never happened"
    times = "time" if node.count.value == 1 else "times"
    return f"happened {operators.TOTALS[node.count.op].label} {node.count.value} {times}"


def _where(test: nodes.PathTest) -> str:
    rows = operators.in_events(test.op)
    row = next((row for row in rows if operands.fits(row, next(iter(test.values), None))), rows[0])
    return f"{test.path} {_phrase(row, test.values, quoted=True)}"


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
