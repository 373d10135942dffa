"""Copying the warehouse into a new file."""

from __future__ import annotations

from pathlib import Path

import duckdb

from user360.storage import relations


def test_a_copy_can_be_made_while_another_is(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "held.duckdb") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        # As the first copy has it: what is attached is so for every connection.
        connection.execute(f"ATTACH '{tmp_path / 'other.duckdb'}' AS fresh")
        relations.copy(connection.cursor(), tmp_path / "copy.duckdb")
    with duckdb.connect(tmp_path / "copy.duckdb", read_only=True) as copied:
        assert copied.execute("FROM kept").fetchall() == [(7,)]
