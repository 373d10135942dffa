"""The least that durable writing costs: bare SQLite from Python, with no HTTP and no product.

Write-ahead log and `synchronous=FULL` as in the product; ids are unique; nothing else is kept.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from bench import population

METHOD = "write-ahead log, full sync"
Decode = Callable[[bytes], Any]
Encode = Callable[[Any], Any]

_TABLES = """
    create table users (
        id integer primary key, user_id text not null unique, last_seen integer, traits text);
    create table events (
        id integer primary key, event_id text not null unique, user integer not null,
        name text not null, happened integer not null, properties text not null);
"""
_FIND = "select id from users where user_id = ?"
_KEEP = """
    insert into events (event_id, user, name, happened, properties) values (?, ?, ?, ?, ?)
    on conflict (event_id) do nothing
"""
_SEEN = "update users set last_seen = ? where id = ?"


class Json(msgspec.Struct, frozen=True):
    """A way to read and write JSON."""

    name: str
    decode: Decode
    encode: Encode


STANDARD = Json("json (standard library)", json.loads, json.dumps)
MSGSPEC = Json("msgspec, undeclared types", msgspec.json.decode, msgspec.json.encode)


def create(path: Path, people: int) -> sqlite3.Connection:
    """A new SQLite file that knows `people` persons and no event yet."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute("pragma cache_size = -65536")
    # As in the product: with SQLite's own 1,000 pages the floor would copy the tree of random event
    # ids from the log into the file four times as often, and be a weaker floor for it.
    connection.execute("pragma wal_autocheckpoint = 4000")
    connection.executescript(_TABLES)
    connection.execute("begin")
    known = ((population.user_id(n), "{}") for n in range(people))
    connection.executemany("insert into users (user_id, traits) values (?, ?)", known)
    connection.execute("commit")
    connection.execute("pragma wal_checkpoint(truncate)")
    return connection


@contextlib.contextmanager
def people(folder: Path, count: int) -> Iterator[sqlite3.Connection]:
    """Such a file in `folder`, thrown away afterwards."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        connection = create(Path(place) / "floor.sqlite", count)
        try:
            yield connection
        finally:
            connection.close()


def ingest(connection: sqlite3.Connection, bodies: Iterable[bytes], form: Json) -> float:
    """Write every message of every body, one commit a body; answers messages per second."""
    cursor = connection.cursor()
    began, written = time.perf_counter(), 0
    for body in bodies:
        messages = form.decode(body)["batch"]
        cursor.execute("begin immediate")
        _write(cursor, messages, form.encode)
        cursor.execute("commit")
        written += len(messages)
    return written / (time.perf_counter() - began)


def _write(cursor: sqlite3.Cursor, messages: list[dict[str, Any]], encode: Encode) -> None:
    """A look-up for each message, then all events and all last-seen times at once."""
    events, seen = [], []
    for message in messages:
        row = cursor.execute(_FIND, (message["userId"],)).fetchone()
        at = _microseconds(message["timestamp"])
        properties = encode(message["properties"])
        events.append((message["messageId"], row[0], message["event"], at, properties))
        seen.append((at, row[0]))
    cursor.executemany(_KEEP, events)
    cursor.executemany(_SEEN, seen)


def identify(connection: sqlite3.Connection, bodies: Iterable[bytes], form: Json) -> float:
    """Write every call's traits in a commit of its own; answers calls per second."""
    began, written = time.perf_counter(), 0
    for body in bodies:
        call = form.decode(body)
        connection.execute("begin immediate")
        row = connection.execute(_FIND, (call["userId"],)).fetchone()
        connection.execute(
            "update users set traits = ?, last_seen = ? where id = ?",
            (form.encode(call["traits"]), _microseconds(call["timestamp"]), row[0]),
        )
        connection.execute("commit")
        written += 1
    return written / (time.perf_counter() - began)


def _microseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1e6)
