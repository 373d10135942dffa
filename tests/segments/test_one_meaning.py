"""Random trees over random people: one meaning, whichever way it is asked.

`USER360_TREES=20000` asks about so many trees; without it dozens.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.segments import conditions, people, reference, shrinking
from tests.segments.warehouse import Warehouse
from tests.segments.world import Happening, Person, World

TREES = int(os.environ.get("USER360_TREES", "80"))
EACH = 4  # trees about one crowd, at least
FEW = 5  # people set apart
# What differs is brought down by `shrinking`, which knows trees and people.
MANY = settings(
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
    max_examples=max(1, TREES // EACH),
)

Ask = Callable[[Warehouse, dict[str, Any], World], set[int]]
WAYS: dict[str, Ask] = {
    "counting": lambda w, tree, world: w.ids(tree, world),
    "by the order of events": lambda w, tree, world: w.ids(tree, world, ordered=True),
    "nobody merged": lambda w, tree, world: w.ids(tree, world, mapped=False),
    "nobody merged, by the order of events": lambda w, tree, world: w.ids(
        tree, world, mapped=False, ordered=True
    ),
    "as of few": lambda w, tree, world: w.ids(tree, world, few=True),
    "nobody merged, as of few": lambda w, tree, world: w.ids(tree, world, mapped=False, few=True),
    # As the keeper asks about a few people; the complement refers to the same events.
    "together": lambda w, tree, world: w.together([{"not": tree}, tree], world)[1],
    "together, nobody merged": lambda w, tree, world: w.together([tree], world, mapped=False)[0],
    # As *why* asks: the condition beside each record, where NULL is false.
    "a column": lambda w, tree, world: {
        number for number, held in w.truths(tree, world).items() if held
    },
}


@pytest.fixture(scope="module")
def warehouse() -> Warehouse:
    return Warehouse()


def check(
    tree: dict[str, Any],
    crowd: list[Person],
    world: World,
    warehouse: Warehouse,
    ways: Iterable[str] = WAYS,
) -> set[int]:
    """Who is meant; every way says what the reference does, or one person is shown who differs."""
    expected = {person.number for person in crowd if reference.holds(tree, person, world)}
    for way in ways:
        found = WAYS[way](warehouse, tree, world)
        for person in crowd:
            if (person.number in found) != (person.number in expected):
                said = explained(tree, person, world, warehouse, WAYS[way])
                pytest.fail(f"{way}: {said}", pytrace=False)
        assert found == expected, (way, tree)
    return expected


def explained(
    tree: dict[str, Any], person: Person, world: World, warehouse: Warehouse, ask: Ask
) -> str:
    def differs(tree: dict[str, Any], person: Person) -> bool:
        warehouse.fill([person], Random(0))
        return bool(ask(warehouse, tree, world)) != reference.holds(tree, person, world)

    if differs(tree, person):
        tree, person = shrinking.smallest(tree, person, world, differs)
    return shrinking.told(tree, person, world, reference.holds(tree, person, world))


@settings(MANY)
@given(data=st.data(), place=conditions.worlds(), seed=st.integers(0, 2**32))
def test_any_tree_over_any_people_means_the_same_however_it_is_asked(
    warehouse: Warehouse, data: st.DataObject, place: Any, seed: int
) -> None:
    world = people.world(*place)
    world = replace(world, segments=data.draw(conditions.within_one_another(world)))
    trees = data.draw(st.lists(conditions.trees(world), min_size=EACH, max_size=2 * EACH))
    crowd, random = people.population(world, seed), Random(seed)
    warehouse.fill(crowd, random)
    for tree in trees:
        check(tree, crowd, world, warehouse, random.sample(list(WAYS), 2))
    assert warehouse.together(trees, world) == [warehouse.ids(tree, world) for tree in trees]
    few = random.sample([person.number for person in crowd], FEW)
    warehouse.set_apart(few)
    assert warehouse.few_ids(tree, world) == warehouse.ids(tree, world) & set(few), tree


@settings(MANY)
@given(data=st.data(), place=conditions.worlds(), seed=st.integers(0, 2**32))
def test_any_sequence_means_what_trying_every_choice_of_events_says(
    warehouse: Warehouse, data: st.DataObject, place: Any, seed: int
) -> None:
    world = people.world(*place)
    crowd, random = people.population(world, seed, size=120), Random(seed)
    warehouse.fill(crowd, random)
    for _ in range(EACH):
        tree = data.draw(conditions.sequence_tests(world))
        check(tree, crowd, world, warehouse, random.sample(list(WAYS), 1))


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
            check(tree, crowd, world, warehouse, ["counting"])


def test_a_difference_is_shown_on_one_person_with_no_more_than_makes_it(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = reference.holds

    def wrong(tree: dict[str, Any], person: Person, world: World) -> bool:
        if tree.get("event") == "Purchase":
            return sum(event.name == "Purchase" for event in person.events) > 1
        return right(tree, person, world)

    world = people.world(*people.WORLDS[0])
    bought = Happening("Purchase", world.now, {"amount": 5, "item": {"sku": "x"}})
    other = Happening("Sign Up", world.now, {})
    times = dict.fromkeys(shrinking.KEPT, people.stored(world.now))
    crowd = [
        Person(1, {**times, "plan": "pro"}, [other, bought, other], frozenset([people.STATIC])),
        Person(2, times, [bought, bought]),
    ]
    warehouse.fill(crowd, Random(0))
    odd = {"event": "Purchase", "during": {"period": "today"}}
    tree = {"all": [{"not": {"segment": 9, "in": True}}, {"any": [{"event": "Gone"}, odd]}]}
    world = replace(world, segments={9: {"property": "plan", "op": "is", "values": ["x"]}})
    monkeypatch.setattr(reference, "holds", wrong)
    with pytest.raises(pytest.fail.Exception) as failed:
        check(odd, crowd, world, warehouse)
    assert str(failed.value).splitlines() == [
        "counting: the reference says False, the compiler True, for {'event': 'Purchase'}",
        f"at {world.now.isoformat()} in UTC",
        f"of record 1 with {times} in []",
        f"  'Purchase' at {world.now.isoformat()} with {{}}",
    ]
    least, _ = shrinking.smallest(tree, crowd[0], world, lambda t, _: "Purchase" in str(t))
    assert least == {"event": "Purchase"}
