"""The PostgreSQL peer: a private cluster with the same population and the obvious indexes.

It listens on a socket in a directory of its own and on no network address, and is stopped when the
benchmark is done. The loaded cluster is kept in the cache for the next run.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow as pa
from pyarrow import csv

from bench import population
from bench.population import Size

_SETTINGS = {
    "listen_addresses": "''",
    "shared_buffers": "4GB",
    "effective_cache_size": "12GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
    "random_page_cost": "1.1",
    "jit": "off",
}
_TABLES = """
    create table records (
        id integer, user_id text, first_name text, last_name text, country text, city text,
        email text, email_optin boolean, plan text, lifetime_value double precision);
    create table events (
        record integer, name text, happened timestamp, id text, properties text);
"""
_COVERING = "events_covering"
_INDEXES = (
    "alter table records add primary key (id)",
    "create unique index on records (user_id)",
    "create index on records (country, email_optin)",
    "create index on records (lifetime_value)",
    "create index on events (name, happened)",
    "create index on events (record, name, happened)",
    f"create index {_COVERING} on events (name, happened) include (record)",
    "vacuum analyze records",
    "vacuum analyze events",
)


class Missing(Exception):
    """PostgreSQL is not installed."""


def programs() -> Path:
    """The directory of PostgreSQL's own programs; Debian's package is installed when it is missing.

    Raises `Missing` when there is none and it cannot be installed.
    """
    found = _programs()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-q", "postgresql"], check=True)
        found = _programs()
    if found is None:
        raise Missing("install PostgreSQL 15 (Debian: apt-get install postgresql)")
    return found


def _programs() -> Path | None:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if installed:
        return installed[-1].parent
    return Path(on_path).parent if on_path else None


@contextlib.contextmanager
def running(cache: Path, size: Size) -> Iterator[psycopg.Connection]:
    """A connection to a cluster that holds the population, loaded first when it is not."""
    home = (cache / f"postgres-{size}").absolute()
    loaded = home / "LOADED"
    if not loaded.exists():
        shutil.rmtree(home, ignore_errors=True)
        _create(home)
    with (
        _started(home) as socket,
        psycopg.connect(_address(socket), autocommit=True) as connection,
    ):
        if not loaded.exists():
            load(connection, size)
            loaded.touch()
        yield connection


def load(connection: psycopg.Connection, size: Size) -> None:
    """Copy the population in, index it, and let the planner look at it."""
    connection.execute(_TABLES)
    numbered = (
        _with_number(batch, first * population.BATCH)
        for first, batch in enumerate(population.records(size))
    )
    _copy(connection, "records", numbered)
    _copy(connection, "events", (_with_timestamp(b) for b in population.events(size)))
    for statement in _INDEXES:
        connection.execute(statement.encode())


def count(connection: psycopg.Connection, sql: str) -> int:
    """The one number a question answers."""
    row = connection.execute(sql.encode()).fetchone()
    assert row is not None
    return int(row[0])


@contextlib.contextmanager
def obvious_indexes(connection: psycopg.Connection) -> Iterator[None]:
    """For a while, only the indexes anybody would make: not the one made for our very question."""
    with connection.transaction(force_rollback=True):
        connection.execute(f"drop index {_COVERING}".encode())
        yield


def version(connection: psycopg.Connection) -> str:
    """Such as `15.18`."""
    return connection.info.parameter_status("server_version") or ""


def _with_number(batch: pa.RecordBatch, first: int) -> pa.RecordBatch:
    return batch.add_column(0, "id", pa.array(range(first, first + batch.num_rows)))


def _with_timestamp(batch: pa.RecordBatch) -> pa.RecordBatch:
    place = batch.schema.get_field_index("at")
    return batch.set_column(place, "at", batch["at"].cast(pa.timestamp("us")))


def _copy(connection: psycopg.Connection, table: str, batches: Iterator[pa.RecordBatch]) -> None:
    layout = csv.WriteOptions(include_header=False)
    statement = f"copy {table} from stdin (format csv)".encode()
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for batch in batches:
            text = io.BytesIO()
            csv.write_csv(batch, text, layout)
            copy.write(text.getbuffer())


def _as_postgres(command: list[str | Path]) -> None:
    """PostgreSQL refuses to run as root: then its own user runs it."""
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


def _create(home: Path) -> None:
    home.mkdir(parents=True)
    if os.geteuid() == 0:
        shutil.chown(home, "postgres", "postgres")
    _as_postgres(
        [programs() / "initdb", "-D", home / "data", "-A", "trust", "-U", "bench", "-E", "UTF8"]
    )
    with (home / "data" / "postgresql.auto.conf").open("a") as settings:
        settings.writelines(f"{name} = {value}\n" for name, value in _SETTINGS.items())


@contextlib.contextmanager
def _started(home: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="u360pg") as folder:
        socket = Path(folder)
        if os.geteuid() == 0:
            shutil.chown(socket, "postgres", "postgres")
        control: list[str | Path] = [programs() / "pg_ctl", "-D", home / "data", "-w"]
        _as_postgres([*control, "-o", f"-k {socket}", "-l", home / "log", "start"])
        try:
            yield socket
        finally:
            _as_postgres([*control, "-m", "fast", "stop"])


def _address(socket: Path) -> str:
    return f"host={socket} user=bench dbname=postgres"
