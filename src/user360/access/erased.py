"""Who was erased and must not come back: keyed digests, asked before anything is written.

A person is known by every userId it had, by what the workspace's identifier property would make
its userId, and by its sessions; all as digests, for the names themselves are gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import groupby
from typing import NamedTuple

from user360.access.vault import Vault
from user360.storage.ledger import Connection, Dialect, array, text

Session = tuple[str, str]


class Kept(NamedTuple):
    """One erasure: the workspace it is of, its job, since when (microseconds), and the digests."""

    workspace: int
    job: str
    at: int
    digests: list[str]


class Erased:
    """The erased people of one workspace, as the running process knows them.

    The committer alone changes it, within its transaction. Asking costs nothing while nobody was
    erased.
    """

    def __init__(self, workspace: int) -> None:
        self.workspace = workspace
        self.vault: Vault | None = None
        self._digests: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self._digests)

    def load(self, connection: Connection) -> None:
        """Take in what the ledger holds."""
        query = text("SELECT digest FROM erased WHERE workspace_id = :workspace")
        rows = connection.execute(query, {"workspace": self.workspace})
        self._digests = frozenset(rows.scalars())

    def holds(self, user_id: str) -> bool:
        """Whether the person of this userId was erased."""
        return bool(self._digests) and self.of_user(user_id) in self._digests

    def holds_session(self, session: Session) -> bool:
        """Whether this session belonged to somebody who was erased."""
        return bool(self._digests) and self.of_session(session) in self._digests

    def among(self, user_ids: Collection[str]) -> set[str]:
        """Those of these userIds whose people were erased."""
        return {user_id for user_id in user_ids if self.holds(user_id)} if self._digests else set()

    def of_user(self, user_id: str) -> str:
        """The digest that a userId is known by."""
        return self._digest(f"user:{user_id}")

    def of_session(self, session: Session) -> str:
        """The digest that a session, given as (channel, id), is known by."""
        return self._digest(f"session:{session[0]}\n{session[1]}")

    def _digest(self, named: str) -> str:
        assert self.vault is not None  # the platform gives it to every workspace it opens
        return self.vault.digest(self.workspace, named)


def any_kept(connection: Connection) -> bool:
    """Whether anybody was erased, in any workspace."""
    return bool(connection.execute(text("SELECT EXISTS (SELECT 1 FROM erased)")).scalar_one())


def all_kept(connection: Connection) -> list[Kept]:
    """Every erasure that keeps somebody away, each once, however often it was done again."""
    rows = connection.execute(
        text("SELECT workspace_id, job_id, at, digest FROM erased ORDER BY 1, 2, 3, 4")
    )
    found = groupby(rows, lambda row: (row.workspace_id, row.job_id))
    erasures = [(each, list(kept)) for each, kept in found]
    return [Kept(*each, kept[0].at, [row.digest for row in kept]) for each, kept in erasures]


def keep(
    connection: Connection, workspace: int, digests: Iterable[str], now: int, job: str
) -> None:
    """Keep these digests, as those of the erasure `job`; what is kept already stays as it is."""
    rows = [{"workspace": workspace, "digest": d, "now": now, "job": job} for d in sorted(digests)]
    if rows:
        query = text(
            "INSERT INTO erased (workspace_id, digest, at, job_id)"
            " VALUES (:workspace, :digest, :now, :job) ON CONFLICT DO NOTHING"
        )
        connection.execute(query, rows)


def forget(connection: Connection, workspace: int, job: str) -> int:
    """Forget all digests of one erasure, and how many there were: the person may come again."""
    query = text("DELETE FROM erased WHERE workspace_id = :workspace AND job_id = :job")
    return connection.execute(query, {"workspace": workspace, "job": job}).rowcount


def erasures_of(
    connection: Connection, dialect: Dialect, workspace: int, digests: Collection[str]
) -> list[str]:
    """The erasures that one of these digests was kept by."""
    query = text(
        "SELECT DISTINCT job_id FROM erased WHERE workspace_id = :workspace"
        f" AND digest IN {dialect.values('digests')} ORDER BY job_id"
    )
    given = {"workspace": workspace, "digests": array(list(digests))}
    return list(connection.execute(query, given).scalars())
