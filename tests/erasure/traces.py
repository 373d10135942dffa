"""Looking for texts in every file of a data directory, also where they stand compressed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import sqlalchemy as sa

from user360.events import chunk
from user360.imports import store
from user360.platform import LEDGER, WAREHOUSE


def found(directory: Path, texts: Iterable[str]) -> dict[str, set[str]]:
    """In which places each of these texts stands, without regard to case; no process may hold the
    directory.
    """
    wanted = {text.lower().encode(): text for text in texts}
    where: dict[str, set[str]] = {}
    for place, content in contents(directory):
        low = content.lower()
        for each, text in wanted.items():
            if each in low:
                where.setdefault(text, set()).add(place)
    return where


def contents(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Every file as it is, and what the ledger and the warehouse keep compressed in theirs."""
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            yield path.relative_to(directory).as_posix(), path.read_bytes()
    yield from _unpacked(directory / LEDGER)
    yield from _columns(directory / WAREHOUSE)


def _unpacked(path: Path) -> Iterator[tuple[str, bytes]]:
    engine = sa.create_engine(f"sqlite:///{path}", poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        for (body,) in connection.execute(sa.text("SELECT body FROM log")):
            yield "log", str(chunk.unpack([body]).to_pylist()).encode()
        held = "SELECT job_id, name, part FROM job_parts WHERE name IN ('failed', 'undo')"
        for key in connection.execute(sa.text(held)):
            yield f"job_parts {key.name}", store.part(connection, *key) or b""
        # Words of messages stand in their index without what they share with the one before.
        for index in ("words", "subjects"):
            made = f"CREATE VIRTUAL TABLE temp.{index}_terms USING fts5vocab(main, {index}, row)"
            connection.execute(sa.text(made))
            for (word,) in connection.execute(sa.text(f"SELECT term FROM temp.{index}_terms")):
                yield index, word.encode()


def _columns(path: Path) -> Iterator[tuple[str, bytes]]:
    with duckdb.connect(str(path), read_only=True) as warehouse:
        names = warehouse.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal"
        ).fetchall()
        for schema, table in names:
            rows = warehouse.execute(f'SELECT * FROM "{schema}"."{table}"').fetchall()
            yield f"{schema}.{table}", str(rows).encode()
