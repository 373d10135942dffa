"""The writer: a defect that one call brings out fails that call, and nobody beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stories.shop import Shop
from user360.errors import Conflict, Problem
from user360.identity import resolve
from user360.ingest import facts
from user360.ingest.batch import Batch, Work
from user360.ingest.call import Call, Outcome
from user360.platform import Platform
from user360.records.properties import Type
from user360.segments import define
from user360.storage.ledger import Connection


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


@pytest.fixture
def shop(platform: Platform) -> Shop:
    return Shop(platform)


@pytest.fixture
def defect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes from Atlantis breaks the step that settles cells."""
    sound = facts.cells_of

    def broken(batch: Batch, work: Work, decision: resolve.Decision) -> object:
        if work.values.get("city") == "Atlantis":
            raise ZeroDivisionError("a defect")
        return sound(batch, work, decision)

    monkeypatch.setattr(facts, "cells_of", broken)


def statuses(outcomes: list[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


def cities(shop: Shop, *names: str) -> list[Call]:
    return [
        shop.call(user_id=f"u{n}", properties={"city": name, "visits": n}, undeclared="create")
        for n, name in enumerate(names)
    ]


@pytest.mark.usefixtures("defect")
def test_a_defect_fails_only_the_call_that_brought_it_out(shop: Shop) -> None:
    outcomes = shop.settle(*cities(shop, "Pune", "Atlantis", "Goa"))
    assert statuses(outcomes) == ["created", "failed", "created"]
    assert outcomes[1].problem is not None
    assert "defect" in outcomes[1].problem.detail
    assert "Atlantis" not in outcomes[1].problem.detail
    assert (shop.count(), shop.person("u1")) == (2, None)
    assert shop.known("u2") == {"city": "Goa", "visits": 2}
    assert [p.type for p in shop.workspace.catalogue.custom] == [Type.NUMBER]


@pytest.mark.usefixtures("defect")
def test_a_defect_in_one_workspace_leaves_the_others_whole(platform: Platform) -> None:
    one, other = Shop(platform), Shop(platform)
    calls = [*cities(one, "Pune", "Atlantis"), *cities(other, "Goa")]
    assert statuses(platform.settle(calls)) == ["created", "failed", "created"]
    assert (one.count(), other.count()) == (1, 1)


@pytest.mark.usefixtures("defect")
def test_after_a_defect_numbers_and_positions_go_on_without_a_gap(shop: Shop) -> None:
    first = shop.write("a", city="Pune")
    with pytest.raises(Problem, match="defect"):
        shop.settle(*cities(shop, "Atlantis"))
    second = shop.write("b", city="Goa")
    assert first.record is not None
    assert (second.record, second.seq) == (first.record + 1, first.seq + 1)


def test_a_failing_call_is_answered_beside_those_that_succeed(shop: Shop) -> None:
    good, bad = shop.settle(
        shop.call(user_id="asha", properties={"city": "Pune"}),
        shop.call(user_id="guest", properties={"city": "Goa"}),
    )
    assert (good.status, bad.status) == ("created", "failed")
    assert good.seq == shop.platform.committer.position.last


def test_of_a_job_that_is_refused_halfway_nothing_stays_in_force(shop: Shop) -> None:
    def twice(connection: Connection) -> None:
        change = shop.platform.change(connection, shop.workspace, "test")
        define.create(change, "Twice", "", {"property": "city", "op": "known"})
        define.create(change, "Twice", "", {"property": "city", "op": "known"})

    with pytest.raises(Conflict, match="exists already"):
        shop.platform.write(twice)
    assert shop.workspace.segments == {}
    shop.platform.keeper.settle()
