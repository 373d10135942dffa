from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import sqlalchemy.exc

from user360.errors import StorageFailed
from user360.storage.ledger import Dialect, Ledger, run, run_together


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    made.migrate()
    return made


def put(ledger: Ledger, name: str, size: int = 10) -> None:
    query = sa.text(
        "INSERT INTO jobs (id, workspace_id, kind, created_at, result)"
        " VALUES (:name, 1, 'test', 0, :result)"
    )
    with ledger.write() as connection:
        connection.execute(query, {"name": name, "result": os.urandom(size // 2).hex()})


def count(connection: sa.Connection) -> int:
    return int(connection.execute(sa.text("SELECT count(*) FROM jobs")).scalar_one())


def test_a_commit_is_on_disk_before_it_is_answered(ledger: Ledger) -> None:
    with ledger.write() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar_one() == 1


def test_a_reader_sees_one_moment_and_holds_nobody_up(ledger: Ledger) -> None:
    put(ledger, "a")
    with ledger.read() as reader:
        assert count(reader) == 1
        put(ledger, "b")
        assert count(reader) == 1
    with ledger.read() as reader:
        assert count(reader) == 2


def test_a_glance_sees_one_moment_and_the_next_a_later_one(ledger: Ledger) -> None:
    for name in ("a", "b", "c"):
        with ledger.glance() as glance:
            before = count(glance)
            put(ledger, name)
            assert count(glance) == before
    with ledger.glance() as glance:
        assert count(glance) == 3


def test_glances_do_not_wait_for_each_other(ledger: Ledger) -> None:
    put(ledger, "a")
    with ledger.glance() as first:
        assert count(first) == 1
        put(ledger, "b")
        with ledger.glance() as second:
            assert count(second) == 2
        assert count(first) == 1


def test_a_glance_that_fails_spoils_none_after_it(ledger: Ledger) -> None:
    put(ledger, "a")
    with pytest.raises(StorageFailed, match="readonly"), ledger.glance() as glance:
        glance.execute(sa.text("DELETE FROM jobs"))
    with pytest.raises(KeyError), ledger.glance():
        raise KeyError
    with ledger.glance() as glance:
        _break(glance)
    with ledger.glance() as glance:
        assert count(glance) == 1
    assert ledger.empty_log()  # nobody goes on reading


def _break(connection: sa.Connection) -> None:
    driver: Any = connection.connection.driver_connection
    driver.close()


def test_a_reader_cannot_write(ledger: Ledger) -> None:
    with pytest.raises(StorageFailed, match="readonly"), ledger.read() as reader:
        reader.execute(sa.text("DELETE FROM jobs"))


def test_a_failed_transaction_leaves_nothing(ledger: Ledger) -> None:
    query = sa.text("INSERT INTO jobs (id, result) VALUES ('a', :missing)")
    put(ledger, "b")
    with pytest.raises(sa.exc.IntegrityError):
        _empty_and_fail(ledger, query)
    with ledger.read() as reader:
        assert count(reader) == 1


def _empty_and_fail(ledger: Ledger, failing: sa.TextClause) -> None:
    with ledger.write() as connection:
        connection.execute(sa.text("DELETE FROM jobs"))
        connection.execute(failing, {"missing": None})


def test_what_the_log_grew_to_while_a_reader_stood_still_is_given_back(
    ledger: Ledger, tmp_path: Path
) -> None:
    wal = tmp_path / "ledger.db-wal"
    with ledger.read() as reader:
        count(reader)
        for n in range(90):
            put(ledger, f"big{n}", 1_000_000)
        assert wal.stat().st_size > 80_000_000
    for n in range(3):
        put(ledger, f"small{n}")
    assert wal.stat().st_size <= 67_108_864


def test_errors_carry_no_values(ledger: Ledger) -> None:
    query = sa.text("INSERT INTO no_such_table VALUES (:secret)")
    with pytest.raises(Exception, match="no_such_table") as caught, ledger.write() as connection:
        connection.execute(query, {"secret": "asha@example.com"})
    assert "asha" not in str(caught.value)


def test_a_statement_of_every_commit_fails_like_any_other(ledger: Ledger) -> None:
    put(ledger, "asha@example.com")
    again = (
        "INSERT INTO jobs (id, workspace_id, kind, created_at, result)"
        " VALUES (:name, 1, 'test', 0, '')"
    )
    with pytest.raises(sa.exc.IntegrityError) as caught:
        _write(ledger, again, "b", "asha@example.com")
    assert "asha" not in str(caught.value)
    with ledger.read() as reader:
        assert run(reader, "SELECT id FROM jobs", {}) == [("asha@example.com",)]
    with pytest.raises(StorageFailed, match="readonly"), ledger.read() as reader:
        run(reader, again, {"name": "c"})


def _write(ledger: Ledger, statement: str, *names: str) -> None:
    with ledger.write() as connection:
        for name in names:
            run(connection, statement, {"name": name})


@pytest.mark.parametrize("size", [1, 2, 3, 16, 17, 512])
def test_rows_become_a_table_of_themselves_alone(ledger: Ledger, size: int) -> None:
    rows = [(n, f"text {n}", None) for n in range(size)]
    table, given = Dialect.table(("id", "said", "missing"), rows)
    query = f"SELECT id, said, missing FROM {table} WHERE id IS NOT NULL"
    with ledger.read() as reader:
        assert run(reader, query, given) == rows


def test_rows_read_in_one_step_are_what_they_are_one_after_another(ledger: Ledger) -> None:
    names = ['"', "é\\", "\u2028 {}", "a\tb"]
    for name in names:
        put(ledger, name)
    columns = ("id", "workspace_id + 9007199254740993", "result", "NULL")
    with ledger.read() as reader:
        plain = run(reader, f"SELECT {', '.join(columns)} FROM jobs", {})
        together = Dialect.together(*columns)
        assert run_together(reader, f"SELECT {together} FROM jobs", {}) == [*map(list, plain)]
        assert run_together(reader, f"SELECT {together} FROM jobs WHERE 1 = 0", {}) == []
    assert {row[0] for row in plain} == set(names)


def test_a_sound_file_has_no_damage_and_a_spoiled_one_says_so(
    ledger: Ledger, tmp_path: Path
) -> None:
    for n in range(50):
        put(ledger, f"j{n}", 4_000)
    assert ledger.damage() == []
    ledger.close()
    path = tmp_path / "ledger.db"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 20_000)
    assert Ledger(f"sqlite:///{path}").damage() != []
