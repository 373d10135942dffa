"""Whatever compaction does, wherever it dies, the events are the same; only their order is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from user360.storage import compaction, compactor
from user360.storage.compactor import Compactor
from user360.storage.duckdb import DuckDB
from user360.storage.warehouse import EVENTS, Changes, Damaged

NAMES = ["Purchase", "purchase", "", "É", "Sign Up", "\U0001f6d2 seen"]
TOTAL = "SELECT count(*), bit_xor(hash(seq, record_id, name, id, properties)) FROM w1.events"
# Which each event is among those of its record and name, the slow way.
EXPECTED = (
    "SELECT count(*) FROM (SELECT back, row_number() OVER"
    ' (PARTITION BY record_id, name ORDER BY "at" DESC, seq DESC) AS place FROM w1.events)'
    " WHERE back <> place"
)


def events(random: Random, first: int, count: int, people: int = 40) -> pa.Table:
    rows: list[dict[str, Any]] = [
        {
            "seq": seq,
            "record_id": random.randrange(people),
            "name": random.choice(NAMES),
            "at": random.randrange(1_000) * 1_000_000,
            "received_at": 0,
            "id": f"e{seq}",
            "source": "csv",
            "channel": "",
            "properties": f'{{"n": {seq}}}',
        }
        for seq in range(first, first + count)
    ]
    return pa.Table.from_pylist(rows, schema=EVENTS)


def arrive(warehouse: DuckDB, table: pa.Table) -> None:
    position = warehouse.position() + table.num_rows
    warehouse.apply({1: Changes((), None, (), (), table)}, position)


def ask(warehouse: DuckDB, sql: str) -> list[tuple[Any, ...]]:
    return warehouse.query(sql).rows


def sweep(warehouse: DuckDB) -> int:
    slices = 0
    while warehouse.compact(1, 1):
        slices += 1
    return slices


def opened(path: Path) -> DuckDB:
    made = DuckDB(path, "512MB", 1)
    made.prepare(1, {})
    return made


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DuckDB]:
    monkeypatch.setattr(compaction, "SLICE", 300)
    made = opened(tmp_path / "warehouse.duckdb")
    yield made
    made.close()


def test_a_sweep_says_of_every_event_which_it_is_from_the_newest(warehouse: DuckDB) -> None:
    random = Random(1)
    for first in (1, 1_001, 2_001):
        arrive(warehouse, events(random, first, 1_000))
        assert warehouse.fold(1, 1)
    total = ask(warehouse, TOTAL)
    assert warehouse.uncounted(1) == (3_000, 3_000)
    assert sweep(warehouse) > 5
    assert warehouse.uncounted(1) == (0, 3_000)
    assert ask(warehouse, EXPECTED) == [(0,)]
    assert ask(warehouse, TOTAL) == total
    assert sweep(warehouse) == 0


def test_what_arrives_in_the_middle_of_a_sweep_is_there_and_waits_for_the_next(
    warehouse: DuckDB,
) -> None:
    random = Random(2)
    arrive(warehouse, events(random, 1, 3_000))
    warehouse.fold(1, 1)
    for first in range(3_001, 3_501, 100):
        assert warehouse.compact(1, 1)
        arrive(warehouse, events(random, first, 100))
        warehouse.fold(1, 1)
    sweep(warehouse)
    sweep(warehouse)
    assert ask(warehouse, "SELECT count(*) FROM w1.events") == [(3_500,)]
    assert ask(warehouse, EXPECTED) == [(0,)]


def test_the_events_of_deleted_people_stay_gone(warehouse: DuckDB) -> None:
    random = Random(3)
    arrive(warehouse, events(random, 1, 3_000))
    warehouse.fold(1, 1)
    for number in range(5):
        warehouse.compact(1, 1)
        warehouse.apply({1: Changes((), None, (), {number}, None)}, warehouse.position())
    sweep(warehouse)
    left = ask(warehouse, "SELECT DISTINCT record_id FROM w1.events ORDER BY 1")
    assert left == [(number,) for number in range(5, 40)]
    assert ask(warehouse, EXPECTED) == [(0,)]


def test_a_reader_sees_what_it_saw_while_events_are_moved_under_it(warehouse: DuckDB) -> None:
    arrive(warehouse, events(Random(4), 1, 3_000))
    warehouse.fold(1, 1)
    with warehouse.snapshot() as view:
        before = view.query(TOTAL).rows, view.query("SELECT sum(back) FROM w1.events").rows
        assert before[1] == [(0,)]
        sweep(warehouse)
        arrive(warehouse, events(Random(4), 3_001, 10))
        assert (view.query(TOTAL).rows, view.query("SELECT sum(back) FROM w1.events").rows) == (
            before
        )
    assert ask(warehouse, "SELECT sum(back) > 0, count(*) FROM w1.events") == [(True, 3_010)]


def test_one_order_at_once_is_what_sweeps_come_to(warehouse: DuckDB) -> None:
    random = Random(5)
    arrive(warehouse, events(random, 1, 2_000))
    warehouse.fold(1, 1)
    arrive(warehouse, events(random, 2_001, 500))
    total = ask(warehouse, TOTAL)
    warehouse.sort(1)
    assert ask(warehouse, TOTAL) == total
    assert ask(warehouse, EXPECTED) == [(0,)]
    stored = ask(warehouse, 'SELECT name, record_id, "at", seq FROM w1.events_sorted')
    assert sorted(stored) == sorted(stored, key=lambda row: (row[0].encode(), *row[1:]))
    assert warehouse.uncounted(1) == (0, 2_500)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.sampled_from([64, 200, 100_000]))
def test_slices_hold_every_event_once(seed: int, size: int) -> None:
    random = Random(seed)
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA w1")
    connection.register("given", events(random, 1, random.choice([0, 1, 2_000]), people=7))
    connection.execute("CREATE TABLE w1.events_sorted AS SELECT *, 0 AS back FROM given")
    parts = compaction.slices(connection, "w1", size)
    for part in parts:
        compaction.rewrite(connection, "w1", part, ", ".join(f'"{n}"' for n in EVENTS.names))
        assert not compaction.rewrite(connection, "w1", part, "*")
    backs = "SELECT count(*), count(*) FILTER (back = 0) FROM w1.events_sorted"
    (held, waiting), *_ = connection.execute(backs).fetchall()
    given_rows = connection.execute("SELECT count(*) FROM given").fetchall()
    assert [(held,)] == given_rows
    assert waiting == 0
    connection.close()


def test_the_compactor_begins_when_there_is_enough_and_says_what_is_not_in_order(
    warehouse: DuckDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compactor, "LEAST", 100)
    monkeypatch.setattr(compactor, "REST", 0.0)
    made = Compactor(lambda: warehouse, lambda: [1])
    arrive(warehouse, events(Random(6), 1, 99))
    warehouse.fold(1, 1)
    made.look()
    assert REGISTRY.get_sample_value("user360_unordered_events") == 99
    arrive(warehouse, events(Random(6), 100, 1))
    warehouse.fold(1, 1)
    made.look()
    assert REGISTRY.get_sample_value("user360_unordered_events") == 0
    assert ask(warehouse, EXPECTED) == [(0,)]


def test_writers_deletions_and_readers_go_on_while_events_are_put_in_order(
    warehouse: DuckDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"LEAST": 1, "LOOK": 0.0, "REST": 0.0, "SHARE": 0.0}.items():
        monkeypatch.setattr(compactor, name, value)
    made = Compactor(lambda: warehouse, lambda: [1])
    made.start()
    random = Random(8)
    for first in range(1, 4_001, 200):
        arrive(warehouse, events(random, first, 200))
        warehouse.fold(1, 1)
        seen = ask(warehouse, "SELECT count(*), count(DISTINCT seq) FROM w1.events")
        assert seen == [(first + 199, first + 199)]
    warehouse.apply({1: Changes((), None, (), {7, 8}, None)}, warehouse.position())
    made.close()
    sweep(warehouse)  # what was left of a sweep, and another one for what came behind it
    sweep(warehouse)
    assert ask(warehouse, EXPECTED) == [(0,)]
    (count,) = ask(warehouse, "SELECT count(*), count(DISTINCT seq), max(seq) FROM w1.events")
    assert count[0] == count[1] < count[2] == 4_000


def test_a_compactor_without_a_warehouse_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compactor, "LOOK", 0.0)
    looked = []
    made = Compactor(lambda: looked.append(1), lambda: [1])
    made.start()
    while len(looked) < 3:
        pass
    made.close()


def test_a_file_of_another_layout_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "old.duckdb"
    with duckdb.connect(str(path)) as old:
        old.execute("CREATE TABLE state (position BIGINT)")
        old.execute("INSERT INTO state VALUES (7)")
    with pytest.raises(Damaged, match="layout"):
        DuckDB(path, "512MB", 1)


PROGRAM = """
    import sys
    from pathlib import Path
    from random import Random
    from tests.storage import test_compaction as t
    t.compaction.SLICE = 1_000
    warehouse = t.opened(Path(sys.argv[1]))
    print("ready", flush=True)
    random = Random(int(sys.argv[2]))
    while True:
        t.arrive(warehouse, t.events(random, warehouse.position() + 1, 500, people=500))
        warehouse.fold(1, 1)
        for _ in range(10):
            warehouse.compact(1, 1)
        print(warehouse.position(), flush=True)
"""


def test_killed_at_any_moment_nothing_is_lost_and_nothing_there_twice(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    random = Random(7)
    answered = 0
    for round_ in range(5):
        command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(path), str(round_)]
        root = Path(__file__).resolve().parents[2]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd=root, env=os.environ
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            for _ in range(random.randrange(1, 6)):
                answered = int(process.stdout.readline())
            # Somewhere within the next batch, for nobody waits for its end.
            signal.sigtimedwait([], random.random() * 0.1)
            process.send_signal(signal.SIGKILL)
        warehouse = opened(path)
        try:
            reached = warehouse.position()
            assert reached >= answered
            once = "SELECT count(*), count(DISTINCT seq), max(seq) FROM w1.events"
            assert ask(warehouse, once) == [(reached, reached, reached)]
            sweep(warehouse)
            warehouse.fold(1, 1)
            sweep(warehouse)
            assert ask(warehouse, once) == [(reached, reached, reached)]
            assert ask(warehouse, EXPECTED) == [(0,)]
        finally:
            warehouse.close()
