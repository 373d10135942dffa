"""Random trees over random people: one meaning, whichever way it is asked.

`USER360_TREES=20000` asks about so many trees; without it a few hundred.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.segments import conditions, people, reference, shrinking
from tests.segments.people import Warehouse
from tests.segments.world import Happening, Person, World

TREES = int(os.environ.get("USER360_TREES", "150"))
EACH = 10  # trees about one crowd, at most; half as many are usual
FEW = 5  # people set apart
MANY = settings(
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    max_examples=max(1, TREES * 2 // EACH),
)

Ask = Callable[[Warehouse, dict[str, Any], World], set[int]]
WAYS: dict[str, Ask] = {
    "counting": lambda w, tree, world: w.ids(tree, world),
    "by the order of events": lambda w, tree, world: w.ids(tree, world, ordered=True),
    "nobody merged, by the order of events": lambda w, tree, world: w.ids(
        tree, world, mapped=False, ordered=True
    ),
}


def column(warehouse: Warehouse, tree: dict[str, Any], world: World) -> set[int]:
    """Asked as *why* does: the condition beside each record, where NULL is false."""
    return {number for number, held in warehouse.truths(tree, world).items() if held}


@pytest.fixture(scope="module")
def warehouse() -> Warehouse:
    return Warehouse()


def check(
    tree: dict[str, Any],
    crowd: list[Person],
    world: World,
    warehouse: Warehouse,
    ways: dict[str, Ask] = WAYS,
) -> set[int]:
    """Every way gives what the reference says; else one person is shown who differs."""
    expected = {person.number for person in crowd if reference.holds(tree, person, world)}
    for name, ask in ways.items():
        found = ask(warehouse, tree, world)
        for person in crowd:
            if (person.number in found) != (person.number in expected):
                pytest.fail(f"{name}: {explained(tree, person, world, warehouse, ask)}")
        assert found == expected, (name, tree)
    return expected


def explained(
    tree: dict[str, Any], person: Person, world: World, warehouse: Warehouse, ask: Ask
) -> str:
    def differs(person: Person) -> bool:
        warehouse.fill([person], Random(0))
        found = bool(ask(warehouse, tree, world))
        return found != reference.holds(tree, person, world)

    least = shrinking.smallest(person, differs) if differs(person) else person
    return shrinking.told(tree, least, world, reference.holds(tree, least, world))


@settings(MANY)
@given(data=st.data(), place=conditions.worlds(), seed=st.integers(0, 2**32))
def test_any_tree_over_any_people_means_the_same_however_it_is_asked(
    warehouse: Warehouse, data: st.DataObject, place: Any, seed: int
) -> None:
    world = people.world(*place)
    world = replace(world, segments=data.draw(conditions.within_one_another(world)))
    trees = data.draw(st.lists(conditions.trees(world), min_size=1, max_size=EACH))
    crowd, random = people.population(world, seed), Random(seed)
    warehouse.fill(crowd, random)
    held = [check(tree, crowd, world, warehouse) for tree in trees]
    check(trees[0], crowd, world, warehouse, {"a column": column})
    few = random.sample([person.number for person in crowd], FEW)
    warehouse.set_apart(few)
    assert warehouse.few_ids(trees[0], world) == held[0] & set(few), trees[0]


@pytest.mark.parametrize("place", people.WORLDS, ids=str)
def test_a_sequence_is_in_time_up_to_the_very_end_of_it(warehouse: Warehouse, place: Any) -> None:
    world = people.world(*place)
    moments = people.moments(world)
    times = dict.fromkeys(shrinking.KEPT, people.stored(world.now))
    last = [world.now, *Random(1).sample(moments, 3)]
    pairs = [(first, end) for end in last for first in moments if first <= end]
    crowd = [
        Person(number, times, [Happening("A", first, {}), Happening("B", end, {})])
        for number, (first, end) in enumerate(pairs, start=1)
    ]
    warehouse.fill(crowd, Random(0))
    steps = [{"event": "A"}, {"event": "B"}]
    for amount in (0, 1, 2, 30):
        for unit in conditions.UNITS:
            tree = {"sequence": steps, "within": {"amount": amount, "unit": unit}}
            check(tree, crowd, world, warehouse, {"counting": WAYS["counting"]})


SEQUENCES = settings(MANY, max_examples=max(1, TREES // EACH))


@settings(SEQUENCES)
@given(data=st.data(), place=conditions.worlds(), seed=st.integers(0, 2**32))
def test_any_sequence_means_what_trying_every_choice_of_events_says(
    warehouse: Warehouse, data: st.DataObject, place: Any, seed: int
) -> None:
    world = people.world(*place)
    crowd = people.population(world, seed)
    warehouse.fill(crowd, Random(seed))
    for tree in data.draw(st.lists(conditions.sequence_tests(world), min_size=1, max_size=EACH)):
        check(tree, crowd, world, warehouse)


def test_a_difference_is_shown_on_one_person_with_no_more_than_makes_it(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(_tree: dict[str, Any], person: Person, _world: World) -> bool:
        return sum(event.name == "Purchase" for event in person.events) > 1

    monkeypatch.setattr(reference, "holds", wrong)
    world = people.world(*people.WORLDS[0])
    bought = Happening("Purchase", world.now, {"amount": 5, "item": {"sku": "x"}})
    other = Happening("Sign Up", world.now, {})
    times = dict.fromkeys(shrinking.KEPT, people.stored(world.now))
    crowd = [
        Person(1, {**times, "plan": "pro"}, [other, bought, other], frozenset([people.STATIC])),
        Person(2, {**times}, [bought, bought]),
    ]
    warehouse.fill(crowd, Random(0))
    with pytest.raises(pytest.fail.Exception) as failed:
        check({"event": "Purchase"}, crowd, world, warehouse)
    said = str(failed.value).splitlines()
    assert said[0].endswith(
        "the reference says False, the compiler True, for {'event': 'Purchase'}"
    )
    assert said[2] == f"of record 1 with {times} in []"
    assert said[3:] == [f"  'Purchase' at {world.now.isoformat()} with {{}}"]
