"""Conditions drawn at random: every operator, every period, nested as deep as reads well."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from tests.segments import people
from tests.segments.world import World
from user360.records.properties import Type
from user360.segments.language import operators, periods
from user360.segments.language.operators import Json, Operator, Takes

UNITS = list(periods.UNITS)
PATHS = [
    "amount",
    "item.sku",
    "item",
    "item.tags",
    "missing",
    "missing.x",
    "at",
    "flag",
    "amount.x",
]
PATHS += [*people.ODD_KEYS, 'say "hi".sku', "*.sku"]

Condition = dict[str, Any]


def pick(pool: list[Any]) -> st.SearchStrategy[Any]:
    """One of a pool, by its place: the pools are too long to be shown whole."""
    return st.integers(0, len(pool) - 1).map(lambda place: pool[place])


def trees(world: World) -> st.SearchStrategy[Condition]:
    """A condition tree."""
    leaf = st.one_of(
        property_tests(world), event_tests(world), sequence_tests(world), memberships(world)
    )
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.builds(lambda each: {"all": each}, st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda each: {"any": each}, st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda each: {"not": each}, inner),
        ),
        max_leaves=6,
    )


def memberships(world: World) -> st.SearchStrategy[Condition]:
    """A condition on the one static segment there is, or on a dynamic one."""
    return st.builds(
        lambda number, inside: {"segment": number, "in": inside},
        pick([people.STATIC, *world.segments]),
        st.booleans(),
    )


def property_tests(world: World) -> st.SearchStrategy[Condition]:
    """A condition on a property, from the rows of the operator table."""
    rows = [(row, kind) for row in operators.TABLE for kind in row.types]
    return pick(rows).flatmap(lambda pair: property_test(world, *pair))


def property_test(world: World, row: Operator, kind: Type) -> st.SearchStrategy[Condition]:
    """A condition with one operator on a property of one type."""
    values = operands(world, row, kind)
    names = pick(people.ASKED[kind.value])
    return st.builds(lambda name, given: test({"property": name}, row, given), names, values)


def test(place: Condition, row: Operator, values: list[Any]) -> Condition:
    """The JSON of one operator at one place."""
    return {**place, "op": row.name, **({"values": values} if values else {})}


def operands(world: World, row: Operator, kind: Type) -> st.SearchStrategy[list[Any]]:
    """The values that an operator takes for a property of a type."""
    if row.takes is Takes.NOTHING:
        return st.just([])
    if row.takes is Takes.SPANS:
        return st.lists(spans(UNITS), min_size=1, max_size=2)
    if row.takes is Takes.AHEAD:
        ahead = spans(["days", "weeks", "months"]).map(lambda span: {"inNext": span})
        return st.lists(ahead, max_size=1)
    if row.takes is Takes.DOMAINS:
        return some(["example.com", "@EXAMPLE.org", "mail.example.com", "ample.com"])
    one = values_of(world, kind)
    if row.takes is Takes.PAIR:
        return st.lists(one, min_size=2, max_size=2).filter(is_in_order)
    return st.lists(one, min_size=1, max_size=3)


def values_of(world: World, kind: Type) -> st.SearchStrategy[Any]:
    """One value to compare with a property of a type."""
    pool = people.pools(world)[kind.value]
    if kind is Type.STRING:
        return pick([*pool, "b", "A", " in ", "ST"])
    if kind is Type.LIST:
        return pick(["vip", "VIP", "new", "a_b", "'", '"', "5"])
    if kind is Type.DATETIME:
        return moments(world)
    if kind is Type.EMAIL:
        return pick([*pool, "ANN@Example.com"])
    if kind is Type.PHONE:
        return pick([*pool, "91 98765 43210"])
    return pick(pool)


def moments(world: World) -> st.SearchStrategy[str]:
    """A day, a time on the wall's clock, or an instant with its offset."""
    exact = pick(people.moments(world))
    here = exact.map(lambda moment: moment.astimezone(world.zone).replace(microsecond=0, fold=0))
    wall = here.map(lambda moment: moment.replace(tzinfo=None).isoformat(" "))
    offset = exact.map(lambda moment: moment.astimezone(world.zone).isoformat())
    return st.one_of(pick(people.days(world)[:24]), wall, offset)


def is_in_order(pair: list[Any]) -> bool:
    """Whether a pair is one that `between` takes."""
    first, second = pair
    if isinstance(first, str) and len(first) == len(second) <= len("YYYY-MM-DD"):
        return bool(first <= second)
    return isinstance(first, str) or first <= second


def some(pool: list[Any]) -> st.SearchStrategy[list[Any]]:
    """One to three of a pool."""
    return st.lists(pick(pool), min_size=1, max_size=3)


def spans(units: list[str]) -> st.SearchStrategy[Condition]:
    """A length of time."""
    return st.builds(
        lambda amount, unit: {"amount": amount, "unit": unit},
        pick([0, 1, 1, 2, 2, 7, 12, 24, 30, 48]),
        pick(units),
    )


def event_tests(world: World) -> st.SearchStrategy[Condition]:
    """A condition on events."""
    required = {"event": pick(people.EVENTS), "occurred": st.booleans()}
    compared = pick(["is", "isNot", "gt", "gte", "lt", "lte"])
    count = st.fixed_dictionaries({"op": compared, "value": st.integers(0, 4)})
    amount = pick([0, 5, -1, 0.3, 10, 2.5])
    path = pick(["amount", "item.sku", "missing"])
    return st.fixed_dictionaries(
        required,
        optional={
            "count": count,
            "during": durings(world),
            "where": st.lists(path_tests(world), min_size=1, max_size=2),
            "sum": st.fixed_dictionaries({"path": path, "op": compared, "value": amount}),
        },
    )


def sequence_tests(world: World) -> st.SearchStrategy[Condition]:
    """A condition on a sequence of events."""
    step = st.fixed_dictionaries(
        {"event": pick([*people.EVENTS[:2] * 3, *people.EVENTS])},
        optional={"where": st.lists(path_tests(world), max_size=1)},
    )
    return st.fixed_dictionaries(
        {"sequence": st.lists(step, min_size=2, max_size=4)},
        optional={
            "within": spans(UNITS),
            "completed": st.booleans(),
            "during": durings(world),
        },
    )


def within_one_another(world: World) -> st.SearchStrategy[dict[int, Condition]]:
    """Dynamic segments by number, each of which may ask about those before it."""

    def more(segments: dict[int, Condition]) -> st.SearchStrategy[dict[int, Condition]]:
        number = 21 + len(segments)
        known = replace(world, segments=segments)
        return trees(known).map(lambda given: {**segments, number: given})

    return st.just({}).flatmap(more).flatmap(more)


def durings(world: World) -> st.SearchStrategy[Condition]:
    """A PERIOD."""
    moment = moments(world)
    return st.one_of(
        pick(sorted(periods.NAMED)).map(lambda name: {"period": name}),
        pick(people.days(world)[:12]).map(lambda day: {"on": day}),
        moment.map(lambda at: {"after": at}),
        moment.map(lambda at: {"before": at}),
        st.lists(moment, min_size=2, max_size=2)
        .filter(lambda pair: is_in_order(pair) and pair[0] != pair[1])
        .map(lambda pair: {"between": pair}),
        spans(UNITS).map(lambda span: {"last": span}),
    )


def path_tests(world: World) -> st.SearchStrategy[Condition]:
    """A condition on a value within an event."""
    rows = [row for row in operators.TABLE if row.event]
    return pick(rows).flatmap(
        lambda row: st.builds(
            lambda path, values: test({"path": path}, row, values),
            pick(PATHS),
            event_operands(world, row),
        )
    )


def event_operands(world: World, row: Operator) -> st.SearchStrategy[list[Any]]:
    """The values that an operator takes for what events hold; `is` takes several types at once."""
    if row.takes in (Takes.NOTHING, Takes.SPANS, Takes.AHEAD):
        return operands(world, row, Type.DATETIME)
    if row.name in ("is", "isNot"):
        return some([*people.TEXTS, "", "hit", 5, 5.0, 0, True, False, 2.5])
    if row.event is Json.MOMENT:
        return operands(world, row, Type.DATETIME)
    if row.event is Json.NUMBER:
        return operands(world, row, Type.NUMBER)
    if row.event is Json.TEXTS:
        return some(["vip", "5", "é", "'", '"', "\\", "hit"])
    return some([*people.TEXTS, "hit", "t"])


def worlds() -> st.SearchStrategy[tuple[str, datetime]]:
    """A zone and a time."""
    return pick(people.WORLDS)
