"""Stories of what a compiled condition answers, and of the SQL it becomes."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from itertools import product
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlglot
from sqlglot import exp

from tests.segments import people, reference
from tests.segments.people import CATALOGUE
from tests.segments.reference import Happening, Person, World
from tests.segments.warehouse import Warehouse, frame_of
from user360 import errors
from user360.records.properties import Catalogue
from user360.segments.compiler import compile as compiler
from user360.segments.language import operators, tree

NOW = datetime(2026, 11, 22, 5, 40, tzinfo=UTC)
INDIA = people.world("Asia/Kolkata", NOW)
TIMES = {"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}


def person(number: int, *events: Happening, **properties: Any) -> Person:
    return Person(number, TIMES | properties, list(events))


def bought(at: str = "2026-11-20T10:00:00Z", **properties: Any) -> Happening:
    return Happening("Purchase", datetime.fromisoformat(at), properties)


@cache
def filled(crowd: tuple[Person, ...]) -> Warehouse:
    warehouse = Warehouse()
    warehouse.fill(crowd, Random(1))
    return warehouse


def asked(given: dict[str, Any], *crowd: Person, world: World = INDIA) -> set[int]:
    """Who fits, of a crowd; the same whether or not some of their events lie under merged ids."""
    warehouse = filled(crowd)
    found = warehouse.ids(given, world, mapped=False)
    assert warehouse.ids(given, world, mapped=True) == found
    return found


def sql_of(given: dict[str, Any], mapped: bool = False) -> str:
    node = tree.parse(given, CATALOGUE, segments=(7,))
    return compiler.to_sql(compiler.select_ids(node, frame_of(INDIA, mapped)))


def test_the_second_question_of_the_figures_is_answered() -> None:
    given = {
        "all": [
            {"property": "country", "op": "is", "values": ["IN", "US"]},
            {"property": "emailOptin", "op": "isTrue"},
            {
                "event": "Purchase",
                "count": {"op": "gte", "value": 3},
                "during": {"after": "2026-11-01"},
            },
            {"event": "Downgrade", "occurred": False},
        ]
    }
    yes: dict[str, Any] = {"country": "in", "emailOptin": True}
    thrice = [bought(), bought(), bought()]
    downgrade = Happening("Downgrade", NOW, {})
    assert asked(
        given,
        person(1, *thrice, **yes),
        person(2, *thrice, downgrade, **yes),
        person(3, *thrice[:2], bought("2026-10-31T18:29:59Z"), **yes),
        person(4, *thrice[:2], bought("2026-10-31T18:30:00Z"), **yes),
        person(5, *thrice, country="IN"),
        person(6, *thrice, emailOptin=True),
    ) == {1, 4}


def test_nobody_is_missed_when_the_purchases_lie_under_records_merged_away() -> None:
    given = {"event": "Purchase", "count": {"op": "is", "value": 9}, "sum": _sum("is", 9)}
    assert asked(given, *(person(n, *[bought(amount=1)] * 9) for n in (3, 6, 9))) == {3, 6, 9}


def _sum(op: str, value: float) -> dict[str, Any]:
    return {"path": "amount", "op": op, "value": value}


def test_never_having_bought_is_less_than_three_times_but_not_at_least_no_times() -> None:
    crowd = [person(1), person(2, bought()), person(4, *[bought()] * 3)]
    for op, value, expected in [
        ("lt", 3, {1, 2}),
        ("lt", 0, set()),
        ("is", 0, {1}),
        ("isNot", 1, {1, 4}),
        ("isNot", 0, {2, 4}),
        ("gte", 0, {2, 4}),
    ]:
        assert asked({"event": "Purchase", "count": {"op": op, "value": value}}, *crowd) == expected


def test_every_comparison_of_every_small_count_is_right_and_so_is_its_complement() -> None:
    crowd = [person(n + 1, *[bought()] * n) for n in range(5)]
    for op, value in product(operators.TOTALS, range(5)):
        for sums in ({}, {"sum": _sum("gte", 0)}, {"sum": _sum("lte", 0)}):
            given = {"event": "Purchase", "count": {"op": op, "value": value}, **sums}
            expected = {each.number for each in crowd if reference.of_events(given, each, INDIA)}
            assert asked(given, *crowd) == expected, given
            assert asked({**given, "occurred": False}, *crowd) == {1, 2, 3, 4, 5} - expected


def test_a_sum_takes_what_is_no_number_for_nothing_and_cents_without_dust() -> None:
    crowd = [
        person(1, bought(amount=0.1), bought(amount=0.2)),
        person(2, bought(amount="0.3")),
        person(4, bought(amount=0.3), bought(amount="9"), bought(amount=None), bought()),
        person(5),
    ]
    assert asked({"event": "Purchase", "sum": _sum("is", 0.3)}, *crowd) == {1, 4}
    assert asked({"event": "Purchase", "sum": _sum("gt", 0.3)}, *crowd) == set()
    assert asked({"event": "Purchase", "sum": _sum("lt", 0.3)}, *crowd) == {2, 5}
    assert asked({"event": "Purchase", "sum": _sum("gte", 0)}, *crowd) == {1, 2, 4}


def test_of_count_and_sum_both_must_hold_and_the_complement_is_of_both() -> None:
    crowd = [person(1, bought(amount=50)), person(2, *[bought(amount=50)] * 2), person(4)]
    both = {"event": "Purchase", "count": {"op": "lt", "value": 2}, "sum": _sum("lt", 60)}
    assert asked(both, *crowd) == {1, 4}
    assert asked({**both, "sum": _sum("gte", 50)}, *crowd) == {1}
    assert asked({**both, "sum": _sum("gte", 50), "occurred": False}, *crowd) == {2, 4}


def test_a_purchase_at_this_very_moment_is_in_the_last_hour_and_one_ahead_is_not() -> None:
    last = {"event": "Purchase", "during": {"last": {"amount": 1, "unit": "hours"}}}
    crowd = [
        person(1, bought("2026-11-22T05:40:00Z")),
        person(2, bought("2026-11-22T05:40:00.000001Z")),
        person(4, bought("2026-11-22T04:40:00Z")),
        person(5, bought("2026-11-22T04:39:59.999999Z")),
    ]
    assert asked(last, *crowd) == {1, 4}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-22T05:40:00Z", {1}),
        ("2026-11-21T18:30:00Z", {1}),
        ("2026-11-22T18:29:59Z", {1}),
        ("2026-11-22T18:30:00Z", set()),
        ("2027-02-28T12:00:00Z", {2, 3}),
        ("2028-02-28T12:00:00Z", {2}),
        ("2028-02-29T12:00:00Z", {3}),
    ],
)
def test_birthdays_come_with_the_day_in_india_leap_days_on_the_28th(
    now: str, expected: set[int]
) -> None:
    crowd = [
        person(n, dob=day) for n, day in enumerate(["1990-11-22", "1999-02-28", "2000-02-29"], 1)
    ]
    world = people.world("Asia/Kolkata", datetime.fromisoformat(now))
    assert asked({"property": "dob", "op": "anniversary"}, *crowd, world=world) == expected


def test_birthdays_of_the_coming_week_are_found_over_the_turn_of_the_year() -> None:
    world = people.world("Asia/Kolkata", datetime.fromisoformat("2026-12-29T10:00:00Z"))
    born = ["1990-12-28", "1990-12-29", "1990-12-31", "1990-01-01", "1990-01-05", "1990-01-06"]
    crowd = [person(n, dob=day) for n, day in enumerate(born)]
    week = {"inNext": {"amount": 1, "unit": "weeks"}}
    given = {"property": "dob", "op": "anniversary", "values": [week]}
    assert asked(given, *crowd, world=world) == {1, 2, 3, 4}
    assert asked({"not": given}, *crowd, person(9), world=world) == {0, 5, 9}
    year = {"inNext": {"amount": 12, "unit": "months"}}
    assert len(asked({**given, "values": [year]}, *crowd, world=world)) == 6


def test_a_day_written_in_an_event_is_that_day_even_where_its_midnight_is_skipped() -> None:
    world = people.world("America/Sao_Paulo", datetime.fromisoformat("2018-11-04T15:00:00Z"))
    crowd = [person(n, bought(due=f"2018-11-0{n}")) for n in (3, 4, 5)]
    for op, values, expected in [
        ("isToday", [], {4}),
        ("isBefore", ["2018-11-04"], {3}),
        ("isAfter", ["2018-11-04"], {5}),
    ]:
        where = {"path": "due", "op": op, "values": values}
        assert asked({"event": "Purchase", "where": [where]}, *crowd, world=world) == expected


def test_what_looks_like_sql_is_only_ever_text() -> None:
    name = "x' OR 1=1; DROP TABLE records; --"
    given = {
        "any": [
            {"property": "plan", "op": "contains", "values": [name, "\\'", "$$", "%"]},
            {"event": name, "where": [{"path": f'{name}"."a', "op": "is", "values": [name]}]},
            {"event": name, "sum": {"path": '$[*]"', "op": "gt", "value": 1}},
        ]
    }
    odd = Happening(name, NOW, {f'{name}"': {'"a': name}})
    assert asked(given, person(1, plan=f"so {name}"), person(2, odd), person(4, plan="x")) == {1, 2}


def test_without_merges_the_map_is_left_out_and_with_them_it_joins_what_is_counted() -> None:
    given = {"event": "Purchase", "count": {"op": "gte", "value": 3}}
    assert "merged" not in sql_of(given)
    parsed = sqlglot.parse_one(sql_of(given, mapped=True), dialect="duckdb")
    joined = parsed.find(exp.Join)
    assert joined is not None
    assert joined.parent_select is not None
    inner = joined.parent_select.args["from_"].this
    assert isinstance(inner, exp.Subquery)
    assert inner.this.args["group"]


def test_name_and_time_of_events_are_compared_as_they_are_so_that_scans_are_pruned() -> None:
    sql = sql_of({"event": "Purchase", "during": {"after": "2026-11-01"}})
    assert """"name" = 'Purchase' AND "at" >= CAST('2026-10-31 18:30:00' AS TIMESTAMP)""" in sql


def test_a_negated_tree_is_negated_at_its_leaves() -> None:
    leaf = {"property": "country", "op": "is", "values": ["IN"]}
    assert sql_of({"not": {"not": leaf}}) == sql_of(leaf)
    assert sql_of({"not": {"property": "country", "op": "unknown"}}) == sql_of(
        {"property": "country", "op": "known"}
    )
    assert sql_of({"not": {"all": [leaf, leaf]}}) == sql_of({"any": [{"not": leaf}, {"not": leaf}]})


def test_printing_leaves_the_expression_as_it_was() -> None:
    node = tree.parse(
        {"event": "E", "where": [{"path": "a", "op": "has", "values": ["x"]}]}, CATALOGUE
    )
    select = compiler.select_ids(node, frame_of(INDIA, True))
    before = select.copy()
    assert compiler.to_sql(select) == compiler.to_sql(select)
    assert select == before
    with pytest.raises(ValueError, match="speaks"):
        compiler.to_sql(select, "klingon")


def test_without_a_condition_everybody_is_meant() -> None:
    select = compiler.select_ids(None, frame_of(INDIA, True))
    assert compiler.to_sql(select) == 'SELECT "id" FROM "w1"."records"'


def test_a_property_that_has_gone_since_is_told_rather_than_guessed() -> None:
    node = tree.parse({"property": "points", "op": "gt", "values": [1]}, CATALOGUE)
    frame = compiler.Frame("w1", Catalogue(), ZoneInfo("UTC"), 0, False)
    with pytest.raises(errors.InvalidCondition, match="points"):
        compiler.select_ids(node, frame)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann", {1, 2}),
        ("ANN LEE", {1}),
        ("lee", {1}),
        ("%", {4}),
        ("example.org", {4}),
        ("98765", {2}),
        ("+91 98765-43210", {2}),
        ("(987) 65", {2}),
        ("u-77", {5}),
        ("'", set()),
        ("nobody", set()),
        ("9 8", {6}),
        ("u\x00-\ud80077", {5}),
        (" ", {1, 2, 4, 5, 6}),
    ],
)
def test_a_search_looks_in_user_ids_names_addresses_without_regard_to_case(
    text: str, expected: set[int]
) -> None:
    warehouse = Warehouse()
    crowd = [
        person(1, firstName="Ann", lastName="Lee"),
        person(2, lastName="Hannah", phone="+919876543210"),
        person(4, firstName="100%", email="x@example.org"),
        person(5, userId="U-77"),
        person(6, firstName="9 8"),
    ]
    warehouse.fill(crowd, Random(0))
    where = compiler.to_sql(compiler.text_search(text))
    rows = warehouse.connection.execute(f"SELECT id FROM w1.records WHERE {where}").fetchall()
    assert {number for (number,) in rows} == expected


def test_a_tree_of_a_thousand_nodes_is_compiled_and_answered() -> None:
    leaves = [{"property": "plan", "op": "contains", "values": [f"x{i}"]} for i in range(898)]
    events = [{"event": f"E{i}"} for i in range(100)]
    assert asked({"any": [*leaves, *events]}, person(1, plan="x7"), person(2)) == {1}


def test_a_tree_as_deep_as_they_go_is_compiled_and_answered() -> None:
    given: dict[str, Any] = {"property": "plan", "op": "is", "values": ["a"]}
    for _ in range(10):
        given = {"all": [{"any": [{"not": given}, {"event": "E"}]}]}
    assert asked(given, person(1, plan="a"), person(2, plan="b"), person(4)) == {1}
