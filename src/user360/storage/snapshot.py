"""A reading transaction of DuckDB: the warehouse as it was at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from user360.errors import Unavailable
from user360.storage.relations import lent
from user360.storage.warehouse import Rows


class DuckSnapshot:
    """What `Snapshot` in `warehouse.py` promises, on one connection inside a transaction."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, position: int) -> None:
        self._cursor = cursor
        self.position = position

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        self._cursor.execute(sql, list(parameters) or None)
        rows = self._cursor.fetchall()
        return Rows([d[0] for d in self._cursor.description or ()], rows)

    def table(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        return self._cursor.sql(sql, params=list(parameters) or None).to_arrow_table()

    def batches(
        self, sql: str, parameters: Sequence[Any] = (), rows: int = 8_192
    ) -> Iterator[pa.RecordBatch]:
        found = self._cursor.sql(sql, params=list(parameters) or None)
        with found.to_arrow_reader(rows) as reader:
            try:
                yield from reader
            except (pa.ArrowException, OSError) as error:
                # What the engine says on the way comes through Arrow, without its kind.
                raise Unavailable("The warehouse could not answer to the end") from error

    def put(self, name: str, rows: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        with lent(self._cursor, given=schema.empty_table()):
            self._cursor.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM given").fetchall()
        for batch in rows:
            with lent(self._cursor, given=pa.Table.from_batches([batch])):
                self._cursor.execute(f"INSERT INTO {name} SELECT * FROM given").fetchall()
