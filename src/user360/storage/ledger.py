"""The ledger: what is true, in one SQL database that never loses anything.

SQLite by default. What differs between engines is behind `Dialect`; the statements themselves
stand in the slices' `store.py`.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
import sqlalchemy.exc

from user360.errors import StorageFailed
from user360.storage.checkpoints import Checkpoints

Connection = sa.Connection
MIGRATIONS = Path(__file__).parent / "migrations"


class Dialect:
    """How one engine says what SQL leaves open. SQLite here; another engine overrides."""

    name = "sqlite"

    @staticmethod
    def values(parameter: str) -> str:
        """A sub-select of the members of a JSON array parameter, in a column `value`."""
        return f"(SELECT value FROM json_each(:{parameter}))"

    @staticmethod
    def rows(parameter: str, *columns: str) -> str:
        """A sub-select of a JSON array of arrays, with its columns named in order."""
        taken = ", ".join(f"value ->> {i} AS {name}" for i, name in enumerate(columns))
        return f"(SELECT {taken} FROM json_each(:{parameter}))"

    @staticmethod
    def together(*columns: str) -> str:
        """All rows of a question as one JSON text, `[]` for none: for `run_together`."""
        return f"json_group_array(json_array({', '.join(columns)}))"

    @staticmethod
    def at(column: str, parameter: str) -> str:
        """What a JSON column holds at a path such as `$.name[0]`, as JSON; null for nothing."""
        return f"{column} -> :{parameter}"

    @staticmethod
    def lines(column: str) -> str:
        """One column of all rows as one text, a line a row, null for none: read in one step.

        Only for what holds no line breaks. Several of these in one question keep one order.
        """
        return f"group_concat({column}, char(10))"

    @staticmethod
    def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
        """Some hundred rows as a sub-select, for `run`, and its parameters (by their places).

        A third of what `rows` costs where texts are long. Rows of nothing fill it up to one of a
        few sizes, so that there are a few statements to prepare and not one for every size.
        """
        size = 1 << (len(rows) - 1).bit_length()
        places = ", ".join(["(" + ", ".join("?" * len(columns)) + ")"] * size)
        named = ", ".join(f"column{i} AS {name}" for i, name in enumerate(columns, 1))
        given = [value for row in rows for value in row]
        given += [None] * ((size - len(rows)) * len(columns))
        return f"(SELECT {named} FROM (VALUES {places}))", given


def array(items: Any) -> str:
    """A list as the JSON text that `Dialect.values` and `Dialect.rows` read."""
    return msgspec.json.encode(items).decode()


@functools.lru_cache(maxsize=1_024)
def text(sql: str) -> sa.TextClause:
    """A statement with named parameters; what there is to find out about it is found out once."""
    return sa.text(sql)


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def run(connection: Connection, sql: str, given: Any) -> list[Any]:
    """The rows of a statement that nearly every commit needs; it has parameters as `text` has.

    The driver is asked itself: what SQLAlchemy does around a statement costs more than most of
    these do. Raises what it would raise.
    """
    driver = _driver(connection)
    try:
        rows: list[Any] = driver.execute(sql, given).fetchall()
    except sqlite3.Error as error:
        raise sqlalchemy.exc.DBAPIError.instance(
            sql, None, error, sqlite3.Error, hide_parameters=True
        ) from error
    return rows


def run_many(connection: Connection, sql: str, rows: Iterable[Sequence[Any]]) -> None:
    """Run a statement that answers nothing for each row, in one step of the driver's.

    Where other threads are busy, each step waits for its turn among them.
    """
    driver = _driver(connection)
    try:
        driver.executemany(sql, rows)
    except sqlite3.Error as error:
        raise sqlalchemy.exc.DBAPIError.instance(
            sql, None, error, sqlite3.Error, hide_parameters=True
        ) from error


def run_together(connection: Connection, sql: str, given: Any) -> list[list[Any]]:
    """The rows of a question that selects `Dialect.together`, read in one step.

    The driver lets other threads go first at each row it reads. Where they are busy, reading
    sixteen rows one after another takes longer than all else in a commit.
    """
    rows: list[list[Any]] = msgspec.json.decode(run(connection, sql, given)[0][0])
    return rows


class Ledger:
    """One open ledger: a single writing connection and a pool of reading ones."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.dialect = Dialect()
        self._writer = _engine(url, "IMMEDIATE", 1)
        self._reader = _engine(url, "DEFERRED", 17)
        self._writing = threading.Lock()
        self.checkpoints = Checkpoints(_engine(url, "DEFERRED", 1), self._writing)
        self._kept: Connection | None = None
        self._vacuuming: Any = None
        self._glancing = threading.Lock()
        self._glanced: Connection | None = None

    def migrate(self) -> None:
        """Bring the schema to the newest version."""
        with _plainly():
            if self._version() == newest():
                return
            _upgrade(self.url)

    def _version(self) -> str | None:
        """The version of the schema as it is; None when there is nothing yet."""
        with self._reader.begin() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            found = connection.execute(text("SELECT version_num FROM alembic_version"))
            return found.scalar_one_or_none()

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction of the only writer; raises `StorageFailed` when it cannot be kept."""
        with _plainly(), self._writing:
            connection = self._connection()
            try:
                with connection.begin():
                    yield connection
                self.checkpoints.written = True
            except sqlalchemy.exc.DBAPIError:
                self._let_go()
                raise

    def _connection(self) -> Connection:
        """The writer's connection: to take one anew costs as much as two statements."""
        if self._kept is None:
            self._kept = self._writer.connect()
        return self._kept

    def _let_go(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent snapshot for reading; waits for nobody."""
        with _plainly(), self._reader.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def glance(self) -> Iterator[Connection]:
        """As `read`, for a question by a key: what it takes to be given a connection and to begin
        is many times what such a question takes, so one is kept. Who finds it in use just reads.
        """
        if not self._glancing.acquire(blocking=False):
            with self.read() as connection:
                yield connection
            return
        try:
            with _plainly(), self._begun() as connection:
                yield connection
        finally:
            self._glancing.release()

    @contextlib.contextmanager
    def _begun(self) -> Iterator[Connection]:
        """A transaction of the connection for glances. It begins and ends past SQLAlchemy, to which
        it is one that goes on; after trouble the connection is made anew.
        """
        try:
            if self._glanced is None:
                self._glanced = self._reader.connect()
                self._glanced.begin()
            else:
                run(self._glanced, "BEGIN", ())
            yield self._glanced
        finally:
            self._end_glance()

    def _end_glance(self) -> None:
        try:
            if self._glanced is not None:
                _driver(self._glanced).execute("ROLLBACK")
        except (sqlite3.Error, sqlalchemy.exc.SQLAlchemyError):
            self._drop_glanced()

    def _drop_glanced(self) -> None:
        if self._glanced is not None:
            self._glanced.invalidate()
            self._glanced.close()
            self._glanced = None

    def damage(self) -> list[str]:
        """What is wrong with the file itself; nothing when it is sound."""
        try:
            with self.read() as connection:
                told = connection.exec_driver_sql("PRAGMA quick_check").scalars().all()
        except StorageFailed as problem:
            return [problem.detail]
        return [line for line in told if line != "ok"]

    def empty_log(self) -> bool:
        """Copy the engine's log into the file and leave nothing in it; False while somebody reads
        what is older.
        """
        return self.checkpoints.copy("TRUNCATE") == 0

    def size(self) -> int:
        """How long the file is, in bytes."""
        return Path(sa.make_url(self.url).database or "").stat().st_size

    def vacuum(self) -> None:
        """Write the whole file anew, without what was deleted; writers wait.

        Raises `StorageFailed` when it cannot be done, or is given up.
        """
        with _plainly(), self._writing:
            driver = _driver(self._connection())
            # What it puts together on the way is as large as the file: no matter for memory.
            driver.execute("PRAGMA temp_store=FILE")
            self._vacuuming = driver
            try:
                driver.execute("VACUUM")
            except sqlite3.OperationalError as error:
                raise StorageFailed(f"The ledger was not written anew: {error}") from error
            finally:
                self._vacuuming = None
                driver.execute("PRAGMA temp_store=MEMORY")

    def give_up(self) -> None:
        """Let a `vacuum` that goes on end; the file is as it was."""
        if (driver := self._vacuuming) is not None:
            driver.interrupt()

    def copy(self, path: Path) -> None:
        """Write the ledger as it is now into a new file; others go on reading and writing."""
        with _plainly(), self._reader.connect() as connection:
            driver = _driver(connection)
            driver.execute("PRAGMA query_only=OFF")
            try:
                driver.execute("VACUUM INTO ?", [str(path)])
            finally:
                driver.execute("PRAGMA query_only=ON")

    def close(self) -> None:
        self.checkpoints.close()
        with self._writing:
            self._let_go()
        with self._glancing:
            self._drop_glanced()
        self._writer.dispose()
        self._reader.dispose()


@contextlib.contextmanager
def _plainly() -> Iterator[None]:
    """Turn a failing disk into the product's own error, without the statement or its values."""
    try:
        yield
    except (sqlalchemy.exc.OperationalError, sqlalchemy.exc.DatabaseError) as error:
        if isinstance(error, sqlalchemy.exc.IntegrityError | sqlalchemy.exc.ProgrammingError):
            raise
        raise StorageFailed(f"The ledger cannot be used: {error.orig}") from error


def _engine(url: str, begin: str, size: int) -> sa.Engine:
    engine = sa.create_engine(
        url,
        poolclass=sa.pool.QueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=60,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": 60},
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling is switched off: `begin` below says it plainly.
        connection.isolation_level = None
        # Deleted people leave nothing behind in the file; it costs nothing that can be measured.
        # The writer copies the log itself only when it has grown to 64 MB, for `Checkpoints` does
        # that beside it; what it grew to while a reader stood still is given back.
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=OFF",
            "cache_size=-16384",
            "temp_store=MEMORY",
            "secure_delete=ON",
            "wal_autocheckpoint=16384",
            "journal_size_limit=67108864",
            *(["query_only=ON"] if begin == "DEFERRED" else []),
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {begin}")

    return engine


def newest() -> str:
    """The version that the newest migration leads to: its file's name begins with it."""
    return max(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


def _upgrade(url: str) -> None:
    # Imported here: a start that finds nothing to do need not wait for it, half a second.
    import alembic.command
    import alembic.config

    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    alembic.command.upgrade(config, "head")
