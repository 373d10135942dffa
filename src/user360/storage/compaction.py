"""Keeping a workspace's events in order for questions by name, a slice at a time.

Events arrive in `events_fresh`; when there are many they are sorted into `events_sorted` as a run
of their own, with `back` 0: their place among the others of their record and name is not known
yet. When runs have grown to a share of everything, a sweep goes through all events in the order
of name and record, rewriting one slice after another in order and with its `back`. Each slice is
one short transaction, so that a sweep that dies anywhere has changed the order of things and
nothing else; the next one begins anew, and passes over what is in order already.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import duckdb

ORDER = 'name, record_id, "at", seq'
# How many events a slice holds, about; the events of one name of one record are never parted.
SLICE = 60_000
_SAMPLE = 64  # one event in so many is looked at to find where slices begin


class Key(NamedTuple):
    """Where a slice begins: a name of events, and a record."""

    name: str
    record: int


class Slice(NamedTuple):
    """From a key, included, to a key, not included; None is the end of all."""

    start: Key | None
    end: Key | None


def uncounted(cursor: duckdb.DuckDBPyConnection, schema: str) -> tuple[int, int]:
    """How many events of the sorted part are not in their place yet, and how many it has."""
    runs, every = (
        cursor.execute(f"SELECT count(*) FROM {schema}.events_sorted {which}").fetchall()[0][0]
        for which in ("WHERE back = 0", "")
    )
    return int(runs), int(every)


def fold(cursor: duckdb.DuckDBPyConnection, schema: str, columns: str) -> None:
    """Make a run of the fresh events."""
    cursor.execute(
        f"INSERT INTO {schema}.events_sorted"
        f" SELECT {columns}, 0 FROM {schema}.events_fresh ORDER BY {ORDER}"
    ).fetchall()
    cursor.execute(f"DELETE FROM {schema}.events_fresh").fetchall()


def slices(cursor: duckdb.DuckDBPyConnection, schema: str, size: int) -> list[Slice]:
    """Slices of about so many events that together hold them all, in order."""
    step = max(1, size // _SAMPLE)
    found = cursor.execute(
        "SELECT DISTINCT name, record_id FROM (SELECT name, record_id,"
        " row_number() OVER (ORDER BY name, record_id) AS place"
        f" FROM {schema}.events_sorted WHERE seq % {_SAMPLE} = 0)"
        f" WHERE place % {step} = 0 ORDER BY name, record_id"
    ).fetchall()
    keys = [None, *(Key(*row) for row in found), None]
    return [Slice(*pair) for pair in itertools.pairwise(keys)]


def rewrite(cursor: duckdb.DuckDBPyConnection, schema: str, part: Slice, columns: str) -> bool:
    """Put one slice in order; False where it was. To be run inside one transaction."""
    inside, given = _inside(part)
    waiting = cursor.execute(
        f"SELECT 1 FROM {schema}.events_sorted WHERE back = 0 AND {inside} LIMIT 1", given
    ).fetchall()
    if not waiting:
        return False
    cursor.execute(
        f"CREATE TEMP TABLE slice AS SELECT {columns} FROM {schema}.events_sorted WHERE {inside}",
        given,
    ).fetchall()
    for statement in (
        f"DELETE FROM {schema}.events_sorted WHERE {inside}",
        f"INSERT INTO {schema}.events_sorted SELECT {columns}, row_number() OVER"
        f' (PARTITION BY name, record_id ORDER BY "at" DESC, seq DESC) FROM slice ORDER BY {ORDER}',
        "DROP TABLE temp.slice",
    ):
        cursor.execute(statement, given if statement.startswith("DELETE") else None).fetchall()
    return True


def _inside(part: Slice) -> tuple[str, Sequence[object]]:
    """The test of a slice. The plain bounds of the name are for the zone maps."""
    tests, given = ["true"], list[object]()
    if part.start is not None:
        tests.append("name >= ? AND (name > ? OR record_id >= ?)")
        given += [part.start.name, *part.start]
    if part.end is not None:
        tests.append("name <= ? AND (name < ? OR record_id < ?)")
        given += [part.end.name, *part.end]
    return " AND ".join(tests), given
