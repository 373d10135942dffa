"""A few people apart are asked the same as everybody, and nothing of the others is seen."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import pytest

from tests.stories.shop import START, Shop
from user360.platform import Platform
from user360.segments.compiler import compile as compiler
from user360.segments.compiler import few, questions
from user360.segments.language import tree

TREES: list[dict[str, Any]] = [
    {"property": "city", "op": "is", "values": ["Pune"]},
    {"property": "city", "op": "unknown"},
    {"event": "Bought", "count": {"op": "gte", "value": 2}},
    {"event": "Bought", "occurred": False},
    {"all": [{"event": "Bought"}, {"event": "Seen", "count": {"op": "lte", "value": 1}}]},
]


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


@pytest.fixture
def shop(platform: Platform) -> Shop:
    """Forty people, every third of whom was a visitor before, each with events of two names."""
    shop = Shop(platform)
    for n in range(40):
        shop.write(f"u{n}", **({"city": "Pune"} if n % 2 else {}))
        if n % 3 == 0:
            shop.send(session=f"s{n}", event="Bought")
            shop.identify(f"s{n}", f"u{n}")
        for name in ["Bought"] * (n % 3) + ["Seen"] * (n % 4):
            shop.send(user_id=f"u{n}", event=name)
    for n in (0, 1):  # two more of them turn out to be one
        other = shop.platform.settle([shop.call(user_id=f"u{n + 10}")])[0].record
        shop.merge(f"u{n}", other)
    shop.delete("u2")
    return shop


def everybody(shop: Shop) -> list[int]:
    rows = shop.platform.wait().query(f"SELECT id FROM w{shop.workspace.id}.records ORDER BY id")
    return [row[0] for row in rows.rows]


def apart(
    shop: Shop, numbers: Collection[int], names: Collection[str] | None = None
) -> dict[str, Any]:
    """For every condition, who of these people it holds for; and who there are."""
    with few.people(shop.platform.wait(), shop.workspace, numbers, names, START) as found:
        told: dict[str, Any] = {"all": frozenset(found.numbers)}
        for given in TREES:
            node = tree.parse(given, shop.workspace.catalogue)
            select = compiler.to_sql(compiler.select_ids(node, found.frame))
            told[str(given)] = {row[0] for row in found.query(select).rows}
    return told


def among_all(shop: Shop, numbers: Collection[int]) -> dict[str, Any]:
    warehouse = shop.platform.wait()
    told: dict[str, Any] = {"all": frozenset(numbers)}
    for given in TREES:
        node = tree.parse(given, shop.workspace.catalogue)
        found = questions.numbers(warehouse, shop.workspace, node, START)
        told[str(given)] = set(found) & set(numbers)
    return told


@pytest.mark.parametrize("size", [1, 3, 30])
def test_a_few_are_answered_as_they_are_among_all(shop: Shop, size: int) -> None:
    numbers = everybody(shop)
    for first in range(0, len(numbers), size):
        chosen = numbers[first : first + size]
        assert apart(shop, chosen, ("Bought", "Seen")) == among_all(shop, chosen)
    assert apart(shop, numbers) == among_all(shop, numbers)


def test_who_was_merged_away_stands_for_the_survivor(shop: Shop) -> None:
    rows = shop.platform.wait().query(
        f"SELECT record_id, survivor_id FROM w{shop.workspace.id}.merged"
    )
    assert len(rows.rows) > 10
    for away, survivor in rows.rows:
        assert apart(shop, [away]) == apart(shop, [survivor]) == among_all(shop, [survivor])
    every = {number for row in rows.rows for number in row}
    assert apart(shop, every) == among_all(shop, {survivor for _, survivor in rows.rows})


def test_only_events_of_the_names_asked_for_are_fetched(shop: Shop) -> None:
    def fetched(names: Collection[str] | None) -> set[str]:
        warehouse = shop.platform.wait()
        with few.people(warehouse, shop.workspace, everybody(shop), names, START) as found:
            return {row[0] for row in found.query("SELECT name FROM temp.events").rows}

    assert fetched(["Bought"]) == {"Bought"}
    assert fetched(["it's", "Seen"]) == {"Seen"}
    assert fetched([]) == set()
    assert {"Bought", "Seen", "USER_CREATE"} <= fetched(None)


def test_only_members_of_the_segments_asked_for_are_fetched(shop: Shop) -> None:
    numbers, warehouse = everybody(shop), shop.platform.wait()
    with few.people(warehouse, shop.workspace, numbers[:1], (), START, segments=()) as found:
        assert found.query("SELECT count(*) FROM temp.members").rows == [(0,)]


def test_only_what_is_asked_of_records_and_events_is_fetched(shop: Shop) -> None:
    def fetched(relation: str, held: Collection[str] | None, **asked: Any) -> list[tuple[Any, ...]]:
        warehouse, names = shop.platform.wait(), ("Bought",)
        with few.people(
            warehouse, shop.workspace, everybody(shop), names, START, (), held, **asked
        ) as found:
            return found.query(f"SELECT * FROM temp.{relation} ORDER BY ALL").rows

    ids = [(number,) for number in everybody(shop)]
    assert fetched("records", None, columns=()) == ids
    users = [row[:1] for row in fetched("records", None, columns=("user_id", "id"))]
    assert users == ids

    def told(held: Collection[str] | None, identified: bool) -> set[tuple[bool, bool]]:
        rows = fetched("events", held, identified=identified)
        return {(row[4] is not None, row[5] is not None) for row in rows}

    assert told(None, False) == told(["Bought"], True) == {(True, True)}
    assert told((), True) == {(True, False)}
    assert told((), False) == {(False, False)}


def test_nobody_and_strangers_are_nobody(shop: Shop) -> None:
    deleted = 1 << 40
    assert apart(shop, [])["all"] == apart(shop, [deleted, 5])["all"] == frozenset()


def test_what_was_fetched_stands_still_and_is_gone_afterwards(shop: Shop) -> None:
    warehouse, (first, *_) = shop.platform.wait(), everybody(shop)
    with few.people(warehouse, shop.workspace, [first], None, START) as found:
        before = found.query("SELECT count(*) FROM temp.events").rows
        position = found.position
        outcome = shop.send(record=first, event="Bought")
        shop.platform.wait()
        assert found.query("SELECT count(*) FROM temp.events").rows == before
        assert position < outcome.seq
    with few.people(warehouse, shop.workspace, [first], None, START) as found:
        assert found.query("SELECT count(*) FROM temp.events").rows[0][0] > before[0][0]
        assert found.position >= outcome.seq


def test_a_question_that_fails_leaves_nothing_behind(shop: Shop) -> None:
    warehouse, (first, *_) = shop.platform.wait(), everybody(shop)
    for _ in range(3):
        with (
            pytest.raises(Exception, match="nothing_such"),
            few.people(warehouse, shop.workspace, [first], None, START) as found,
        ):
            found.query("SELECT nothing_such FROM temp.records")
    assert apart(shop, [first]) == among_all(shop, [first])
