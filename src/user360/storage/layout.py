"""What a warehouse file looks like inside, and how one of an older layout gets there."""

from __future__ import annotations

import duckdb

from user360.storage import memberships
from user360.storage.warehouse import Damaged

LAYOUT = 3


def check(connection: duckdb.DuckDBPyConnection) -> None:
    """Begin an empty file, or change one of the last layout. Raises `Damaged` for any other."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS state AS SELECT 0::BIGINT AS position, $1::INTEGER AS layout",
        [LAYOUT],
    ).fetchall()
    columns = connection.execute("SELECT * FROM state LIMIT 0").description or ()
    held = None
    if "layout" in {each[0] for each in columns}:
        held = connection.execute("SELECT layout FROM state").fetchall()[0][0]
    if held == 2:
        _from_second(connection)
    elif held != LAYOUT:
        connection.close()
        raise Damaged("the file has another layout")


def _from_second(connection: duckdb.DuckDBPyConnection) -> None:
    """Until then members who moved were looked up at once."""
    connection.execute("BEGIN").fetchall()
    rows = connection.execute(
        "SELECT schema_name FROM duckdb_tables() WHERE table_name = 'members'"
    ).fetchall()
    for (schema,) in rows:
        connection.execute(f"ALTER TABLE {schema}.members RENAME TO members_kept").fetchall()
        for statement in memberships.beside(schema):
            connection.execute(statement).fetchall()
    connection.execute("UPDATE state SET layout = $1", [LAYOUT]).fetchall()
    connection.execute("COMMIT").fetchall()
