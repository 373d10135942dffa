"""The warehouse on DuckDB: one file beside the ledger.

No keys and no indexes: an upsert over a primary key is 35 times slower than delete-and-insert
without one, and zone maps over sorted events do what an index would.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from user360.errors import StorageFailed, Unavailable
from user360.storage import compaction, layout, memberships, relations
from user360.storage.relations import TYPES, ids_table, lent
from user360.storage.snapshot import DuckSnapshot
from user360.storage.warehouse import (
    EVENTS,
    FIXED,
    Changes,
    Columns,
    Damaged,
    Rows,
    Snapshot,
    schema_of,
)

EVENT_COLUMNS = ", ".join(f'"{name}"' for name in EVENTS.names)
BESIDE = {name for name, _ in FIXED}  # columns of records that are no property
# Seconds that closing waits for questions being answered.
PATIENCE = 5.0
# Failures that say nothing about the file.
OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS, errno.EMFILE)


class DuckDB:
    """One open DuckDB file."""

    dialect = "duckdb"

    def __init__(self, path: Path, memory: str, threads: int) -> None:
        self.path = path
        self.on_damage: Callable[[], None] = _nothing
        spilled = Path(f"{path}.tmp")
        config: dict[str, Any] = {
            "memory_limit": memory,
            "threads": threads,
            "temp_directory": str(spilled),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": False,
        }
        # What a killed process had spilled is of no use to anybody.
        shutil.rmtree(spilled, ignore_errors=True)
        try:
            self._main = duckdb.connect(str(path), config=config)
            layout.check(self._main)
            self._columns = self._existing()
        except duckdb.Error as error:
            raise _judged(error) from error
        self._writing = threading.Lock()
        self._free = threading.Condition()
        self._closed = False
        self._idle: list[duckdb.DuckDBPyConnection] = []
        self._used: list[duckdb.DuckDBPyConnection] = []
        self._copying: list[duckdb.DuckDBPyConnection] = []
        self._mapped: dict[int, bool] = {}
        self._compacting = threading.Lock()
        self._sweeps: dict[int, list[compaction.Slice]] = {}

    def position(self) -> int:
        return int(self._main.cursor().execute("SELECT position FROM state").fetchall()[0][0])

    def prepare(self, workspace: int, columns: Columns) -> list[str]:
        schema = schema_of(workspace)
        with self._transaction() as cursor:
            held = self._columns.get(workspace)
            if held is None:
                for statement in relations.tables(schema, columns) + memberships.tables(schema):
                    cursor.execute(statement).fetchall()
                held = {name: TYPES[kind] for name, kind in columns.items()}
            gone = held.keys() - columns.keys() - BESIDE
            for name in sorted(gone):
                cursor.execute(f"ALTER TABLE {schema}.records DROP COLUMN {name}").fetchall()
        self._columns[workspace] = {n: kind for n, kind in held.items() if n not in gone}
        return [n for n, kind in columns.items() if n not in BESIDE and held.get(n) != TYPES[kind]]

    def unlike(self, workspace: int, columns: Columns) -> list[str]:
        held = self._existing().get(workspace, {}).items()
        wanted = {name: TYPES[kind] for name, kind in columns.items()}.items()
        return sorted({name for name, _ in held ^ wanted} - BESIDE)

    def apply(self, changes: Mapping[int, Changes], position: int) -> None:
        with self._transaction() as cursor:
            for workspace, change in changes.items():
                self._apply(cursor, schema_of(workspace), change)
            cursor.execute("UPDATE state SET position = ?", [position]).fetchall()
        for workspace, change in changes.items():
            if change.touched or change.merged:
                self._mapped.pop(workspace, None)

    def _apply(self, cursor: duckdb.DuckDBPyConnection, schema: str, change: Changes) -> None:
        if change.touched:
            with lent(cursor, touched=ids_table(change.touched)):
                for table, column in (("records", "id"), ("merged", "record_id")):
                    cursor.execute(
                        f"DELETE FROM {schema}.{table} WHERE {column} IN (SELECT id FROM touched)"
                    ).fetchall()
        if change.records is not None and change.records.num_rows:
            with lent(cursor, incoming=change.records):
                names = ", ".join(change.records.schema.names)
                cursor.execute(
                    f"INSERT INTO {schema}.records ({names}) SELECT {names} FROM incoming"
                ).fetchall()
        if change.merged:
            relations.insert_pairs(cursor, f"{schema}.merged", change.merged)
        memberships.move(cursor, schema, change.moves)
        if change.events is not None and change.events.num_rows:
            with lent(cursor, incoming=change.events):
                cursor.execute(
                    f"INSERT INTO {schema}.events_fresh SELECT {EVENT_COLUMNS} FROM incoming"
                ).fetchall()
        if change.dead:
            self._bury(cursor, schema, change.dead)

    def _bury(self, cursor: duckdb.DuckDBPyConnection, schema: str, dead: Collection[int]) -> None:
        """Remove the events of deleted people, all but the one that tells of the deletion."""
        with lent(cursor, dead=ids_table(dead)):
            for table in memberships.OF_RECORDS:
                cursor.execute(
                    f"DELETE FROM {schema}.{table} WHERE record_id IN (SELECT id FROM dead)"
                ).fetchall()
            for table in ("events_fresh", "events_sorted"):
                cursor.execute(
                    f"DELETE FROM {schema}.{table} WHERE record_id IN (SELECT id FROM dead)"
                    " AND NOT (name = 'USER_DELETE'"
                    " AND json_extract(properties, '$.mergeId') IS NULL)"
                ).fetchall()

    def fold(self, workspace: int, least: int) -> bool:
        schema = schema_of(workspace)
        with self._transaction() as cursor:
            count = cursor.execute(f"SELECT count(*) FROM {schema}.events_fresh").fetchall()[0][0]
            if count < max(1, least):
                return False
            compaction.fold(cursor, schema, EVENT_COLUMNS)
        return True

    def sort(self, workspace: int) -> None:
        schema = schema_of(workspace)
        with self._transaction() as cursor:
            for statement in (
                f"CREATE TABLE {schema}.sorting AS SELECT {EVENT_COLUMNS}, 0::INTEGER AS back"
                f" FROM {schema}.events ORDER BY {compaction.ORDER}",
                f"DROP VIEW {schema}.events",
                f"DROP TABLE {schema}.events_sorted",
                f"DELETE FROM {schema}.events_fresh",
                f"ALTER TABLE {schema}.sorting RENAME TO events_sorted",
                relations.view(schema),
            ):
                cursor.execute(statement).fetchall()
        with self._compacting:
            self._sweeps[workspace] = self._slices(workspace, 4 * compaction.SLICE)
            while self._rewrite_next(workspace):
                pass

    def uncounted(self, workspace: int) -> tuple[int, int]:
        with self._cursor() as cursor:
            return compaction.uncounted(cursor, schema_of(workspace))

    def compact(self, workspace: int, least: int) -> bool:
        with self._compacting:
            if workspace not in self._sweeps:
                if self.uncounted(workspace)[0] < max(1, least):
                    return False
                self._sweeps[workspace] = self._slices(workspace, compaction.SLICE)
            return self._rewrite_next(workspace)

    def _slices(self, workspace: int, size: int) -> list[compaction.Slice]:
        """The slices of a sweep, the first one last."""
        with self._cursor() as cursor:
            return compaction.slices(cursor, schema_of(workspace), size)[::-1]

    def _rewrite_next(self, workspace: int) -> bool:
        """Rewrite the next slice of a sweep that has begun; False when none is left."""
        waiting = self._sweeps[workspace]
        while waiting:
            with self._transaction() as cursor:
                part = waiting[-1]
                done = compaction.rewrite(cursor, schema_of(workspace), part, EVENT_COLUMNS)
            waiting.pop()
            if done:
                # At once, while there is little to write: left to the engine it would come seldom
                # and take long. The engine puts it off while somebody goes on reading what was
                # there before a column was added.
                with contextlib.suppress(duckdb.TransactionException):
                    self.checkpoint()
                return True
        del self._sweeps[workspace]
        return False

    def mapped(self, workspace: int) -> bool:
        if workspace not in self._mapped:
            found = self.query(f"SELECT 1 FROM {schema_of(workspace)}.merged LIMIT 1")
            self._mapped[workspace] = bool(found.rows)
        return self._mapped[workspace]

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        with self._reading() as cursor:
            cursor.execute(sql, list(parameters) or None)
            # Read to the end at once: an open answer would own the connection.
            rows = cursor.fetchall()
            return Rows([d[0] for d in cursor.description or ()], rows)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        with self._reading() as cursor:
            cursor.execute("BEGIN").fetchall()
            try:
                # The first read is what makes the view stand still.
                position = cursor.execute("SELECT position FROM state").fetchall()[0][0]
                yield DuckSnapshot(cursor, position)
            finally:
                # Takes back the temporary relations too that were made in it.
                cursor.execute("ROLLBACK").fetchall()

    def compute(self, sql: str, **given: pa.Table) -> pa.Table:
        # Outside any longer transaction, which would hold on to every table it was given.
        with self._cursor() as cursor, lent(cursor, **given):
            return cursor.sql(sql).to_arrow_table()

    def fill(self, workspace: int, column: str, kind: str, rows: Iterable[pa.RecordBatch]) -> None:
        table = f"{schema_of(workspace)}.records"
        with self._transaction() as cursor:
            cursor.execute(f"ALTER TABLE {table} DROP COLUMN IF EXISTS {column}").fetchall()
            cursor.execute(f"ALTER TABLE {table} ADD COLUMN {column} {TYPES[kind]}").fetchall()
            for batch in rows:
                with lent(cursor, incoming=pa.Table.from_batches([batch])):
                    cursor.execute(
                        f"UPDATE {table} SET {column} = incoming.value FROM incoming"
                        f" WHERE {table}.id = incoming.id"
                    ).fetchall()
        self._columns[workspace][column] = TYPES[kind]

    def drop_orphans(self, workspace: int) -> None:
        """Remove events of people who are no more, as `apply` does when they are deleted."""
        schema = schema_of(workspace)
        living = f"SELECT id FROM {schema}.records UNION ALL SELECT record_id FROM {schema}.merged"
        with self._writing, self._cursor() as cursor:
            for table in ("events_fresh", "events_sorted"):
                cursor.execute(
                    f"DELETE FROM {schema}.{table} WHERE record_id NOT IN ({living})"
                    " AND NOT (name = 'USER_DELETE'"
                    " AND json_extract(properties, '$.mergeId') IS NULL)"
                ).fetchall()
            for table in memberships.OF_RECORDS:
                cursor.execute(
                    f"DELETE FROM {schema}.{table} WHERE record_id NOT IN ({living})"
                ).fetchall()

    def amend(self, workspace: int, entries: pa.Table) -> None:
        with self._transaction() as cursor:
            relations.amend(cursor, schema_of(workspace), entries)

    def copy(self, path: Path) -> None:
        with self._cursor() as cursor:
            self._copying.append(cursor)
            try:
                relations.copy(cursor, path)
            finally:
                self._copying.remove(cursor)

    def give_up(self) -> None:
        for cursor in list(self._copying):
            cursor.interrupt()

    def checkpoint(self) -> None:
        with self._writing, self._cursor() as cursor:
            cursor.execute("CHECKPOINT").fetchall()

    def idle(self, patience: float) -> bool:
        with self._free:
            return self._free.wait_for(lambda: not self._used, patience)

    def close(self) -> None:
        """Wait for the questions being answered, but not for ever; then close the file."""
        with self._writing:
            with self._free:
                self._closed = True
                if not self._free.wait_for(lambda: not self._used, PATIENCE):
                    for cursor in self._used:
                        cursor.interrupt()
                    self._free.wait_for(lambda: not self._used, PATIENCE)
            # While one connection is open, opening the path again would give this file back.
            for cursor in (*self._idle, *self._used):
                cursor.close()
            self._main.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One writing transaction: kept whole, or nothing of it."""
        with self._writing, self._cursor() as cursor:
            cursor.execute("BEGIN").fetchall()
            try:
                yield cursor
                cursor.execute("COMMIT").fetchall()
            except BaseException:
                with contextlib.suppress(duckdb.Error):
                    cursor.execute("ROLLBACK").fetchall()
                raise

    @contextlib.contextmanager
    def _reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for a reader, who is told when the file turns out to be damaged."""
        try:
            with self._cursor() as cursor:
                yield cursor
        except Damaged as problem:
            self.on_damage()
            raise Unavailable(
                "Lists and segments are being rebuilt; try again shortly"
            ) from problem

    @contextlib.contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own for one use; given back for the next."""
        cursor = self._borrow()
        fit = False
        try:
            yield cursor
            fit = True
        except (duckdb.FatalException, duckdb.IOException, duckdb.SerializationException) as error:
            raise _judged(error) from error
        except duckdb.InterruptException as error:
            raise Unavailable("The server is ending; ask again when it is back") from error
        except duckdb.OutOfMemoryException as error:
            message = "The question needs more memory than the warehouse may use"
            raise Unavailable(message) from error
        finally:
            self._give_back(cursor, fit)

    def _borrow(self) -> duckdb.DuckDBPyConnection:
        with self._free:
            if self._closed:
                raise Unavailable("Lists and segments are being rebuilt; try again shortly")
            cursor = self._idle.pop() if self._idle else self._main.cursor()
            self._used.append(cursor)
            return cursor

    def _give_back(self, cursor: duckdb.DuckDBPyConnection, fit: bool) -> None:
        with self._free:
            self._used.remove(cursor)
            if fit and not self._closed:
                self._idle.append(cursor)
            else:
                cursor.close()
            self._free.notify_all()

    def _existing(self) -> dict[int, dict[str, str]]:
        found: dict[int, dict[str, str]] = {}
        rows = (
            self._main.cursor()
            .execute(
                "SELECT schema_name, column_name, data_type FROM duckdb_columns()"
                " WHERE table_name = 'records' AND schema_name LIKE 'w%'"
            )
            .fetchall()
        )
        for schema, column, kind in rows:
            found.setdefault(int(schema[1:]), {})[column] = kind
        return found


def _nothing() -> None:
    """What is called when nobody wants to know."""


def _judged(error: duckdb.Error) -> Exception:
    """Whether a file that cannot be used is damaged, or the disk will not have it now."""
    text = str(error)
    if any(os.strerror(number) in text for number in OF_THE_DISK):
        return StorageFailed(f"The warehouse cannot be used: {text}")
    return Damaged(text)
