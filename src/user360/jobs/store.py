"""The jobs' SQL: what was asked, how far it is, what became of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa

from user360.jobs.job import Job
from user360.storage.ledger import Connection, text

COLUMNS = (
    "id, workspace_id AS workspace, kind, actor, created_at, status, params, progress, result,"
    " cancel, deaths, started_at, finished_at"
)
JSON = ("params", "progress", "result")


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _job(row: Any) -> Job:
    given = dict(row._mapping)
    given |= {name: msgspec.json.decode(given[name]) for name in JSON}
    return Job(**{**given, "cancel": bool(given["cancel"])})


def add(connection: Connection, job: Job) -> None:
    """Queue a job."""
    connection.execute(
        text(
            "INSERT INTO jobs (id, workspace_id, kind, actor, created_at, status, params, progress,"
            " result) VALUES (:id, :workspace, :kind, :actor, :now, :status, :params, :progress,"
            " 'null')"
        ),
        {
            "id": job.id,
            "workspace": job.workspace,
            "kind": job.kind,
            "actor": job.actor,
            "now": job.created_at,
            "status": job.status,
            "params": _encoded(job.params),
            "progress": _encoded(job.progress),
        },
    )


def one(connection: Connection, job: str, workspace: int | None = None) -> Job | None:
    """The job of this id, in this workspace when one is given."""
    query = text(
        f"SELECT {COLUMNS} FROM jobs"
        " WHERE id = :id AND (:workspace IS NULL OR workspace_id = :workspace)"
    )
    row = connection.execute(query, {"id": job, "workspace": workspace}).one_or_none()
    return None if row is None else _job(row)


def listed(
    connection: Connection,
    workspace: int,
    *,
    kinds: Collection[str] = (),
    before: int | None = None,
    limit: int = 50,
) -> list[Job]:
    """The newest jobs of a workspace first: of these kinds, asked for before a moment."""
    query = text(
        f"SELECT {COLUMNS} FROM jobs WHERE workspace_id = :workspace"
        " AND (:every OR kind IN :kinds) AND (:before IS NULL OR created_at < :before)"
        " ORDER BY created_at DESC LIMIT :limit"
    ).bindparams(sa.bindparam("kinds", expanding=True))
    given: dict[str, Any] = {"workspace": workspace, "before": before, "limit": limit}
    given |= {"every": not kinds, "kinds": sorted(kinds)}
    return [_job(row) for row in connection.execute(query, given)]


def unfinished(connection: Connection) -> list[Job]:
    """All that are queued or were at work when the process ended, in the order of asking."""
    query = f"SELECT {COLUMNS} FROM jobs WHERE status IN ('queued', 'running') ORDER BY created_at"
    return [_job(row) for row in connection.execute(text(query))]


def begin(connection: Connection, job: str, now: int) -> bool:
    """Take a job up; False when it is not queued any more."""
    connection.execute(
        text("UPDATE jobs SET in_hand = :yes WHERE id = :id"), {"id": job, "yes": True}
    )
    query = text(
        "UPDATE jobs SET status = 'running', started_at = :now WHERE id = :id AND status = 'queued'"
    )
    return connection.execute(query, {"id": job, "now": now}).rowcount == 1


def lay_down(connection: Connection, job: str) -> None:
    """The process ends in good order: it did not die of this job."""
    query = text("UPDATE jobs SET in_hand = :no, deaths = 0 WHERE id = :id")
    connection.execute(query, {"id": job, "no": False})


def count_deaths(connection: Connection) -> None:
    """At a start: the process before this one died of whatever is in hand, as far as one knows."""
    query = text(
        "UPDATE jobs SET deaths = deaths + 1, in_hand = :no WHERE status = 'running' AND in_hand"
    )
    connection.execute(query, {"no": False})


def save_progress(connection: Connection, job: str, progress: Any, *, got_on: bool = True) -> None:
    """Keep how far a job is; in the transaction of what it wrote, no row is written twice.

    Without `got_on` it is only told, and would be done again.
    """
    query = text(
        "UPDATE jobs SET deaths = CASE WHEN :got_on AND progress <> :progress THEN 0 ELSE deaths"
        " END, progress = :progress WHERE id = :id"
    )
    given = {"id": job, "progress": _encoded(progress), "got_on": got_on}
    connection.execute(query, given)


def save_result(connection: Connection, job: str, result: Any) -> None:
    """Keep what a job came to, before it counts as completed."""
    query = text("UPDATE jobs SET result = :result WHERE id = :id")
    connection.execute(query, {"id": job, "result": _encoded(result)})


def finish(connection: Connection, job: str, status: str, now: int) -> None:
    """Say how a job ended."""
    query = text("UPDATE jobs SET status = :status, finished_at = :now WHERE id = :id")
    connection.execute(query, {"id": job, "status": status, "now": now})


def change_status(connection: Connection, job: str, status: str) -> None:
    """Say what became of a finished job later: `undone`."""
    query = text("UPDATE jobs SET status = :status WHERE id = :id")
    connection.execute(query, {"id": job, "status": status})


def cancel(connection: Connection, job: str, now: int) -> bool:
    """Cancel a queued job at once, and tell one at work to end; whether it was queued."""
    connection.execute(
        text("UPDATE jobs SET cancel = :yes WHERE id = :id AND status = 'running'"),
        {"id": job, "yes": True},
    )
    query = text(
        "UPDATE jobs SET status = 'cancelled', finished_at = :now"
        " WHERE id = :id AND status = 'queued'"
    )
    return connection.execute(query, {"id": job, "now": now}).rowcount == 1


def with_files(connection: Connection, ids: Collection[str], before: int) -> set[str]:
    """Those of these jobs whose files are still wanted: unfinished, or finished after `before`."""
    query = text(
        "SELECT id FROM jobs WHERE id IN :ids"
        " AND (status IN ('queued', 'running') OR finished_at >= :before)"
    ).bindparams(sa.bindparam("ids", expanding=True))
    found = connection.execute(query, {"ids": sorted(ids), "before": before})
    return set(found.scalars())


def keep(
    connection: Connection, workspace: int, job: str, kind: str, now: int, result: Any
) -> None:
    """Keep what became of something that was done at once, under the id it was given."""
    connection.execute(
        text(
            "INSERT INTO jobs (id, workspace_id, kind, created_at, finished_at, result)"
            " VALUES (:id, :workspace, :kind, :now, :now, :result)"
        ),
        {"id": job, "workspace": workspace, "kind": kind, "now": now, "result": _encoded(result)},
    )


def find(connection: Connection, workspace: int, job: str, kind: str) -> Any:
    """What became of a job of this kind; None when the workspace has none of this id."""
    found = one(connection, job, workspace)
    return None if found is None or found.kind != kind else found.result
