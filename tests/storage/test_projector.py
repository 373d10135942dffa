from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY

from user360.clock import StillClock
from user360.errors import StorageFailed, Unavailable
from user360.ingest import doctor
from user360.ingest.call import Call, Event, Verb
from user360.observe import metrics
from user360.platform import Platform
from user360.records import store as record_store
from user360.records.properties import Catalogue, Property, Type
from user360.settings import Settings
from user360.storage import projector
from user360.storage.duckdb import DuckDB
from user360.storage.warehouse import Warehouse

AT = 1_790_000_000_000_000
SMALL = Settings()


def opened(directory: Path, **how: Any) -> Platform:
    return Platform.open(directory, SMALL, StillClock(AT), **how)


def call(platform: Platform, **how: Any) -> Call:
    at = platform.now()
    number = platform.default.id
    return Call(workspace=number, source="api", ref="key:1", at=at, message_id=f"m{at}", **how)


def buy(platform: Platform, *numbers: int) -> None:
    calls = [
        call(
            platform,
            user_id=f"u{n % 5}",
            event=Event("Purchase", {"n": n}, id=f"e{n}"),
            properties={"city": f"C{n}"},
        )
        for n in numbers
    ]
    assert all(outcome.problem is None for outcome in platform.settle(calls))


def bought(platform: Platform) -> int:
    rows = platform.wait().query("SELECT count(*) FROM w1.events WHERE name = 'Purchase'").rows
    return int(rows[0][0])


def answered(platform: Platform) -> int | None:
    """As `bought`; None while it cannot be said, which a reader is told plainly."""
    try:
        return bought(platform)
    except Unavailable:
        return None


def eventually(true: Callable[[], bool], within: float = 20.0) -> None:
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def files(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed data directory with some purchases."""
    made = tmp_path_factory.mktemp("filled")
    with opened(made) as platform:
        buy(platform, *range(100))
        platform.settle([call(platform, user_id="u4", verb=Verb.DELETE)])
        platform.wait()
    return made


@pytest.fixture
def directory(filled: Path, tmp_path: Path) -> Path:
    return shutil.copytree(filled, tmp_path / "data")


@pytest.fixture
def platform(directory: Path) -> Iterator[Platform]:
    with opened(directory) as running:
        yield running


def sound(platform: Platform) -> bool:
    platform.wait()
    return doctor.examine(platform).findings == []


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


def test_a_full_disk_is_no_damage(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    path = tmp_path / "nowhere" / "warehouse.duckdb"
    (tmp_path / "nowhere").write_bytes(b"")
    with pytest.raises(Exception, match="nowhere") as caught:
        DuckDB(path, "512MB", 1)
    assert not isinstance(caught.value, duckdb.Error)


NICKNAME = Property(101, "nickname", Type.STRING)


def declare(platform: Platform, *declared: Property) -> None:
    def job(connection: sa.Connection) -> None:
        for each in declared:
            record_store.save_property(connection, platform.default.id, each, AT)
        platform.default.catalogue = Catalogue(declared, platform.default.catalogue.version + 1)

    platform.write(job)
    platform.projector.prepare()


def drop(platform: Platform, *, back: bool = False) -> None:
    def job(connection: sa.Connection) -> None:
        gone = None if back else AT
        record_store.delete_property(connection, platform.default.id, NICKNAME.id, gone)
        platform.default.catalogue = Catalogue([NICKNAME] if back else [])

    platform.write(job)
    platform.projector.prepare()


def nicknames(platform: Platform) -> list[Any]:
    sql = "SELECT p101 FROM w1.records WHERE p101 IS NOT NULL ORDER BY 1"
    return [value for (value,) in platform.wait().query(sql).rows]


def test_a_new_property_does_not_read_the_records(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("a million records would be read")

    monkeypatch.setattr("user360.ingest.project.settled_records", never)
    declare(platform, NICKNAME)
    platform.settle([call(platform, user_id="u1", properties={"nickname": "Kim"})])
    assert nicknames(platform) == ["Kim"]


def test_a_property_given_back_shows_what_was_written_before_and_since(
    platform: Platform,
) -> None:
    declare(platform, NICKNAME)
    calls = [call(platform, user_id=f"u{n}", properties={"nickname": f"N{n}"}) for n in (1, 2)]
    platform.settle(calls)
    assert nicknames(platform) == ["N1", "N2"]
    drop(platform)
    platform.settle([call(platform, user_id="u1", properties={"city": "Pune"})])
    assert sound(platform)
    drop(platform, back=True)
    assert nicknames(platform) == ["N1", "N2"]
    assert sound(platform)


def test_a_name_used_again_shows_what_is_held_under_it(platform: Platform) -> None:
    declare(platform, NICKNAME)
    platform.settle([call(platform, user_id="u1", properties={"nickname": "Kim"})])
    drop(platform)
    declare(platform, Property(102, "nickname", Type.STRING))
    rows = platform.wait().query("SELECT p102 FROM w1.records WHERE user_id = 'u1'").rows
    assert rows == [("Kim",)]
    assert sound(platform)


def test_a_column_lost_between_its_making_and_its_filling_is_filled_at_the_next_start(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(directory) as platform:
        declare(platform, NICKNAME)
        platform.settle([call(platform, user_id="u1", properties={"nickname": "7"})])
        assert nicknames(platform) == ["7"]

    def dying(*_: Any) -> Any:
        raise StorageFailed("the power went")

    retyped = Property(101, "nickname", Type.NUMBER, retyped=True)
    with opened(directory) as platform:
        monkeypatch.setattr("user360.ingest.project.settled_records", dying)
        with pytest.raises(StorageFailed):
            declare(platform, retyped)
        monkeypatch.undo()
    with opened(directory) as platform:
        assert nicknames(platform) == [7.0]
        assert sound(platform)


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
