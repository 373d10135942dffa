"""The ClickHouse peer: its engine embedded (chDB), events ordered by record and time."""

from __future__ import annotations

import contextlib
import importlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from bench.population import Size

_TABLES = (
    "create table records (id UInt32, user_id String, first_name String, last_name String,"
    " country LowCardinality(Nullable(String)), city LowCardinality(String), email String,"
    " email_optin Nullable(Bool), plan LowCardinality(Nullable(String)), lifetime_value Float64)"
    " engine = MergeTree order by id",
    "create table events (record UInt32, name LowCardinality(String),"
    " happened DateTime64(6, 'UTC'), id String, properties String)"
    " engine = MergeTree order by (record, happened)",
)
# What the engine may use; the files are read a row group at a time.
_SETTINGS = "settings max_memory_usage = 6000000000, max_threads = 2, max_insert_threads = 1"

# Where `make bench` installs the engine: apart, for it brings packages along that would slow the
# start of every process that has them in reach, the measured server among them.
PEERS = Path(".bench/peers")


class Engine:
    """One open database."""

    def __init__(self, path: Path) -> None:
        if str(PEERS) not in sys.path:
            sys.path.append(str(PEERS))
        self._session: Any = importlib.import_module("chdb.session").Session(str(path))

    def do(self, sql: str) -> str:
        """Run one statement; its answer as text, a line for each row."""
        return str(self._session.query(sql, "TabSeparated"))

    def count(self, sql: str) -> int:
        """The one number a question answers."""
        return int(self.do(sql))

    def close(self) -> None:
        self._session.close()


@contextlib.contextmanager
def running(cache: Path, size: Size, arrival: Path) -> Iterator[Engine]:
    """The loaded engine; filled first from the DuckDB peer's file when it is not there."""
    kept = (cache / f"clickhouse-{size}").absolute()
    if not kept.exists():
        part = kept.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        _load(part, arrival)
        part.rename(kept)
    engine = Engine(kept)
    try:
        yield engine
    finally:
        engine.close()


def _load(path: Path, arrival: Path) -> None:
    path.mkdir(parents=True)
    engine = Engine(path)
    for statement in _TABLES:
        engine.do(statement)
    for table in ("records", "events"):
        file = path / f"{table}.parquet"
        with duckdb.connect(str(arrival), read_only=True) as peer:
            peer.execute(f"copy {table} to '{file}' (format parquet, row_group_size 200000)")
        engine.do(f"insert into {table} select * from file('{file}', Parquet) {_SETTINGS}")
        file.unlink()
    engine.close()
