"""A warehouse that is damaged, missing, ahead or broken: the answers come back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.storage.projector.conftest import (
    answered,
    bought,
    buy,
    call,
    eventually,
    files,
    opened,
    sound,
)
from user360.errors import Unavailable
from user360.ingest.call import Verb
from user360.platform import Platform
from user360.storage import projector
from user360.storage.duckdb import DuckDB


def garbage(path: Path) -> None:
    path.write_bytes(b"no database at all" * 1000)


def torn(path: Path) -> None:
    """The middle of the file is overwritten: the header is fine, what it points to is not."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(12_288)
        file.write(b"\xa5" * (size - 12_288))


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def halved(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def removed(path: Path) -> None:
    path.unlink()


def wal_of_another(path: Path) -> None:
    path.with_name(path.name + ".wal").write_bytes(b"\x00\x01not a log" * 500)


def wal_without_a_file(path: Path) -> None:
    path.unlink()
    wal_of_another(path)


@pytest.mark.parametrize(
    "damage", [garbage, torn, emptied, halved, removed, wal_of_another, wal_without_a_file]
)
def test_whatever_happens_to_the_file_the_answers_come_back(
    directory: Path, damage: Callable[[Path], None]
) -> None:
    damage(directory / "warehouse.duckdb")
    with opened(directory) as platform:
        buy(platform, 300)
        eventually(lambda: answered(platform) == 81)
        assert sound(platform)
    with opened(directory) as platform:
        assert bought(platform) == 81


def test_the_ledger_serves_while_the_warehouse_is_made_anew(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    original = projector.Projector._make_anew

    def slow(self: projector.Projector, progress: projector.Progress) -> None:
        go_on.wait(20)
        original(self, progress)

    monkeypatch.setattr(projector.Projector, "_make_anew", slow)
    (directory / "warehouse.duckdb").unlink()
    with opened(directory) as platform:
        buy(platform, 400)
        with pytest.raises(Unavailable, match="being rebuilt"):
            _ = platform.projector.warehouse
        go_on.set()
        assert bought(platform) == 81


def test_a_warehouse_ahead_of_its_ledger_is_made_anew(directory: Path) -> None:
    warehouse = DuckDB(directory / "warehouse.duckdb", "512MB", 1)
    warehouse.apply({}, 10_000_000)
    warehouse.close()
    with opened(directory) as platform:
        assert bought(platform) == 80
        assert sound(platform)
    assert any("damaged" in name for name in files(directory))


def test_only_the_last_damaged_file_is_kept(directory: Path) -> None:
    for _ in range(3):
        garbage(directory / "warehouse.duckdb")
        with opened(directory) as platform:
            assert bought(platform) == 80
    assert sum("damaged" in name for name in files(directory)) == 1


def test_what_a_killed_process_left_over_is_removed(directory: Path) -> None:
    spilled = directory / "warehouse.duckdb.tmp"
    spilled.mkdir()
    (spilled / "duckdb_temp_storage-0.tmp").write_bytes(b"x" * 1000)
    for name in ("warehouse.duckdb.part", "warehouse.duckdb.part.wal"):
        (directory / name).write_bytes(b"half a rebuild")
    (directory / "warehouse.duckdb").unlink()
    with opened(directory) as platform:
        assert bought(platform) == 80
    assert files(directory) <= {"ledger.db", "lock", "vault.key", "warehouse.duckdb"}


def test_an_engine_that_breaks_while_applying_is_replaced(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = DuckDB._bury
    broken = iter([duckdb.FatalException("the database has been invalidated")])

    def breaking(self: DuckDB, *arguments: Any) -> None:
        original(self, *arguments)
        for failure in broken:
            raise failure

    monkeypatch.setattr(DuckDB, "_bury", breaking)
    platform.settle([call(platform, user_id="u3", verb=Verb.DELETE)])
    buy(platform, 500)
    assert bought(platform) == 61
    assert sound(platform)


def test_an_engine_that_breaks_under_a_question_is_replaced_without_a_write(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = platform.wait()
    monkeypatch.setattr(held, "_borrow", lambda: Broken())
    monkeypatch.setattr(held, "_give_back", lambda *_: None)
    with pytest.raises(Unavailable, match="being rebuilt"):
        held.query("SELECT 1")
    eventually(lambda: platform.projector._warehouse not in (held, None))
    assert bought(platform) == 80


class Broken:
    """A connection to a database that has been invalidated."""

    def execute(self, *_: Any) -> None:
        raise duckdb.FatalException("the database has been invalidated")


def test_a_full_disk_is_no_damage(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    path = tmp_path / "nowhere" / "warehouse.duckdb"
    (tmp_path / "nowhere").write_bytes(b"")
    with pytest.raises(Exception, match="nowhere") as caught:
        DuckDB(path, "512MB", 1)
    assert not isinstance(caught.value, duckdb.Error)
