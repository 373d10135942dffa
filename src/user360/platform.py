"""The whole product as one object: what everything is given.

`Platform.open(directory)` runs it on a data directory, `Platform.temporary()` on one that
disappears: in a test, in a notebook, in one line.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from user360.access import erased, keys, members, signing, workspaces
from user360.access.change import Change
from user360.access.keys import Key
from user360.access.members import Member
from user360.access.signing import SignIn
from user360.access.vault import Vault
from user360.access.workspaces import Workspace
from user360.clock import AHEAD, Clock, SystemClock
from user360.conversations import attachments
from user360.conversations.news import Exchange, News
from user360.errors import DirectoryInUse, NotFound, StorageFailed
from user360.ingest.call import Call, Outcome
from user360.ingest.committer import Committer
from user360.ingest.project import LogReader
from user360.jobs.runner import Runner
from user360.segments.following.keeper import Keeper
from user360.settings import Settings, from_environment
from user360.storage.duckdb import DuckDB
from user360.storage.ledger import Connection, Ledger
from user360.storage.projector import Projector
from user360.storage.warehouse import Warehouse

Result = TypeVar("Result")
LEDGER = "ledger.db"
WAREHOUSE = "warehouse.duckdb"
KEEPER = "segments"  # who the audit and the log name for what segments do by themselves


class Platform:
    """An open data directory: ledger, warehouse, the committer and the projector between."""

    def __init__(self, directory: Path, settings: Settings, clock: Clock) -> None:
        self.directory = directory
        self.settings = settings
        self.clock = clock
        self.first_key: str | None = None
        self.exchange = Exchange()
        self._temporary = False
        self._last = 0
        self._keys_used: dict[int, int] = {}
        self._lock = _hold(directory)
        try:
            self.ledger = Ledger(settings.ledger or f"sqlite:///{directory / LEDGER}")
            self.ledger.migrate()
            with self.ledger.read() as connection:
                self.vault = Vault.open(directory, used=erased.any_kept(connection))
            self._begin()
        except BaseException:
            os.close(self._lock)
            raise

    def _begin(self) -> None:
        self._first_start()
        with self.ledger.read() as connection:
            found = workspaces.all_workspaces(connection)
            self.keys: dict[str, Key] = keys.all_keys(connection)
            self.members: dict[int, Member] = members.all_members(connection)
            self.sign_ins: dict[str, SignIn] = signing.all_sign_ins(connection, self.clock.now())
        self.workspaces: dict[int, Workspace] = {w.id: w for w in found}
        for workspace in found:
            workspace.erased.vault = self.vault
        self.projector = Projector(
            self.ledger,
            self.directory / WAREHOUSE,
            self._connect,
            LogReader(self.workspaces, self.ledger.dialect),
        )
        self.projector.fold_at(self.settings.fresh_rows)
        self._dropping = ThreadPoolExecutor(1, thread_name_prefix="files")
        self.committer = Committer(
            self.ledger,
            self.clock,
            self.workspaces,
            queue_calls=self.settings.queue_calls,
            commit_calls=self.settings.commit_calls,
            committed=self.projector.committed,
            exchange=self.exchange,
            dropped=self._drop,
        )
        self.projector.open(self.committer.position.last)
        self.keeper = Keeper(
            self.projector, self.clock, self.workspaces, self.committer.position, self._as_keeper
        )
        self.jobs = Runner(self)

    def _drop(self, files: list[tuple[int, str]]) -> None:
        """Remove files whose rows are gone from disk, while the writer goes on."""
        self._dropping.submit(attachments.remove, self.directory, files)

    def _connect(self, path: Path) -> Warehouse:
        return DuckDB(path, self.settings.warehouse_memory, self.settings.warehouse_threads)

    def _first_start(self) -> None:
        """Make the default workspace and its first admin key, or the key that is fixed."""
        fixed = self.settings.admin_key
        with self.ledger.write() as connection:
            existing = {w.name: w for w in workspaces.all_workspaces(connection)}
            default = existing.get(workspaces.DEFAULT)
            if default is None:
                default = workspaces.create(connection, workspaces.DEFAULT, self.clock.now())
                self.first_key = fixed or keys.new_key()
            key = fixed or self.first_key
            if key:
                keys.create(connection, default.id, "first", "admin", key, self.clock.now())

    @classmethod
    def open(
        cls,
        directory: str | Path,
        settings: Settings | None = None,
        clock: Clock | None = None,
        *,
        start: bool = True,
    ) -> Platform:
        """Open (or make) a data directory and start its committer and projector.

        Raises `DirectoryInUse` when another process holds it, `StorageFailed` when it cannot be
        written. With `start` False nothing runs: for tools such as `rebuild`.
        """
        path = Path(directory)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFailed(f"{path} cannot be made: {error.strerror}") from error
        platform = cls(path, settings or from_environment(), clock or SystemClock())
        if start:
            platform.start()
        return platform

    @classmethod
    def temporary(cls, settings: Settings | None = None, clock: Clock | None = None) -> Platform:
        """A running platform on a directory that is removed when it is closed."""
        directory = tempfile.mkdtemp(prefix="user360-")
        platform = cls.open(directory, settings or from_environment(), clock)
        platform._temporary = True
        return platform

    def start(self) -> None:
        self.projector.start()
        self.committer.start()
        self.keeper.start()
        self.jobs.start()

    def close(self) -> None:
        """Settle what is queued, then let go of everything."""
        self.jobs.close()
        self.keeper.close()
        if self._keys_used and self.committer.running:
            with contextlib.suppress(StorageFailed):
                self.committer.run(self.keep_uses)
        self.committer.close()
        self._dropping.shutdown()
        self.projector.close()
        self.ledger.close()
        os.close(self._lock)
        if self._temporary:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Platform:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def default(self) -> Workspace:
        return self.workspace(workspaces.DEFAULT)

    def workspace(self, name: str) -> Workspace:
        """The workspace of this name. Raises `NotFound`."""
        for workspace in self.workspaces.values():
            if workspace.name.lower() == name.lower():
                return workspace
        raise NotFound("There is no such workspace")

    def add_workspace(self, name: str, admin_key: str = "") -> Workspace:
        """Make a workspace, with a first admin key when one is given; it can be asked at once.

        Raises `Invalid` for a bad name, `Conflict` for a taken one.
        """

        def make(connection: Connection) -> Workspace:
            made = workspaces.create(connection, name, self.now())
            if admin_key:
                keys.create(connection, made.id, "first", "admin", admin_key, self.now())
                self.reload_keys(connection)
            return made

        made = self.write(make)
        made.erased.vault = self.vault
        self.workspaces[made.id] = made
        self.projector.prepare()
        return made

    def now(self) -> int:
        """The time, never the same twice: two calls without a timestamp keep their order.

        A clock that was set back is followed once the difference would make a write look as if it
        came from the future.
        """
        told = self.clock.now()
        ahead = self._last + 1
        self._last = ahead if told < ahead < told + AHEAD // 2 else told
        return self._last

    def key_used(self, number: int) -> None:
        """Remember that a key was used; it is kept on disk at the end."""
        self._keys_used[number] = self.clock.now()

    def keep_uses(self, connection: Connection) -> None:
        used, self._keys_used = self._keys_used, {}
        keys.used(connection, used)

    def reload_keys(self, connection: Connection) -> None:
        """Take in keys that were made or revoked."""
        self.keys = keys.all_keys(connection)

    def reload_members(self) -> None:
        """Take in what is committed of members and their sessions."""
        with self.ledger.read() as connection:
            self.members = members.all_members(connection)
            self.sign_ins = signing.all_sign_ins(connection, self.clock.now())

    def settle(self, calls: Iterable[Call]) -> list[Outcome]:
        """Submit calls and wait until they are on disk; their outcomes, in order."""
        return self.committer.settle(calls)

    def write(self, job: Callable[[Connection], Result]) -> Result:
        """Run a job in the writer's transaction and wait until it is on disk."""
        result: Result = self.committer.run(job)
        return result

    def tell(self, job: Callable[[Connection], list[News]]) -> list[News]:
        """Run a job as `write` does; whoever looks on hears the news it returns, once on disk."""
        future: Future[list[News]] = Future()

        def done(result: list[News] | BaseException) -> None:
            if isinstance(result, BaseException):
                future.set_exception(result)
                return
            if result:
                self.exchange.publish(result)
            future.set_result(result)

        self.committer.submit_job(job, done)
        return future.result()

    def _as_keeper(self, workspace: Workspace, job: Callable[[Change], Result]) -> Result:
        """Run a job of the keeper in the writer's transaction."""
        return self.write(lambda connection: job(self.change(connection, workspace, KEEPER)))

    def change(self, connection: Connection, workspace: Workspace, actor: str) -> Change:
        """What a job that changes a workspace is given, in the writer's transaction."""
        return Change(
            connection,
            self.ledger.dialect,
            workspace,
            now=self.now(),
            actor=actor,
            take=self.committer.position.take,
        )

    def wait(self, position: int | None = None) -> Warehouse:
        """The warehouse once it shows `position` (default: all that is committed now)."""
        self.projector.wait(self.committer.position.last if position is None else position)
        return self.projector.warehouse


def _hold(directory: Path) -> int:
    """Take the directory for this process, until the descriptor is closed or the process ends."""
    try:
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageFailed(f"{directory} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise DirectoryInUse(
            f"Another process holds {directory}; use its API (--url, --key), or stop it first"
        ) from error
    return descriptor
