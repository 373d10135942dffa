"""When a condition changes by the clock alone: exact on both sides, and nothing changes before.

`USER360_TREES=20000` asks about so many trees; without it a few dozen.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.segments import conditions, people, reference
from tests.segments.people import CATALOGUE
from tests.segments.reference import Happening, Person, World
from tests.segments.warehouse import Warehouse, frame_of
from user360.clock import to_datetime, to_us
from user360.segments.compiler import few
from user360.segments.explain import flips, timelines
from user360.segments.explain.flips import Part
from user360.segments.explain.timelines import Flip
from user360.segments.language import tree
from user360.storage.warehouse import Rows

TICK = timedelta(microseconds=1)
TREES = int(os.environ.get("USER360_TREES", "40"))
MANY = settings(suppress_health_check=list(HealthCheck), max_examples=TREES)
BERLIN = people.world("Europe/Berlin", datetime.fromisoformat("2026-11-22T10:00:00Z"))


@pytest.fixture(scope="module")
def warehouse() -> Warehouse:
    return Warehouse()


class Alone:
    """A view of a warehouse that holds one person."""

    position = 0

    def __init__(self, warehouse: Warehouse) -> None:
        self.connection = warehouse.connection
        self.asked = 0

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        self.asked += 1
        cursor = self.connection.execute(sql, list(parameters) or None)
        return Rows([], cursor.fetchall())

    def table(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        return self.connection.sql(sql, params=list(parameters) or None).to_arrow_table()


def alone(warehouse: Warehouse, person: Person, world: World) -> few.People:
    warehouse.fill([person], Random(0))
    frame = frame_of(world, mapped=True)
    return few.People(frame, frozenset([person.number]), 0, Alone(warehouse))


def found(
    warehouse: Warehouse, given: dict[str, Any], person: Person, world: World
) -> list[tuple[Part, Flip]]:
    """Every node of the tree with its first change."""
    apart = alone(warehouse, person, world)
    root = flips.part_of(tree.parse(given, CATALOGUE, segments=(7,)), apart.frame.segments)
    parts = list(flips.walk(root))
    leaves = [(part.node, apart.frame.now) for part in parts if part.leaf is not None]
    held = timelines.truths(leaves, apart)
    now = flips.truths_of(parts, held)
    return list(zip(parts, flips.flips(parts, now, apart), strict=True))


def first(warehouse: Warehouse, given: dict[str, Any], person: Person, world: World) -> Flip:
    return found(warehouse, given, person, world)[0][1]


def holds(given: dict[str, Any], person: Person, world: World, at: datetime) -> bool:
    return reference.holds(given, person, dataclasses.replace(world, now=at))


def between(world: World, person: Person, end: datetime, random: Random) -> Iterator[datetime]:
    """Times from now up to `end` at which something might change."""
    spread = end - world.now
    yield from (world.now + spread * random.random() ** 4 for _ in range(12))
    here = world.now.astimezone(world.zone)
    for n in range(1, 45):
        day = datetime.combine(here.date() + timedelta(days=n), datetime.min.time(), world.zone)
        yield from (day.astimezone(UTC) - TICK, day.astimezone(UTC), day.astimezone(UTC) + TICK)
    for event in person.events:
        for span in (timedelta(days=n) for n in (0, 1, 2, 7, 14, 30, 31)):
            yield from (event.at + span - TICK, event.at + span, event.at + span + TICK)


def check(given: dict[str, Any], person: Person, world: World, flip: Flip, seed: int) -> None:
    """The flip is right on both sides, and nothing is another before it."""
    now = holds(given, person, world, world.now)
    last = to_datetime(flip.at or flip.sought or to_us(world.now + timedelta(days=800)))
    if flip.at is not None:
        assert last > world.now
        assert holds(given, person, world, last - TICK) == now, (given, last)
        assert holds(given, person, world, last) != now, (given, last)
    for at in between(world, person, last, Random(seed)):
        if world.now <= at < last:
            assert holds(given, person, world, at) == now, (given, at, last)


@MANY
@given(data=st.data(), place=conditions.worlds(), seed=st.integers(0, 2**32))
def test_every_node_of_any_tree_flips_when_the_reference_says(
    warehouse: Warehouse, data: st.DataObject, place: Any, seed: int
) -> None:
    world = people.world(*place)
    given = data.draw(conditions.trees(world))
    person = people.population(world, seed, size=1)[0]
    for part, flip in found(warehouse, given, person, world):
        check(tree.dump(part.node), person, world, flip, seed)


def moving(world: World) -> st.SearchStrategy[dict[str, Any]]:
    """Single conditions that the clock decides, of every kind."""
    spans = conditions.spans(list(conditions.UNITS))
    names = st.sampled_from(
        ["today", "yesterday", "thisWeek", "lastWeek", "thisMonth", "lastMonth"]
    )
    period = st.one_of(
        spans.map(lambda span: {"last": span}), names.map(lambda name: {"period": name})
    )
    events = conditions.event_tests(world)
    timed = st.tuples(events, period).map(lambda pair: {**pair[0], "during": pair[1]})
    ops = st.sampled_from(["inLast", "inNext", "wasExactly", "willBeExactly"])
    asked = st.sampled_from(["dob", "lastVisit", "createdAt"])
    dated = st.builds(lambda p, op, s: {"property": p, "op": op, "values": [s]}, asked, ops, spans)
    ahead = conditions.spans(["days", "weeks", "months"])
    born = st.builds(
        lambda name, s: {"property": name, "op": "anniversary", "values": [{"inNext": s}]},
        asked,
        ahead,
    )
    days = st.builds(
        lambda name, op: {"property": name, "op": op},
        asked,
        st.sampled_from(["isToday", "anniversary"]),
    )
    return st.one_of(timed, timed, dated, born, days)


@MANY
@given(data=st.data(), place=conditions.worlds(), seed=st.integers(0, 2**32))
def test_what_the_clock_decides_flips_when_the_reference_says(
    warehouse: Warehouse, data: st.DataObject, place: Any, seed: int
) -> None:
    world = people.world(*place)
    leaves = data.draw(st.lists(moving(world), min_size=1, max_size=3))
    given = {data.draw(st.sampled_from(["all", "any"])): leaves}
    person = people.population(world, seed, size=1)[0]
    for part, flip in found(warehouse, given, person, world):
        check(tree.dump(part.node), person, world, flip, seed)


def buyer(*ago: timedelta) -> Person:
    times = dict.fromkeys(("createdAt", "updatedAt"), "2026-01-01T00:00:00.000Z")
    events = [Happening("Purchase", BERLIN.now - each, {"amount": 1}) for each in ago]
    return Person(1, times, events)


def test_who_bought_three_times_in_a_month_falls_out_with_the_third_newest(
    warehouse: Warehouse,
) -> None:
    person = buyer(*(timedelta(days=n) for n in range(20)))
    given = {
        "event": "Purchase",
        "count": {"op": "gte", "value": 3},
        "during": {"last": {"amount": 30, "unit": "days"}},
    }
    flip = first(warehouse, given, person, BERLIN)
    assert flip == Flip(to_us(BERLIN.now + timedelta(days=28)) + 1)


def test_thousands_of_events_need_few_questions(warehouse: Warehouse) -> None:
    person = buyer(*(timedelta(minutes=n) for n in range(5_000)))
    apart = alone(warehouse, person, BERLIN)
    for value, left in ((1, 1), (700, 700), (4_999, 4_999)):
        given = {
            "event": "Purchase",
            "count": {"op": "gte", "value": value},
            "during": {"last": {"amount": 30, "unit": "days"}},
        }
        node = tree.parse(given, CATALOGUE)
        root = flips.part_of(node, {})
        assert isinstance(apart.view, Alone)
        before = apart.view.asked
        (flip,) = flips.flips([root], [True], apart)
        assert flip.at == to_us(BERLIN.now + timedelta(days=30, minutes=1 - left)) + 1
        assert apart.view.asked - before < 6


def test_what_no_clock_decides_never_flips(warehouse: Warehouse) -> None:
    person = buyer(timedelta(days=1))
    given = {"all": [{"event": "Purchase"}, {"property": "plan", "op": "unknown"}]}
    assert [flip for _, flip in found(warehouse, given, person, BERLIN)] == [Flip()] * 3


def test_a_branch_that_another_condition_holds_never_flips(warehouse: Warehouse) -> None:
    person = buyer(timedelta(days=1))
    today = {"property": "createdAt", "op": "anniversary"}
    given = {"all": [today, {"property": "plan", "op": "known"}]}
    (_, whole), (_, returning), (_, plan) = found(warehouse, given, person, BERLIN)
    new_year = datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert (whole, returning, plan) == (Flip(), Flip(to_us(new_year)), Flip())


def test_a_search_that_is_given_up_says_how_far_it_came(warehouse: Warehouse) -> None:
    person = buyer(*(timedelta(minutes=n) for n in range(3_000)))
    given = {
        "event": "Purchase",
        "count": {"op": "is", "value": 1_500},
        "during": {"last": {"amount": 30, "unit": "days"}},
    }
    flip = first(warehouse, given, person, BERLIN)
    assert flip.at is None
    assert flip.sought is not None
    assert to_us(BERLIN.now) < flip.sought < to_us(BERLIN.now + timedelta(days=30))


def test_a_month_that_is_too_short_lets_somebody_in_again(warehouse: Warehouse) -> None:
    """From the 29th to the 31st of March, a month ago goes back to the beginning of 28 February."""
    at = datetime(2026, 2, 28, 12, tzinfo=UTC)
    world = people.world("UTC", datetime(2026, 3, 28, 11, tzinfo=UTC))
    person = Person(1, buyer().properties, [Happening("Purchase", at, {})])
    given = {"event": "Purchase", "during": {"last": {"amount": 1, "unit": "months"}}}
    for _ in range(4):
        flip = first(warehouse, given, person, world)
        check(given, person, world, flip, 1)
        assert flip.at is not None
        world = dataclasses.replace(world, now=to_datetime(flip.at))
    assert world.now == datetime(2026, 3, 30, 0, tzinfo=UTC)
