"""Settling: whatever order writes come in, and whatever was merged, one value a property holds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360.records import settle
from user360.records.settle import Cell, Edge, Own

E, U, V = 1, 2, 3


def cell(value: Any, at: int, by: str = "m", source: str = "api") -> Cell:
    return Cell(value, at, by, 0, source, "")


def plus(tag: str, at: int, by: str = "m", place: int = 0) -> dict[str, Cell]:
    return {settle.TAG + tag: settle.tag(cell(None, at, by), True, place)}


def minus(tag: str, at: int, by: str = "m") -> dict[str, Cell]:
    return {settle.TAG + tag: settle.tag(cell(None, at, by), False)}


def replacing(at: int, by: str = "m", **values: Any) -> dict[str, Cell]:
    cells = {name: cell(value, at, by) for name, value in values.items()}
    return cells | {settle.COVER: cell(None, at, by)}


def forest(*numbers: int) -> dict[int, Own]:
    return {n: Own(n, None, {}, 0, 0) for n in numbers or (E, U, V)}


def merge(trees: dict[int, Own], survivor: int, child: int, at: int) -> None:
    settle.attach(trees, survivor, Edge(at, child, 100 + child))


def shown(trees: dict[int, Own], number: int) -> dict[str, Any]:
    return {name: found.value for name, found in settle.view(trees, number).items()}


def put(trees: dict[int, Own], number: int, cells: dict[str, Cell], root: int | None = None) -> Any:
    return settle.write(trees, number, number if root is None else root, cells)


# Any order, any number of times

names = st.sampled_from(["firstName", "city", "country", "tags"])
values = st.none() | st.sampled_from(["x", "y"])
lists = st.none() | st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)
at = st.integers(0, 5)


@st.composite
def writes(draw: st.DrawFn) -> list[dict[str, Cell]]:
    """Calls that each write some cells; no two share a message id, as none do that come in."""
    made: list[dict[str, Cell]] = []
    for n in range(draw(st.integers(1, 8))):
        when, by = draw(at), f"{draw(st.sampled_from('abz'))}{n}"
        kind = draw(st.sampled_from(["set", "set", "add", "remove", "replace"]))
        chosen = draw(names)
        value = draw(lists if chosen == "tags" else values)
        if kind == "set":
            made.append({chosen: cell(value, when, by)})
        elif kind == "replace":
            made.append(replacing(when, by, **{chosen: value}))
        elif kind == "add":
            made.append(plus(draw(st.sampled_from("abc")), when, by))
        else:
            made.append(minus(draw(st.sampled_from("abc")), when, by))
    return made


@given(data=st.data(), made=writes())
def test_shuffled_and_repeated_writes_settle_to_the_same_cells(
    data: st.DataObject, made: list[dict[str, Cell]]
) -> None:
    repeated = made + data.draw(st.lists(st.sampled_from(made), max_size=4))
    one, other = forest(E), forest(E)
    for cells in made:
        put(one, E, cells)
    for cells in data.draw(st.permutations(repeated)):
        put(other, E, cells)
    assert one[E].cells == other[E].cells
    assert settle.view(one, E) == settle.view(other, E)


@given(data=st.data(), made=writes(), merges=st.lists(at, min_size=2, max_size=2))
def test_the_tree_that_was_merged_tells_the_same_whatever_came_first(
    data: st.DataObject, made: list[dict[str, Cell]], merges: list[int]
) -> None:
    """Writes to survivor and merged, before and after the merges, in any order with them."""
    homes = data.draw(st.lists(st.sampled_from([E, U, V]), min_size=len(made), max_size=len(made)))
    steps: list[Any] = [*zip(homes, made, strict=True), (U, merges[0]), (V, merges[1])]

    def told(order: Sequence[Any]) -> dict[str, Any]:
        trees = forest()
        for number, what in order:
            if isinstance(what, int):
                merge(trees, E, number, what)
            else:
                put(trees, number, what)
        return shown(trees, E)

    assert told(steps) == told(data.draw(st.permutations(steps)))


@given(made=writes(), later=writes(), when=at, data=st.data())
def test_undoing_a_merge_gives_each_what_it_would_hold_without(
    made: list[dict[str, Cell]], later: list[dict[str, Cell]], when: int, data: st.DataObject
) -> None:
    homes = st.sampled_from([E, U])
    merged, apart = forest(), forest()
    for cells in made:
        home = data.draw(homes)
        put(merged, home, cells)
        put(apart, home, cells)
    merge(merged, E, U, when)
    for cells in later:
        home = data.draw(homes)
        put(merged, home, cells, root=E)
        put(apart, home, cells)
    settle.detach(merged, E, U)
    assert {n: settle.view(merged, n) for n in (E, U)} == {n: settle.view(apart, n) for n in (E, U)}


@given(made=writes(), data=st.data())
def test_a_write_tells_exactly_what_it_changed_in_the_survivor(
    made: list[dict[str, Cell]], data: st.DataObject
) -> None:
    trees = forest()
    merge(trees, E, U, 2)
    merge(trees, U, V, 1)
    for cells in made:
        before = settle.view(trees, E)
        told = put(trees, data.draw(st.sampled_from([E, U, V])), cells, root=E)
        assert told == settle.difference(before, settle.view(trees, E))


# One record


def test_the_later_event_time_wins_whichever_comes_first() -> None:
    trees = forest(E)
    assert put(trees, E, {"city": cell("Pune", 5)}) == {"city": (None, "Pune")}
    assert put(trees, E, {"city": cell("Delhi", 3)}) == {}
    assert put(trees, E, {"city": cell("Goa", 7)}) == {"city": ("Pune", "Goa")}


def test_at_one_time_the_message_id_decides_and_then_the_value() -> None:
    for cells in itertools.permutations([cell("x", 1, "a"), cell("y", 1, "b"), cell("z", 1, "b")]):
        trees = forest(E)
        for one in cells:
            put(trees, E, {"city": one})
        assert shown(trees, E) == {"city": "z"}


def test_clearing_has_a_time_too() -> None:
    trees = forest(E)
    put(trees, E, {"city": cell(None, 5)})
    assert put(trees, E, {"city": cell("Pune", 3)}) == {}
    assert shown(trees, E) == {}
    assert put(trees, E, {"city": cell("Pune", 6)}) == {"city": (None, "Pune")}


def test_two_who_add_different_tags_at_once_lose_none() -> None:
    for order in itertools.permutations([plus("vip", 5, "b"), plus("new", 4, "a")]):
        trees = forest(E)
        for cells in order:
            put(trees, E, cells)
        assert shown(trees, E) == {"tags": ["new", "vip"]}


def test_adding_a_tag_again_moves_nothing() -> None:
    trees = forest(E)
    put(trees, E, plus("vip", 1) | plus("new", 1, place=1))
    assert put(trees, E, plus("vip", 9)) == {}
    assert shown(trees, E) == {"tags": ["vip", "new"]}


def test_a_list_of_tags_says_something_of_every_tag() -> None:
    trees = forest(E)
    put(trees, E, plus("old", 1))
    put(trees, E, {"tags": cell(["b", "a"], 5)})
    put(trees, E, plus("late", 3))
    assert shown(trees, E) == {"tags": ["b", "a"]}
    put(trees, E, plus("c", 6) | minus("b", 6))
    assert shown(trees, E) == {"tags": ["a", "c"]}


def test_removing_the_last_tag_leaves_no_value() -> None:
    trees = forest(E)
    put(trees, E, plus("vip", 1))
    assert put(trees, E, minus("vip", 2)) == {"tags": (["vip"], None)}
    assert shown(trees, E) == {}


def test_a_replacing_write_clears_also_what_arrives_late() -> None:
    trees = forest(E)
    put(trees, E, {"city": cell("Pune", 1)})
    told = put(trees, E, replacing(5, firstName="Asha"))
    assert told == {"city": ("Pune", None), "firstName": (None, "Asha")}
    assert put(trees, E, {"lastName": cell("Rao", 4)}) == {}
    assert shown(trees, E) == {"firstName": "Asha"}


def test_of_one_moment_the_message_id_decides_over_a_replacing_write_too() -> None:
    given = [{"city": cell("Pune", 5, "a")}, replacing(5, "b"), {"lastName": cell("Rao", 5, "c")}]
    for order in itertools.permutations(given):
        trees = forest(E)
        for cells in order:
            put(trees, E, cells)
        assert shown(trees, E) == {"lastName": "Rao"}


# Merged records


def test_the_survivors_single_values_stay_and_what_it_lacks_comes_from_the_merged() -> None:
    trees = forest()
    put(trees, E, {"firstName": cell("Asha", 1), "city": cell(None, 2)})
    put(trees, U, {"firstName": cell("A.", 3), "city": cell("Pune", 1), "email": cell("a@b", 3)})
    merge(trees, E, U, 10)
    assert shown(trees, E) == {"firstName": "Asha", "city": "Pune", "email": "a@b"}


def test_lists_are_united_the_survivors_order_first() -> None:
    trees = forest()
    put(trees, E, {"likes": cell(["c", "a"], 5), "tags": cell(["x"], 5)})
    put(trees, U, {"likes": cell(["b", "a"], 1)} | plus("w", 1) | plus("x", 2))
    merge(trees, E, U, 10)
    assert shown(trees, E) == {"likes": ["c", "a", "b"], "tags": ["x", "w"]}


def test_a_write_after_the_merge_stands_alone_on_either_side() -> None:
    for home in (E, U):
        trees = forest()
        put(trees, E, {"city": cell("Pune", 1), "likes": cell(["a"], 1)})
        put(trees, U, {"likes": cell(["b"], 1)})
        merge(trees, E, U, 10)
        put(trees, home, {"city": cell("Goa", 20), "likes": cell(["z"], 20)}, root=E)
        assert shown(trees, E) == {"city": "Goa", "likes": ["z"]}


def test_a_tag_added_after_the_merge_takes_none_along_when_it_is_undone() -> None:
    trees = forest()
    put(trees, E, plus("own", 1))
    put(trees, U, plus("theirs", 2))
    merge(trees, E, U, 10)
    put(trees, E, plus("since", 20))
    assert shown(trees, E) == {"tags": ["own", "since", "theirs"]}
    settle.detach(trees, E, U)
    assert shown(trees, E) == {"tags": ["own", "since"]}
    assert shown(trees, U) == {"tags": ["theirs"]}


def test_a_tag_removed_after_the_merge_is_gone_wherever_it_came_from() -> None:
    trees = forest()
    put(trees, U, plus("theirs", 2))
    merge(trees, E, U, 10)
    assert put(trees, E, minus("theirs", 20)) == {"tags": (["theirs"], None)}
    assert shown(trees, E) == {}


def test_what_came_by_a_merge_says_by_which() -> None:
    trees = forest()
    put(trees, E, {"city": cell("Pune", 1)})
    put(trees, U, {"email": cell("a@b", 1)} | plus("vip", 1))
    merge(trees, E, U, 10)
    came_by = {name: found.merge for name, found in settle.view(trees, E).items()}
    assert came_by == {"city": None, "email": 102, "tags": 102}


def test_two_merges_of_one_moment_come_to_the_same_in_either_order() -> None:
    for order in ((U, V), (V, U)):
        trees = forest()
        put(trees, U, {"city": cell("Pune", 1), "likes": cell(["u"], 1)})
        put(trees, V, {"city": cell("Goa", 2), "likes": cell(["v"], 2)})
        for number, child in enumerate(order):
            settle.attach(trees, E, Edge(10, child, 100 + number))
        assert shown(trees, E) == {"city": "Pune", "likes": ["u", "v"]}


# The auto-captured pair

AUTO = {"country": cell("IN", 3, "m", "auto"), "timezone": cell("Asia/Kolkata", 3, "m", "auto")}


@pytest.mark.parametrize(
    ("had", "then"),
    [
        ({}, {"country": "IN", "timezone": "Asia/Kolkata"}),
        ({"country": cell("DE", 1)}, {"country": "DE"}),
        ({"timezone": cell("UTC", 1)}, {"timezone": "UTC"}),
        ({"country": cell(None, 1)}, {"country": "IN", "timezone": "Asia/Kolkata"}),
    ],
)
def test_the_pair_is_taken_both_or_not_at_all(had: dict[str, Cell], then: dict[str, str]) -> None:
    trees = forest()
    put(trees, E, had)
    put(trees, U, AUTO)
    merge(trees, E, U, 10)
    assert shown(trees, E) == then


def test_what_a_person_said_of_their_country_is_no_capture() -> None:
    trees = forest()
    put(trees, E, {"timezone": cell("UTC", 1)})
    put(trees, U, {"country": cell("IN", 3)})
    merge(trees, E, U, 10)
    assert shown(trees, E) == {"country": "IN", "timezone": "UTC"}


def test_the_pair_taken_in_a_merge_outlives_a_later_change_of_one() -> None:
    trees = forest()
    put(trees, U, AUTO)
    merge(trees, E, U, 10)
    put(trees, E, {"timezone": cell("Europe/Berlin", 20)})
    assert shown(trees, E) == {"country": "IN", "timezone": "Europe/Berlin"}


def test_the_pair_left_in_a_merge_does_not_slip_in_by_a_later_change_of_one() -> None:
    for order in itertools.permutations([1, 20]):
        trees = forest()
        put(trees, U, AUTO)
        merge(trees, E, U, 10)
        for when in order:
            put(trees, E, {"timezone": cell(f"zone of {when}", when)})
        assert shown(trees, E) == {"timezone": "zone of 20"}


# Deep and wide


def test_a_chain_of_a_thousand_merges_settles_at_once() -> None:
    trees = forest(*range(1_001))
    put(trees, 0, plus("first", 1) | AUTO)
    for n in range(1_000):
        settle.attach(trees, n + 1, Edge(10, n, n))
    assert len(settle.members(trees, 1_000)) == 1_001
    assert shown(trees, 1_000) == {
        "tags": ["first"],
        "country": "IN",
        "timezone": "Asia/Kolkata",
    }
    put(trees, 0, {"country": cell("DE", 20)}, root=1_000)
    assert settle.settled(trees, 1_000, ["country"])["country"] == cell("DE", 20)


def test_one_that_took_in_many_shows_what_each_brought() -> None:
    trees = forest(*range(300))
    for n in range(1, 300):
        put(trees, n, {"likes": cell([f"l{n}"], n)})
        merge(trees, 0, n, 1_000 + n)
    assert shown(trees, 0) == {"likes": [f"l{n}" for n in range(1, 300)]}
