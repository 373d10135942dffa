"""The population is the same whenever and wherever it is made."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from itertools import pairwise

import pyarrow as pa
import pytest

from bench import population

SMALL = population.Size(records=1_000, events=5_000)


def people(size: population.Size = SMALL, seed: int = population.SEED) -> pa.Table:
    return pa.Table.from_batches(population.records(size, seed, batch=300))


def done(size: population.Size = SMALL, seed: int = population.SEED) -> pa.Table:
    return pa.Table.from_batches(population.events(size, seed, batch=1_500))


def fingerprint(table: pa.Table) -> str:
    return hashlib.sha256(json.dumps(table.to_pylist()).encode()).hexdigest()[:16]


def test_the_same_seed_makes_the_same_people_and_events() -> None:
    assert people().equals(people())
    assert done().equals(done())


def test_another_seed_makes_others() -> None:
    assert not people(seed=1).equals(people())
    assert not done(seed=1).equals(done())


def test_published_figures_are_about_exactly_this_population() -> None:
    assert fingerprint(people()) == "0144cbf48f76394a"
    assert fingerprint(done()) == "079827e2827a0482"


@pytest.mark.parametrize("size", [population.Size(1, 1), population.Size(7, 3), SMALL])
def test_it_has_the_size_it_was_asked_for(size: population.Size) -> None:
    assert people(size).num_rows == size.records
    assert done(size).num_rows == size.events


def test_a_person_stands_at_the_place_that_the_userid_says() -> None:
    assert people()["userId"].to_pylist() == [population.user_id(n) for n in range(1_000)]


def test_events_come_in_the_order_of_their_time_within_the_period() -> None:
    at = done()["at"].to_pylist()
    start = int(population.START.timestamp()) * 1_000_000
    end = start + timedelta(days=population.DAYS) // timedelta(microseconds=1)
    assert all(earlier <= later for earlier, later in pairwise(at))
    assert start <= at[0]
    assert at[-1] < end


def test_every_event_has_an_id_of_its_own_somebody_who_did_it_and_json() -> None:
    events = done().to_pylist()
    assert len({e["id"] for e in events}) == len(events)
    assert {e["name"] for e in events} <= set(population.NAMES)
    assert all(0 <= e["record"] < SMALL.records for e in events)
    purchases = [json.loads(e["properties"]) for e in events if e["name"] == "Purchase"]
    assert purchases
    assert all(p["amount"] > 0 and p["sku"].startswith("S") for p in purchases)


def test_a_fifth_of_the_people_do_more_than_half_of_all() -> None:
    counts = sorted(done()["record"].value_counts().field("counts").to_pylist(), reverse=True)
    assert sum(counts[:200]) > 0.5 * SMALL.events
