"""Segments' members in DuckDB: rows that stay, and beside them what moved lately.

A big segment has millions of rows, and a few people enter and leave many of them all the time.
Taking these few out of the rows at once would look through all of them every time, so a move is
only put beside, and now and then all moves are taken in together. Who reads `members` sees both.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from user360.storage.relations import lent
from user360.storage.warehouse import Move

# Moves that lie beside at most, and what a single one may have to be put there. Taking them in goes
# through all rows of these segments, which takes as long for few as for many.
MOST_BESIDE, LARGE = 400_000, 20_000
TABLES = ("members_kept", "members_moved", "changes", "sizes")
OF_RECORDS = ("members_kept", "members_moved", "changes")  # where rows are of one record each

_LAST = "row_number() OVER (PARTITION BY segment_id, record_id ORDER BY seq DESC) = 1"


def tables(schema: str) -> list[str]:
    """The statements that make the relations."""
    return [
        f"CREATE TABLE {schema}.members_kept"
        " (segment_id BIGINT, record_id BIGINT, since TIMESTAMP)",
        *beside(schema),
        f"CREATE TABLE {schema}.changes (seq BIGINT, segment_id BIGINT, record_id BIGINT,"
        ' "at" TIMESTAMP, entered BOOLEAN, silent BOOLEAN)',
        f'CREATE TABLE {schema}.sizes (seq BIGINT, segment_id BIGINT, "at" TIMESTAMP, size BIGINT)',
    ]


def beside(schema: str) -> list[str]:
    """The statements that make the moves that lie beside, and one relation of all members."""
    return [
        f"CREATE TABLE {schema}.members_moved (seq BIGINT, segment_id BIGINT, record_id BIGINT,"
        ' "at" TIMESTAMP, entered BOOLEAN)',
        f"CREATE VIEW {schema}.members AS SELECT kept.* FROM {schema}.members_kept AS kept"
        f" ANTI JOIN {schema}.members_moved AS moved USING (segment_id, record_id)"
        f' UNION ALL SELECT segment_id, record_id, "at" FROM {schema}.members_moved'
        f" QUALIFY entered AND {_LAST}",
    ]


def move(cursor: duckdb.DuckDBPyConnection, schema: str, moves: Sequence[Move]) -> None:
    """Let records enter and leave segments, in the order of the log; keep what changed when."""
    gone = {m.segment for m in moves if m.deleted}
    for segment in gone:
        for table in TABLES:
            cursor.execute(f"DELETE FROM {schema}.{table} WHERE segment_id = {segment}").fetchall()
    moves = [m for m in moves if m.segment not in gone]
    changed = [m for m in moves if len(m.entered) or len(m.left)]
    if changed:
        _put(cursor, schema, changed)
    sizes = [(m.seq, m.segment, m.at, m.size) for m in moves if m.size is not None]
    if sizes:
        columns = [pa.array(values, pa.int64()) for values in zip(*sizes, strict=True)]
        columns[2] = columns[2].cast(pa.timestamp("us"))
        with lent(cursor, sized=pa.table(columns, ["seq", "segment_id", "at", "size"])):
            cursor.execute(f"INSERT INTO {schema}.sizes SELECT * FROM sized").fetchall()


def _put(cursor: duckdb.DuckDBPyConnection, schema: str, changed: Sequence[Move]) -> None:
    among = _there(schema, changed)
    with lent(cursor, moved=pa.concat_tables([_rows(m) for m in changed])):
        cursor.execute(
            f"INSERT INTO {schema}.members_moved"
            f' SELECT seq, segment_id, record_id, "at", entered FROM moved WHERE {among}'
        ).fetchall()
        cursor.execute(f"INSERT INTO {schema}.changes SELECT * FROM moved WHERE {among}").fetchall()
    lying = cursor.execute(f"SELECT count(*) FROM {schema}.members_moved").fetchall()[0][0]
    if lying > MOST_BESIDE or max(len(m.entered) + len(m.left) for m in changed) > LARGE:
        _take_in(cursor, schema)


def _take_in(cursor: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Put what lies beside where it stays."""
    rows = cursor.execute(f"SELECT DISTINCT segment_id FROM {schema}.members_moved").fetchall()
    # Named, for the rows of a segment lie together, and those of others need not be looked at.
    segments = ", ".join(str(segment) for (segment,) in rows)
    for statement in (
        f"DELETE FROM {schema}.members_kept USING {schema}.members_moved AS moved"
        " WHERE members_kept.segment_id = moved.segment_id"
        " AND members_kept.record_id = moved.record_id"
        f" AND members_kept.segment_id IN ({segments})",
        f'INSERT INTO {schema}.members_kept SELECT segment_id, record_id, "at"'
        f" FROM {schema}.members_moved QUALIFY entered AND {_LAST}",
        f"DELETE FROM {schema}.members_moved",
    ):
        cursor.execute(statement).fetchall()


def _rows(told: Move) -> pa.Table:
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
