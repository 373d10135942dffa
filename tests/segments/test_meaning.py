"""Every count, period and operator on days means what the plain reference says, at every edge."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.segments import people, reference
from tests.segments.reference import Happening, Person, World
from tests.segments.warehouse import Warehouse
from user360.segments.language import periods

AHEAD = ("days", "weeks", "months")
MANY = settings(suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def warehouse() -> Warehouse:
    return Warehouse()


def expected(tree: dict[str, Any], crowd: list[Person], world: World) -> set[int]:
    return {person.number for person in crowd if reference.holds(tree, person, world)}


COUNTS = st.builds(
    lambda op, value: {"op": op, "value": value},
    st.sampled_from(["is", "isNot", "gt", "gte", "lt", "lte"]),
    st.integers(0, 5),
)


@settings(MANY, max_examples=40)
@given(data=st.data(), place=st.sampled_from(people.WORLDS), seed=st.integers(0, 2**32))
def test_counts_read_off_the_order_of_events_are_those_of_counting(
    warehouse: Warehouse, data: st.DataObject, place: Any, seed: int
) -> None:
    world = people.world(*place)
    crowd = people.population(world, seed)
    warehouse.fill(crowd, Random(seed))
    periods_given: list[dict[str, Any]] = [{"period": name} for name in periods.NAMED]
    periods_given += [{"last": span} for span in SPANS]
    periods_given += [{kind: at} for kind in ("after", "before") for at in bounds(world)]
    for count, period in data.draw(
        st.lists(
            st.tuples(COUNTS, st.none() | st.sampled_from(periods_given)), min_size=5, max_size=12
        )
    ):
        tree: dict[str, Any] = {"event": people.EVENTS[0], "count": count}
        tree |= {"during": period} if period else {}
        found = expected(tree, crowd, world)
        for mapped in (True, False):
            assert warehouse.ids(tree, world, mapped, ordered=True) == found, tree


SPANS = [{"amount": amount, "unit": unit} for amount in (0, 1, 2, 30) for unit in periods.UNITS]


def bounds(world: World) -> list[str]:
    """Moments to compare with: days, instants, times on the wall."""
    here = [each.astimezone(world.zone) for each in people.moments(world)[::13]]
    wall = [each.replace(tzinfo=None, microsecond=0).isoformat(" ") for each in here]
    return [*people.days(world)[4:9], *wall[:4], *(each.isoformat() for each in here[:4])]


@pytest.mark.parametrize("place", people.WORLDS, ids=str)
def test_every_period_is_right_at_every_boundary(warehouse: Warehouse, place: Any) -> None:
    world = people.world(*place)
    crowd = [
        Person(number, {"createdAt": people.stored(at), "updatedAt": people.stored(at)}, [
            Happening("E", at, {})
        ])
        for number, at in enumerate(people.moments(world), start=1)
    ]  # fmt: skip
    warehouse.fill(crowd, Random(0))
    given: list[dict[str, Any]] = [{"period": name} for name in periods.NAMED]
    given += [{"last": span} for span in SPANS]
    given += [{kind: at} for kind in ("after", "before") for at in bounds(world)]
    given += [{"on": day} for day in people.days(world)[4:9]]
    for period in given:
        tree = {"event": "E", "during": period}
        assert warehouse.ids(tree, world) == expected(tree, crowd, world), period
        assert warehouse.ids(tree, world, ordered=True) == expected(tree, crowd, world), period


@pytest.mark.parametrize("kind", ["date", "datetime"])
@pytest.mark.parametrize("place", people.WORLDS, ids=str)
def test_every_operator_on_days_and_times_is_right_at_every_boundary(
    warehouse: Warehouse, place: Any, kind: str
) -> None:
    world = people.world(*place)
    name = people.ASKED[kind][0]
    times = dict.fromkeys(("createdAt", "updatedAt"), people.stored(world.now))
    pool = people.pools(world)[kind]
    crowd = [Person(number, times | {name: value}) for number, value in enumerate(pool, start=1)]
    warehouse.fill(crowd, Random(0))
    given: list[tuple[str, list[Any]]] = [("isToday", []), ("anniversary", [])]
    days = people.days(world)[4:9] if kind == "date" else bounds(world)
    given += [(op, [day]) for op in ("is", "isBefore", "isAfter") for day in days]
    moving = ("inLast", "inNext", "wasExactly", "willBeExactly")
    given += [(op, [span]) for op in moving for span in SPANS]
    given += [("anniversary", [{"inNext": span}]) for span in SPANS if span["unit"] in AHEAD]
    for op, values in given:
        tree = {"property": name, "op": op, "values": values}
        assert warehouse.ids(tree, world) == expected(tree, crowd, world), tree
