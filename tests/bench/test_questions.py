"""Whoever is asked, and however the data came to be there, a question has one answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import large, loaded, population, questions, segments, warehouse_floor
from user360.ingest import bulk
from user360.platform import Platform

SIZE = population.Size(400, 12_000)
ASKED = [questions.BEHAVIOUR, questions.PROPERTIES, questions.SEQUENCE]


def by_hand(cache: Path) -> list[int]:
    arrival = cache / "arrival.duckdb"
    warehouse_floor.build(arrival, SIZE)
    with warehouse_floor.connect(arrival) as duck:
        return [warehouse_floor.count(duck, each.duckdb) for each in ASKED]


def by_product(data: Path) -> list[int]:
    with Platform.open(data) as platform:
        asks = [segments.counter(platform, each.tree) for each in ASKED]
        return [ask() for ask in asks]


def test_loaded_through_the_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "ORDERED_FROM", 1)
    counts = by_hand(tmp_path)
    assert all(counts)
    assert by_product(loaded.directory(tmp_path, SIZE)) == counts


def test_filled_straight_into_the_warehouse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(population, "PLAIN", 1)
    monkeypatch.setattr(large, "SLICE", 500)
    counts = by_hand(tmp_path)
    assert by_product(large.directory(tmp_path, SIZE, tmp_path / "arrival.duckdb")) == counts


def test_events_without_their_properties_are_the_same_events() -> None:
    whole = [batch.select([0, 1, 2]) for batch in population.events(SIZE, batch=5_000)]
    assert list(population.happened(SIZE, batch=5_000)) == whole
