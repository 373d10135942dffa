"""What was committed reaches the file beside the writer, and the log begins again."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from user360.storage import checkpoints
from user360.storage.ledger import Ledger, run

PUT = (
    "INSERT INTO jobs (id, workspace_id, kind, created_at, result)"
    " VALUES (:name, 1, 'test', 0, :result)"
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    made.migrate()
    yield made
    made.close()


def put(ledger: Ledger, *names: str) -> None:
    for name in names:
        with ledger.write() as connection:
            run(connection, PUT, {"name": name, "result": os.urandom(4_000).hex()})


def test_all_that_was_written_is_copied_and_the_log_begins_again(
    ledger: Ledger, tmp_path: Path
) -> None:
    put(ledger, "a", "b", "c")
    assert ledger.checkpoints.copy() == 0
    before = (tmp_path / "ledger.db-wal").stat().st_size
    for n in range(20):
        put(ledger, f"d{n}")
        assert ledger.checkpoints.copy() == 0
    assert (tmp_path / "ledger.db-wal").stat().st_size <= 2 * before


def test_what_a_reader_still_sees_is_left_and_copied_once_it_has_gone(ledger: Ledger) -> None:
    put(ledger, "a")
    with ledger.read() as reader:
        assert len(run(reader, "SELECT id FROM jobs", {})) == 1
        put(ledger, "b", "c")
        assert ledger.checkpoints.copy() > 0
        assert len(run(reader, "SELECT id FROM jobs", {})) == 1
    assert ledger.checkpoints.copy() == 0


def test_the_thread_copies_after_a_commit_and_ends_with_the_ledger(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied, copy = threading.Event(), ledger.checkpoints.copy

    def noted() -> int:
        left = copy()
        copied.set()
        return left

    monkeypatch.setattr(checkpoints, "REST", 0.01)
    monkeypatch.setattr(ledger.checkpoints, "copy", noted)
    ledger.checkpoints.start()
    put(ledger, "a")
    assert copied.wait(30)
    assert ledger.checkpoints.copy() == 0
    ledger.close()
    assert not ledger.checkpoints.running


def test_a_disk_that_fails_meanwhile_does_not_end_the_thread(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = threading.Semaphore(0)

    def broken() -> int:
        tries.release()
        ledger.checkpoints.written = True
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(checkpoints, "REST", 0.01)
    monkeypatch.setattr(ledger.checkpoints, "copy", broken)
    ledger.checkpoints.start()
    put(ledger, "a")
    for _ in range(3):
        assert tries.acquire(timeout=30)
    assert ledger.checkpoints.running


def test_what_came_meanwhile_is_copied_while_the_writer_waits(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, waited, done = ledger.checkpoints.copy, list[bool](), threading.Event()

    def overtaken() -> int:
        waited.append(ledger.checkpoints.writing.locked())
        left = copy()
        if len(waited) == 1:
            put(ledger, "meanwhile")
            left = 8
        else:
            done.set()
        return left

    monkeypatch.setattr(checkpoints, "REST", 0.01)
    monkeypatch.setattr(ledger.checkpoints, "copy", overtaken)
    put(ledger, "a")
    ledger.checkpoints.start()
    assert done.wait(30)
    ledger.close()
    assert waited[:2] == [False, True]
    with sqlite3.connect(tmp_path / "ledger.db") as file:
        assert file.execute("SELECT count(*) FROM jobs").fetchone() == (2,)
