"""A condition means the same to the compiler and to the plain reference, and negation is exact."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.segments import conditions, people, reference
from tests.segments.people import Warehouse
from tests.segments.reference import Person, World

MANY = settings(suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def warehouse() -> Warehouse:
    return Warehouse()


def expected(tree: dict[str, Any], crowd: list[Person], world: World) -> set[int]:
    return {person.number for person in crowd if reference.holds(tree, person, world)}


@settings(MANY, max_examples=100)
@given(data=st.data(), place=conditions.worlds(), seed=st.integers(0, 2**32))
def test_any_tree_over_any_people_means_what_the_reference_says(
    warehouse: Warehouse, data: st.DataObject, place: Any, seed: int
) -> None:
    world = people.world(*place)
    trees = data.draw(st.lists(conditions.trees(world), min_size=1, max_size=6))
    crowd = people.population(world, seed)
    warehouse.fill(crowd, Random(seed))
    for tree in trees:
        found = expected(tree, crowd, world)
        assert warehouse.ids(tree, world, mapped=True) == found, tree
        assert warehouse.ids(tree, world, mapped=False) == found, tree
