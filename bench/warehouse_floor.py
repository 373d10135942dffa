"""The hand-written DuckDB peer: the population in two plain tables, events as they arrived."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from bench import population
from bench.population import Size

_TABLES = """
    create table records (
        id integer, user_id varchar, first_name varchar, last_name varchar, country varchar,
        city varchar, email varchar, email_optin boolean, plan varchar, lifetime_value double);
    create table events (
        record integer, name varchar, happened timestamp, id varchar, properties varchar);
"""


def build(path: Path, size: Size) -> None:
    """Load the population into a new DuckDB file; an existing one is taken as it is."""
    if path.exists():
        return
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with duckdb.connect(str(part), config={"memory_limit": "4GB"}) as connection:
        connection.execute(_TABLES)
        _load(connection, size)
        connection.execute("checkpoint")
    part.rename(path)


def _load(connection: duckdb.DuckDBPyConnection, size: Size) -> None:
    people = pa.RecordBatchReader.from_batches(population.RECORD_SCHEMA, population.records(size))
    connection.register("people", people)
    connection.execute("insert into records select substr(userId, 2)::integer, * from people")
    source = population.happened if size.plain else population.events
    schema = population.HAPPENED_SCHEMA if size.plain else population.EVENT_SCHEMA
    connection.register("done", pa.RecordBatchReader.from_batches(schema, source(size)))
    rest = "'e' || row_number() over (), '{}'" if size.plain else "id, properties"
    connection.execute(
        f'insert into events select record, name, make_timestamp("at"), {rest} from done'
    )


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """The loaded file, to read from."""
    return duckdb.connect(str(path), read_only=True)


def count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    """The one number a question answers."""
    rows = connection.execute(sql).fetchall()
    return int(rows[0][0])
