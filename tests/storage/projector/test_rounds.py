"""What is written is seen: from the first round on, after a stop, however much it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from tests.storage.projector.conftest import AT, bought, buy, opened, sound
from user360.clock import StillClock
from user360.observe import metrics
from user360.platform import Platform
from user360.settings import Settings
from user360.storage.warehouse import Warehouse


def test_a_workspace_without_data_can_be_asked(tmp_path: Path) -> None:
    with opened(tmp_path) as platform:
        assert bought(platform) == 0


def test_what_died_between_two_rounds_is_caught_up(directory: Path) -> None:
    with opened(directory, start=False) as platform:
        platform.committer.start()
        buy(platform, 200, 201)
        assert platform.projector.position < platform.committer.position.last
    with opened(directory) as platform:
        assert bought(platform) == 82
        assert sound(platform)


def test_after_a_start_the_metrics_say_where_the_ledger_and_the_warehouse_are(
    directory: Path,
) -> None:
    metrics.POSITION.set(0)
    metrics.PROJECTED.set(0)
    with opened(directory, start=False) as platform:
        position, projected = (
            REGISTRY.get_sample_value(f"user360_{name}_position")
            for name in ("ledger", "projected")
        )
        assert position == platform.committer.position.last > 0
        assert projected == platform.projector.position > 0


def test_a_long_log_is_projected_in_bounded_rounds(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("user360.ingest.project.EVENTS_AT_ONCE", 30)
    with opened(directory) as platform:
        for start in range(1_000, 1_300, 20):
            buy(platform, *range(start, start + 20))
        assert bought(platform) == 80 + 300
        assert sound(platform)
        platform.projector.rebuild()
        assert sound(platform)


def test_fresh_events_are_folded_and_still_agree(tmp_path: Path) -> None:
    few = Settings(fresh_rows=50)
    with Platform.open(tmp_path, few, StillClock(AT)) as platform:
        for start in range(0, 200, 20):
            buy(platform, *range(start, start + 20))
        assert bought(platform) == 200
        assert sound(platform)
        rows = platform.wait().query("SELECT count(*) > 0 FROM w1.events_sorted").rows
        assert rows == [(True,)]


def test_a_snapshot_stands_still(platform: Platform) -> None:
    warehouse: Warehouse = platform.wait()
    with warehouse.snapshot() as snapshot:
        before = snapshot.table("SELECT count(*) AS n FROM w1.events")["n"].to_pylist()
        buy(platform, 700, 701)
        platform.wait()
        assert snapshot.table("SELECT count(*) AS n FROM w1.events")["n"].to_pylist() == before
    assert bought(platform) == 82
