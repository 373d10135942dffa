"""Which segments ask about which: the order of evaluation, and ways that go round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360 import errors
from user360.segments.language import dependencies, nodes
from user360.segments.language.nodes import Membership, Node


def asking(*numbers: int) -> dict[str, Any]:
    return {"all": [{"segment": n, "in": True} for n in numbers] or [{"event": "E"}]}


def test_the_segments_that_a_condition_names_are_found_however_deep() -> None:
    given = {"any": [asking(3), {"not": {"segment": 5}}, {"event": "E", "where": []}]}
    assert dependencies.mentioned(given) == {3, 5}
    assert dependencies.mentioned({"property": "segment", "op": "is", "values": [7]}) == set()
    assert dependencies.mentioned({"segment": True}) == set()


def test_a_segment_that_comes_to_ask_about_itself_is_told_the_way() -> None:
    others = {2: asking(3), 3: asking(4, 1), 4: asking()}
    assert dependencies.cycle(1, asking(2, 4), others) == [1, 2, 3, 1]
    assert dependencies.cycle(1, asking(1), {}) == [1, 1]
    assert dependencies.cycle(1, asking(4), others) is None


def test_what_a_segment_asked_about_before_it_was_edited_does_not_count() -> None:
    assert dependencies.cycle(1, asking(), {1: asking(2), 2: asking(1)}) is None


CONDITIONS = st.dictionaries(
    st.integers(1, 8), st.lists(st.integers(1, 9), max_size=3).map(lambda ns: asking(*ns))
)


@given(CONDITIONS)
def test_the_order_has_everybody_once_and_goes_wrong_only_where_it_goes_round(
    conditions: dict[int, Any],
) -> None:
    ordered = dependencies.in_order(conditions)
    assert sorted(ordered) == sorted(conditions)
    place = {number: i for i, number in enumerate(ordered)}
    for number, condition in conditions.items():
        for inner in dependencies.mentioned(condition) & conditions.keys():
            if place[inner] >= place[number]:
                assert dependencies.cycle(number, condition, conditions)


@given(CONDITIONS, st.integers(1, 8))
def test_the_way_round_that_is_told_can_be_walked(conditions: dict[int, Any], number: int) -> None:
    condition = conditions.get(number, asking())
    way = dependencies.cycle(number, condition, conditions)
    reached = reachable(condition, conditions)
    assert (way is not None) == (number in reached)
    for each, following in zip(way or [], (way or [])[1:], strict=False):
        assert following in dependencies.mentioned(conditions[each])


def reachable(condition: object, conditions: Mapping[int, object]) -> set[int]:
    """Everything that can be come to, by following until nothing is new."""
    found: set[int] = set()
    new = dependencies.mentioned(condition)
    while new - found:
        found |= new
        new = {n for each in found for n in dependencies.mentioned(conditions.get(each))}
    return found


def refusal(node: Node, segments: Mapping[int, Node]) -> str:
    with pytest.raises(errors.InvalidCondition) as refused:
        dependencies.check_extent(node, segments)
    return str(refused.value)


def test_segments_that_go_round_are_refused_even_if_saving_let_them_through() -> None:
    round_about: dict[int, Node] = {1: nodes.Not(Membership(2, True)), 2: Membership(1, True)}
    assert "Segment 1 asks about itself" in refusal(Membership(1, True), round_about)


def test_segments_within_segments_may_be_deep_but_not_bottomless() -> None:
    chain: dict[int, Node] = {n: Membership(n + 1, True) for n in range(1, 1000)}
    assert "deep" in refusal(Membership(1, True), chain)
    dependencies.check_extent(Membership(1000 - 60, True), chain)


def test_segments_within_segments_cannot_grow_beyond_what_an_engine_takes() -> None:
    tenfold: dict[int, Node] = {
        n: nodes.Any(tuple(Membership(n + 1, True) for _ in range(10))) for n in range(1, 20)
    }
    assert "nodes" in refusal(Membership(1, True), tenfold)
    dependencies.check_extent(Membership(18, True), tenfold)
