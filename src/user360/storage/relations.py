"""A workspace's relations of people and events in DuckDB: how they are made and written."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from user360.storage.warehouse import Columns

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
    # A name of its own, for names are the whole engine's, and there may be two copies at once.
    fresh = f"fresh_{uuid.uuid4().hex}"
    cursor.execute(f"ATTACH '{quoted}' AS {fresh}").fetchall()
    try:
        cursor.execute(f'COPY FROM DATABASE "{held}" TO {fresh}').fetchall()
        cursor.execute(f"CHECKPOINT {fresh}").fetchall()
    finally:
        cursor.execute(f"DETACH {fresh}").fetchall()
