"""A warehouse made anew: the old one answers meanwhile, and stays when it fails."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.storage.projector.conftest import bought, buy, opened, sound
from user360.platform import Platform
from user360.storage import projector
from user360.storage.duckdb import DuckDB


def test_a_rebuild_that_failed_starts_again(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector, "RETRY", 0.05)
    failures = iter([OSError("no more disk"), duckdb.IOException("no more disk")])
    original = DuckDB.sort

    def failing(self: DuckDB, workspace: int) -> None:
        for failure in failures:
            raise failure
        original(self, workspace)

    monkeypatch.setattr(DuckDB, "sort", failing)
    (directory / "warehouse.duckdb").unlink()
    with opened(directory) as platform:
        assert bought(platform) == 80
        assert sound(platform)
        assert platform.projector.error is None


def test_a_rebuild_by_hand_answers_until_it_is_done(platform: Platform) -> None:
    platform.wait().query("DELETE FROM w1.records")
    platform.wait().query("DELETE FROM w1.events_fresh WHERE name = 'Purchase'")
    told: list[tuple[float, int]] = []
    platform.projector.rebuild(lambda share: told.append((share, bought_now(platform))))
    assert told[0][1] == 0
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert told[-1][0] == 1.0
    assert bought(platform) == 80
    assert sound(platform)


def bought_now(platform: Platform) -> int:
    sql = "SELECT count(*) FROM w1.events WHERE name = 'Purchase'"
    return int(platform.projector.warehouse.query(sql).rows[0][0])


def test_a_rebuild_that_is_given_up_leaves_the_old_file(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise duckdb.IOException("No space left on device")

    monkeypatch.setattr(DuckDB, "sort", full)
    with pytest.raises(Exception, match="No space left"):
        platform.projector.rebuild()
    assert bought(platform) == 80
    buy(platform, 600)
    assert bought(platform) == 81


def test_questions_under_way_are_answered_before_the_file_is_swapped(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("user360.storage.duckdb.PATIENCE", 120.0)
    sql = "SELECT count(*) FROM range(300000000) t(i) WHERE i % 7 = 3"
    answers: list[Any] = []
    warehouse = platform.wait()
    asking = threading.Thread(target=lambda: answers.append(warehouse.query(sql).rows))
    asking.start()
    while not warehouse._used and asking.is_alive():  # type: ignore[attr-defined] # DuckDB's own
        pass
    platform.projector.rebuild()
    asking.join()
    assert answers == [[(42_857_143,)]]
    assert bought(platform) == 80
