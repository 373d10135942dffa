"""Every row of the operator table, walked over every awkward value."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.segments import people, reference
from tests.segments.reference import Happening, Person
from tests.segments.warehouse import Warehouse
from user360.records.properties import Type
from user360.segments.language import operators, page
from user360.segments.language.operators import TABLE, Json, Operator, Takes

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "conditions.md"
WORLD = people.world("Europe/Berlin", datetime.fromisoformat("2026-03-29T01:00:00Z"))
POOLS = people.pools(WORLD)
SPANS = [
    {"amount": amount, "unit": unit}
    for amount in (0, 1, 30)
    for unit in ("minutes", "hours", "days", "weeks", "months")
]
COMPLEMENTS = {
    "unknown": "known",
    "isNot": "is",
    "notContains": "contains",
    "isNotTrue": "isTrue",
    "isNotFalse": "isFalse",
    "hasNot": "has",
    "isEmpty": "known",
}

CELLS = [(row, kind) for row in TABLE for kind in row.types]
JSON_VALUES: list[Any] = [
    None, True, False, 0, 1, 5, 5.0, 2.5, -1, "", "5", "true", "null", [], ["5"], [5], [None],
    ["vip", "É"], {}, {"a": "5"}, *people.TEXTS, *people.written(WORLD)[:60],
]  # fmt: skip


@pytest.fixture(scope="module")
def of_values() -> tuple[Warehouse, list[Person]]:
    """One person for each awkward value of each type, and one who has none."""
    everything = [
        {name: value}
        for kind, names in people.ASKED.items()
        for name in names[:1]
        for value in POOLS[kind]
    ]
    times = {"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}
    crowd = [Person(i, given | times) for i, given in enumerate([{}, *everything], start=1)]
    return filled(crowd), crowd


@pytest.fixture(scope="module")
def of_events() -> tuple[Warehouse, list[Person]]:
    """One person for each value that an event may hold, one whose event holds none."""
    held: list[dict[str, Any]] = [{"a": {"b": value}} for value in JSON_VALUES]
    held += [{}, {"a": None}, {"a": [{"b": "5"}]}, {"a": "b"}]
    crowd = [
        Person(i, {"createdAt": times, "updatedAt": times}, [Happening("E", WORLD.now, given)])
        for i, given in enumerate(held, start=1)
        for times in ["2026-01-01T00:00:00.000Z"]
    ]
    return filled(crowd), crowd


def filled(crowd: list[Person]) -> Warehouse:
    warehouse = Warehouse()
    warehouse.fill(crowd, Random(0))
    return warehouse


def operands(row: Operator, pool: list[Any]) -> list[list[Any]]:
    """Every value alone, and some together."""
    if row.takes is Takes.NOTHING:
        return [[]]
    if row.takes is Takes.SPANS:
        return [[span] for span in SPANS] + [SPANS[:3]]
    if row.takes is Takes.AHEAD:
        ahead = [
            [{"inNext": span}] for span in SPANS if span["unit"] in ("days", "weeks", "months")
        ]
        return [[], *ahead]
    if row.takes is Takes.DOMAINS:
        return [["example.com"], ["ample.com"], ["example.org", "mail.example.com"]]
    if row.takes is Takes.PAIR:
        ordered = sorted(pool)
        return [[ordered[0], ordered[-1]], [ordered[1], ordered[1]], ordered[1:3]]
    singles = [[value] for value in pool if value != ""]
    return [*singles, pool[1:4], pool[:12], pool[:2] * 2]


def values_for(kind: Type) -> list[Any]:
    if kind is Type.LIST:
        return ["vip", "VIP", "new", "a_b", "'", '"', "5", *"abcdef"]
    if kind is Type.DATETIME:
        return [*POOLS["datetime"][::9], *POOLS["date"][:8]]
    return list(POOLS[kind.value])


def event_values(row: Operator) -> list[Any]:
    return {
        Json.ANY: [0],
        Json.BOOLEAN: [True, False],
        Json.NUMBER: [0, 1, 5, 2.5, -1],
        Json.TEXT: ["5", *people.TEXTS],
        Json.TEXTS: ["5", "vip", "é", "É", *"abcdef"],
        Json.MOMENT: ["2026-03-29", "2026-03-28", "2026-03-29T01:00:00Z", "2026-03-29 03:00:00"],
    }[row.event or Json.ANY]


def name_of(cell: Any) -> str:
    return cell.name if isinstance(cell, Operator) else str(getattr(cell, "value", cell))


@pytest.mark.parametrize(("row", "kind"), CELLS, ids=name_of)
def test_an_operator_means_what_the_reference_says_for_every_value(
    of_values: tuple[Warehouse, list[Person]], row: Operator, kind: Type
) -> None:
    warehouse, crowd = of_values
    place = {"property": people.ASKED[kind.value][0], "op": row.name}
    for given in operands(row, values_for(kind)):
        asked = {**place, "values": given}
        expected = {p.number for p in crowd if reference.of_property(asked, p, WORLD)}
        assert warehouse.ids(asked, WORLD) == expected, asked


@pytest.mark.parametrize(("row", "kind"), CELLS, ids=name_of)
def test_a_negative_operator_is_the_exact_complement_of_its_positive(
    of_values: tuple[Warehouse, list[Person]], row: Operator, kind: Type
) -> None:
    warehouse, crowd = of_values
    everyone = {person.number for person in crowd}
    place = {"property": people.ASKED[kind.value][0]}
    for given in operands(row, values_for(kind))[-3:]:
        asked = {**place, "op": row.name, "values": given}
        found = warehouse.ids(asked, WORLD)
        assert warehouse.ids({"not": asked}, WORLD) == everyone - found
        if row.name in COMPLEMENTS:
            positive = {**asked, "op": COMPLEMENTS[row.name]}
            assert found == everyone - warehouse.ids(positive, WORLD)


@pytest.mark.parametrize("row", [row for row in TABLE if row.event], ids=name_of)
def test_an_operator_reads_what_events_hold_by_its_own_json_type(
    of_events: tuple[Warehouse, list[Person]], row: Operator
) -> None:
    warehouse, crowd = of_events
    for given in operands(row, event_values(row)):
        where = {"path": "a.b", "op": row.name, "values": given}
        asked = {"event": "E", "where": [where]}
        expected = {p.number for p in crowd if reference.of_events(asked, p, WORLD)}
        assert warehouse.ids(asked, WORLD) == expected, asked


def test_is_takes_the_type_of_each_value_it_is_given(
    of_events: tuple[Warehouse, list[Person]],
) -> None:
    warehouse, crowd = of_events
    for op in ("is", "isNot"):
        asked = {"event": "E", "where": [{"path": "a.b", "op": op, "values": ["5", 2.5, True]}]}
        expected = {p.number for p in crowd if reference.of_events(asked, p, WORLD)}
        assert warehouse.ids(asked, WORLD) == expected
        assert len(expected) not in (0, len(crowd))


def test_every_type_has_the_operators_that_the_specification_lists() -> None:
    dates = "is isBefore isAfter between isToday inLast inNext wasExactly willBeExactly anniversary"
    listed = {
        Type.STRING: "is isNot contains notContains startsWith endsWith",
        Type.EMAIL: "is isNot domainIs",
        Type.PHONE: "is isNot",
        Type.URL: "is isNot",
        Type.NUMBER: "is isNot gt gte lt lte between",
        Type.BOOLEAN: "isTrue isNotTrue isFalse isNotFalse",
        Type.LIST: "has hasNot hasAll isEmpty",
        Type.DATE: dates,
        Type.DATETIME: dates,
        Type.TIME: "is isBefore isAfter between",
    }
    for kind in Type:
        assert operators.names(kind) == ["known", "unknown", *listed[kind].split()]


def test_no_two_rows_answer_to_one_name_and_type() -> None:
    assert len(CELLS) == len({(row.name, kind) for row, kind in CELLS})
    events = [(row.name, row.event) for row in TABLE if row.event]
    assert len(events) == len(set(events))


def test_the_committed_reference_page_is_the_one_the_table_makes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page.reference_page()
