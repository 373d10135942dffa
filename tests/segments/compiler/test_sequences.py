"""Stories of people who do things one after the other, or do not."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Any

import pytest

from tests.segments import people
from tests.segments.warehouse import Warehouse
from tests.segments.world import Happening, Person, World
from user360 import errors
from user360.records.properties import Catalogue
from user360.segments.compiler import compile as compiler
from user360.segments.language import tree
from user360.segments.language.nodes import Membership

BERLIN = people.world("Europe/Berlin", datetime.fromisoformat("2026-11-22T10:00:00Z"))
TIMES = dict.fromkeys(("createdAt", "updatedAt"), "2026-01-01T00:00:00.000Z")
HOURS = {"amount": 48, "unit": "hours"}
FUNNEL = {"sequence": [{"event": "Viewed"}, {"event": "Added"}, {"event": "Bought"}]}


def did(name: str, at: str, **properties: Any) -> Happening:
    """An event in November 2026; `at` is the day and the time of day in UTC, `20 10:00`."""
    return Happening(name, datetime.fromisoformat(f"2026-11-{at}+00:00"), properties)


def asked(given: dict[str, Any], *crowd: Person, world: World = BERLIN) -> set[int]:
    """Who fits, and so do those who are merged; everybody else fits the complement."""
    warehouse = Warehouse()
    warehouse.fill(crowd, Random(1))
    found = warehouse.ids(given, world, mapped=False)
    assert warehouse.ids(given, world, mapped=True) == found
    for mapped in (False, True):
        assert warehouse.ids(given, world, mapped, few=True) == found
    rest = {person.number for person in crowd} - found
    assert warehouse.ids({**given, "completed": False}, world) == rest
    return found


def person(number: int, *events: Happening) -> Person:
    return Person(number, TIMES, list(events))


def test_the_steps_count_in_their_order_and_what_lies_between_does_not_matter() -> None:
    viewed, added, bought = did("Viewed", "01 10:00"), did("Added", "05 10:00"), did("Bought", "09")
    assert asked(
        FUNNEL,
        person(1, viewed, added, bought),
        person(2, did("Added", "01 09:00"), viewed, did("Bought", "03"), bought),
        person(4, viewed, bought),
        person(5, did("Bought", "01"), viewed, did("Viewed", "04"), added, added, bought),
        person(7),
    ) == {1, 5}


def test_the_time_runs_from_the_first_step_to_the_last_and_its_end_is_included() -> None:
    def shopped(number: int, first: str, last: str) -> Person:
        return person(number, did("Viewed", first), did("Added", "03 10:00"), did("Bought", last))

    assert asked(
        {**FUNNEL, "within": HOURS},
        shopped(1, "02 10:00:00", "04 10:00:00"),
        shopped(2, "02 10:00:00", "04 10:00:00.000001"),
        shopped(4, "03 09:59:59", "03 10:00:01"),
    ) == {1, 4}


def test_who_began_too_early_may_begin_again_before_the_second_step() -> None:
    early, again = did("Viewed", "01 10:00"), did("Viewed", "08 10:00")
    added, bought = did("Added", "08 11:00"), did("Bought", "08 12:00")
    within = {**FUNNEL, "within": HOURS}
    assert asked(within, person(1, early, again, added, bought)) == {1}
    assert asked(within, person(1, early, did("Added", "02 10:00"), again, bought)) == set()


def test_an_old_second_step_does_not_hide_a_chain_that_is_in_time() -> None:
    first = did("Viewed", "01 10:00"), did("Added", "01 11:00")
    second = did("Viewed", "08 10:00"), did("Added", "08 11:00"), did("Bought", "08 12:00")
    assert asked({**FUNNEL, "within": HOURS}, person(1, *first, *second)) == {1}


def test_of_events_at_the_same_time_the_one_that_arrived_first_came_first() -> None:
    at = "20 10:00"
    pair = {"sequence": [{"event": "Viewed"}, {"event": "Bought"}]}
    crowd = [
        person(1, did("Viewed", at), did("Bought", at)),
        person(2, did("Bought", at), did("Viewed", at)),
        person(3, did("Viewed", at), did("Bought", at)),
    ]
    for within in ({}, {"within": HOURS}, {"within": {"amount": 0, "unit": "days"}}):
        assert asked({**pair, **within}, *crowd) == {1, 3}


def test_one_event_does_not_serve_two_steps() -> None:
    thrice = {"sequence": [{"event": "Viewed"}] * 3}
    days = [did("Viewed", f"{day} 10:00") for day in ("01", "02", "04")]
    for within, expected in (({}, {3}), ({"within": HOURS}, set()), ({"within": _days(3)}, {3})):
        found = asked({**thrice, **within}, *(person(n, *days[:n]) for n in (1, 2, 3)))
        assert found == expected


def _days(amount: int) -> dict[str, Any]:
    return {"amount": amount, "unit": "days"}


def test_each_step_asks_for_what_its_own_event_holds() -> None:
    dear = {"path": "price", "op": "gt", "values": [100]}
    given = {"sequence": [{"event": "Viewed", "where": [dear]}, {"event": "Viewed"}]}
    crowd = [
        person(1, did("Viewed", "01", price=120), did("Viewed", "02", price=5)),
        person(2, did("Viewed", "01", price=5), did("Viewed", "02", price=120)),
    ]
    assert asked(given, *crowd) == {1}
    assert asked({**given, "within": _days(1)}, *crowd) == {1}


def test_all_steps_lie_in_the_period() -> None:
    within = did("Viewed", "16"), did("Added", "17"), did("Bought", "18")
    before = did("Viewed", "15 22:00"), did("Added", "17"), did("Bought", "18")
    given = {**FUNNEL, "during": {"period": "thisWeek"}}
    assert asked(given, person(1, *within), person(2, *before)) == {1}


@pytest.mark.parametrize(
    ("first", "last", "fits"),
    [
        # The clocks went back on 25 October: two days by the calendar are 49 hours.
        ("2026-10-24T10:00:00Z", "2026-10-26T11:00:00Z", True),
        ("2026-10-24T09:59:59Z", "2026-10-26T11:00:00Z", False),
        # They went forward on 29 March: two days are 47 hours.
        ("2026-03-28T10:00:00Z", "2026-03-30T09:00:00Z", True),
        ("2026-03-28T09:59:59Z", "2026-03-30T09:00:00Z", False),
        # 2:30 is skipped on 29 March and read with the offset from before.
        ("2026-03-29T01:30:00Z", "2026-03-31T00:30:00Z", True),
        ("2026-03-29T01:29:59Z", "2026-03-31T00:30:00Z", False),
        # 2:30 comes twice on 25 October and means the first.
        ("2026-10-25T00:30:00Z", "2026-10-27T01:30:00Z", True),
        ("2026-10-25T00:29:59Z", "2026-10-27T01:30:00Z", False),
    ],
)
def test_days_go_by_the_calendar_over_changes_of_the_clock(
    first: str, last: str, fits: bool
) -> None:
    events = [
        Happening(name, datetime.fromisoformat(at), {})
        for name, at in (("Viewed", first), ("Bought", last))
    ]
    given = {"sequence": [{"event": "Viewed"}, {"event": "Bought"}], "within": _days(2)}
    assert bool(asked(given, person(1, *events))) == fits


def test_a_month_is_reckoned_back_from_the_last_step() -> None:
    month = {"amount": 1, "unit": "months"}
    given = {"sequence": [{"event": "Viewed"}, {"event": "Bought"}], "within": month}

    def bought(number: int, first: str, last: str) -> Person:
        at = [datetime.fromisoformat(f"2026-{day}T12:00:00+00:00") for day in (first, last)]
        return person(number, Happening("Viewed", at[0], {}), Happening("Bought", at[1], {}))

    crowd = [
        bought(1, "02-28", "03-28"),
        bought(2, "02-28", "03-30"),
        bought(4, "02-27", "03-28"),
        bought(5, "02-27", "03-30"),
    ]
    assert asked(given, *crowd, world=people.world("UTC", BERLIN.now)) == {1, 2}


def test_a_limit_that_nobody_can_reach_is_none() -> None:
    viewed, bought = Happening("Viewed", _at("0999"), {}), Happening("Bought", _at("9998"), {})
    for unit in ("months", "weeks"):
        given = {"sequence": [{"event": "Viewed"}, {"event": "Bought"}]}
        given |= {"within": {"amount": 1_000_000, "unit": unit}}
        assert asked(given, person(1, viewed, bought)) == {1}
    days = {"within": {"amount": 1_000_000, "unit": "days"}}
    assert asked({**given, **days}, person(1, viewed, bought)) == set()


def _at(year: str) -> datetime:
    return datetime.fromisoformat(f"{year}-06-01T00:00:00+00:00")


def test_ten_steps_are_followed() -> None:
    steps = [f"Step {n}" for n in range(10)]
    events = [did(name, f"0{n} 10:00") for n, name in enumerate(steps, start=1) if n < 10]
    events.append(did(steps[9], "10 10:00"))
    given = {"sequence": [{"event": name} for name in steps]}
    for within in ({}, {"within": _days(9)}):
        crowd = person(1, *events), person(2, *events[:9]), person(3, *events[1:], events[0])
        assert asked({**given, **within}, *crowd) == {1, 3}
    assert asked({**given, "within": _days(8)}, person(1, *events)) == set()


def test_a_segment_within_a_segment_follows_whom_the_inner_one_means_now() -> None:
    world = World(
        BERLIN.now,
        BERLIN.zone,
        BERLIN.types,
        {
            21: {"event": "Bought", "during": {"period": "today"}},
            22: {"all": [{"segment": 21, "in": False}, {"segment": people.STATIC, "in": True}]},
        },
    )
    crowd = [
        Person(1, TIMES, [did("Bought", "22 08:00")], frozenset([people.STATIC])),
        Person(2, TIMES, [did("Bought", "21 22:59")], frozenset([people.STATIC])),
        Person(3, TIMES, [did("Bought", "21 23:00")], frozenset()),
    ]
    warehouse = Warehouse()
    warehouse.fill(crowd, Random(1))
    assert warehouse.ids({"segment": 21, "in": True}, world) == {1, 3}
    assert warehouse.ids({"segment": 22, "in": True}, world) == {2}
    assert warehouse.ids({"segment": 22, "in": False}, world) == {1, 3}


def test_a_segment_that_cannot_be_evaluated_within_another_is_named() -> None:
    points = tree.parse({"property": "points", "op": "gt", "values": [1]}, people.CATALOGUE)
    frame = compiler.Frame("w1", Catalogue(), BERLIN.zone, 0, False, segments={21: points})
    with pytest.raises(errors.InvalidCondition, match=r"Segment 21 .* points"):
        compiler.select_ids(Membership(21, True), frame)
