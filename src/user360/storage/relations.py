"""A workspace's relations in DuckDB: how they are made, and how segments' members are moved."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from user360.storage.warehouse import Columns, Move

TYPES: Columns = {
    "string": "VARCHAR",
    "email": "VARCHAR",
    "phone": "VARCHAR",
    "url": "VARCHAR",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "time": "TIME",
    "list": "VARCHAR[]",
}


def tables(schema: str, columns: Columns) -> list[str]:
    """The statements that make a workspace's relations."""
    typed = ", ".join(f"{n} {TYPES[kind]}" for n, kind in columns.items() if n != "user_id")
    events = (
        'seq BIGINT, record_id BIGINT, name VARCHAR, "at" TIMESTAMP, received_at TIMESTAMP,'
        " id VARCHAR, source VARCHAR, channel VARCHAR, properties VARCHAR"
    )
    return [
        f"CREATE SCHEMA {schema}",
        f"CREATE TABLE {schema}.records (id BIGINT, user_id VARCHAR, created_at TIMESTAMP,"
        f" updated_at TIMESTAMP, {typed})",
        f"CREATE TABLE {schema}.merged (record_id BIGINT, survivor_id BIGINT)",
        f"CREATE TABLE {schema}.members (segment_id BIGINT, record_id BIGINT, since TIMESTAMP)",
        f"CREATE TABLE {schema}.changes (seq BIGINT, segment_id BIGINT, record_id BIGINT,"
        ' "at" TIMESTAMP, entered BOOLEAN, silent BOOLEAN)',
        f'CREATE TABLE {schema}.sizes (seq BIGINT, segment_id BIGINT, "at" TIMESTAMP, size BIGINT)',
        f"CREATE TABLE {schema}.events_sorted ({events}, back INTEGER)",
        f"CREATE TABLE {schema}.events_fresh ({events})",
        view(schema),
    ]


def view(schema: str) -> str:
    """The statement that makes one relation of all events."""
    return (
        f"CREATE VIEW {schema}.events AS SELECT * FROM {schema}.events_sorted"
        f" UNION ALL SELECT *, 0 FROM {schema}.events_fresh"
    )


def insert_pairs(
    cursor: duckdb.DuckDBPyConnection, table: str, pairs: Sequence[tuple[int, int]]
) -> None:
    """Add pairs of numbers to a relation of two columns."""
    incoming = pa.table(
        {
            "left": pa.array([left for left, _ in pairs], pa.int64()),
            "right": pa.array([right for _, right in pairs], pa.int64()),
        }
    )
    with lent(cursor, incoming=incoming):
        cursor.execute(f"INSERT INTO {table} SELECT * FROM incoming").fetchall()


def ids_table(numbers: Collection[int]) -> pa.Table:
    """Numbers as a table of one column, `id`."""
    return pa.table({"id": pa.array(numbers, pa.int64())})


@contextlib.contextmanager
def lent(cursor: duckdb.DuckDBPyConnection, **tables: pa.Table) -> Iterator[None]:
    """Let statements read Arrow tables by name."""
    for name, table in tables.items():
        cursor.register(name, table)
    try:
        yield
    finally:
        for name in tables:
            cursor.unregister(name)


def move(cursor: duckdb.DuckDBPyConnection, schema: str, moves: Sequence[Move]) -> None:
    """Let records enter and leave segments, in the order of the log; keep what changed when."""
    gone = {m.segment for m in moves if m.deleted}
    for segment in gone:
        for table in ("members", "changes", "sizes"):
            cursor.execute(f"DELETE FROM {schema}.{table} WHERE segment_id = {segment}").fetchall()
    moves = [m for m in moves if m.segment not in gone]
    changed = [m for m in moves if len(m.entered) or len(m.left)]
    if changed:
        with lent(cursor, moved=pa.concat_tables([_moved(m) for m in changed])):
            for statement in _moving(schema, changed):
                cursor.execute(statement).fetchall()
    sizes = [(m.seq, m.segment, m.at, m.size) for m in moves if m.size is not None]
    if sizes:
        columns = [pa.array(values, pa.int64()) for values in zip(*sizes, strict=True)]
        columns[2] = columns[2].cast(pa.timestamp("us"))
        with lent(cursor, sized=pa.table(columns, ["seq", "segment_id", "at", "size"])):
            cursor.execute(f"INSERT INTO {schema}.sizes SELECT * FROM sized").fetchall()


def amend(cursor: duckdb.DuckDBPyConnection, schema: str, entries: pa.Table) -> None:
    """Let events tell something else: `entries` are their positions and properties."""
    with lent(cursor, amended=entries):
        for table in ("events_fresh", "events_sorted"):
            cursor.execute(
                f"UPDATE {schema}.{table} SET properties = amended.properties FROM amended"
                f" WHERE {table}.seq = amended.seq"
            ).fetchall()


def copy(cursor: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write all there is, and nothing of what was deleted, into a new file."""
    held = cursor.execute("SELECT current_database()").fetchall()[0][0]
    quoted = str(path).replace("'", "''")
    cursor.execute(f"ATTACH '{quoted}' AS fresh").fetchall()
    try:
        cursor.execute(f'COPY FROM DATABASE "{held}" TO fresh').fetchall()
        cursor.execute("CHECKPOINT fresh").fetchall()
    finally:
        cursor.execute("DETACH fresh").fetchall()


def _moved(told: Move) -> pa.Table:
    count = len(told.entered) + len(told.left)
    entered = [
        pa.repeat(pa.scalar(way, pa.bool_()), len(who))
        for way, who in ((True, told.entered), (False, told.left))
    ]
    return pa.table(
        {
            "seq": pa.repeat(pa.scalar(told.seq, pa.int64()), count),
            "segment_id": pa.repeat(pa.scalar(told.segment, pa.int64()), count),
            "record_id": pa.concat_arrays([told.entered, told.left]),
            "at": pa.repeat(pa.scalar(told.at, pa.timestamp("us")), count),
            "entered": pa.concat_arrays(entered),
            "silent": pa.repeat(pa.scalar(told.silent), count),
        }
    )


def _moving(schema: str, moves: Sequence[Move]) -> Iterator[str]:
    """Those who left are looked for among the members of their segments alone, which lie together
    as they were filled; then whoever entered last is put in.
    """
    among = _there(schema, moves)
    left = sorted({m.segment for m in moves if len(m.left)})
    if left:
        yield (
            f"DELETE FROM {schema}.members USING moved WHERE NOT moved.entered"
            " AND members.segment_id = moved.segment_id AND members.record_id = moved.record_id"
            f" AND members.segment_id IN ({', '.join(map(str, left))})"
        )
    yield (
        f'INSERT INTO {schema}.members SELECT segment_id, record_id, "at" FROM moved WHERE {among}'
        " QUALIFY entered"
        " AND row_number() OVER (PARTITION BY segment_id, record_id ORDER BY seq DESC) = 1"
    )
    yield f"INSERT INTO {schema}.changes SELECT * FROM moved WHERE {among}"


def _there(schema: str, moves: Sequence[Move]) -> str:
    """Who is told of was looked up when it was written; among those who enter silently may be
    some who were deleted just before.
    """
    if not any(m.silent for m in moves):
        return "true"
    return (
        f"record_id IN (SELECT id FROM {schema}.records UNION ALL"
        f" SELECT record_id FROM {schema}.merged)"
    )
