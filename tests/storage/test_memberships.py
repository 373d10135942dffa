"""Segments' members in the warehouse: moves beside the rows read as if they were taken in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from user360.storage import layout, memberships
from user360.storage.warehouse import Damaged, Move

SCHEMA = "w1"
PEOPLE = range(1, 7)


@pytest.fixture(scope="module")
def cursor() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
        connection.execute(f"CREATE TABLE {SCHEMA}.records AS SELECT unnest({list(PEOPLE)}) AS id")
        connection.execute(f"CREATE TABLE {SCHEMA}.merged (record_id BIGINT, survivor_id BIGINT)")
        for statement in memberships.tables(SCHEMA):
            connection.execute(statement)
        yield connection


def told(seq: int, segment: int, entered: list[int], left: list[int], **how: bool) -> Move:
    arrays = (pa.array(who, pa.int64()) for who in (entered, left))
    return Move(seq, segment, seq, *arrays, **how)  # type: ignore[arg-type]


def members(cursor: duckdb.DuckDBPyConnection) -> dict[tuple[int, int], int]:
    """By segment and record, since when."""
    rows = cursor.execute(f"SELECT segment_id, record_id, epoch_us(since) FROM {SCHEMA}.members")
    found = rows.fetchall()
    assert len(found) == len({row[:2] for row in found})
    return {(segment, record): since for segment, record, since in found}


def count(cursor: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(cursor.execute(f"SELECT count(*) FROM {SCHEMA}.{table}").fetchall()[0][0])


MOVES = st.lists(st.tuples(st.integers(1, 2), st.sampled_from(PEOPLE)), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(batches=st.lists(MOVES, max_size=8), most=st.integers(0, 40), large=st.integers(1, 3))
def test_whoever_moved_is_where_the_last_move_says(
    cursor: duckdb.DuckDBPyConnection,
    monkeypatch_module: pytest.MonkeyPatch,
    batches: list[list[tuple[int, int]]],
    most: int,
    large: int,
) -> None:
    monkeypatch_module.setattr(memberships, "MOST_BESIDE", most)
    monkeypatch_module.setattr(memberships, "LARGE", large)
    for table in memberships.TABLES:
        cursor.execute(f"DELETE FROM {SCHEMA}.{table}")
    expected: dict[tuple[int, int], int] = {}
    seq = 0
    for batch in batches:
        moves = []
        for pair in batch:
            seq += 1
            entered = expected.pop(pair, None) is None
            if entered:
                expected[pair] = seq
            segment, record = pair
            moves.append(told(seq, segment, [record] * entered, [record] * (not entered)))
        memberships.move(cursor, SCHEMA, moves)
        assert members(cursor) == expected
        assert count(cursor, "members_moved") <= most
    assert count(cursor, "changes") == seq


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_a_segment_that_is_deleted_takes_its_moves_along(
    cursor: duckdb.DuckDBPyConnection,
) -> None:
    for table in memberships.TABLES:
        cursor.execute(f"DELETE FROM {SCHEMA}.{table}")
    memberships.move(cursor, SCHEMA, [told(1, 1, [1, 2], []), told(2, 2, [3], [], silent=False)])
    memberships.move(cursor, SCHEMA, [told(3, 1, [4], []), told(4, 1, [], [], deleted=True)])
    assert members(cursor) == {(2, 3): 2}
    assert count(cursor, "changes") == 1


def test_a_file_of_the_layout_before_is_changed_and_of_another_refused(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE state AS SELECT 5::BIGINT AS position, 2 AS layout")
        connection.execute("CREATE SCHEMA w1")
        connection.execute(
            "CREATE TABLE w1.members AS"
            " SELECT 1::BIGINT AS segment_id, 2::BIGINT AS record_id, make_timestamp(7) AS since"
        )
    with duckdb.connect(path) as connection:
        layout.check(connection)
        assert members(connection) == {(1, 2): 7}
        assert connection.execute("FROM state").fetchall() == [(5, layout.LAYOUT)]
        connection.execute("UPDATE state SET layout = 1")
    with duckdb.connect(path) as connection, pytest.raises(Damaged, match="layout"):
        layout.check(connection)
