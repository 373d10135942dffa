"""The jobs' SQL: what became of each, kept for whoever asks after it."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from user360.storage.ledger import Connection


def keep(
    connection: Connection, workspace: int, job: str, kind: str, now: int, result: Any
) -> None:
    """Keep what became of a job, under the id it was given; `result` is any JSON."""
    connection.execute(
        sa.text(
            "INSERT INTO jobs (id, workspace_id, kind, created_at, result)"
            " VALUES (:id, :workspace, :kind, :now, :result)"
        ),
        {
            "id": job,
            "workspace": workspace,
            "kind": kind,
            "now": now,
            "result": msgspec.json.encode(result).decode(),
        },
    )


def find(connection: Connection, workspace: int, job: str, kind: str) -> Any:
    """What became of a job of this kind; None when the workspace has none of this id."""
    query = sa.text(
        "SELECT result FROM jobs WHERE id = :id AND workspace_id = :workspace AND kind = :kind"
    )
    given = {"id": job, "workspace": workspace, "kind": kind}
    text = connection.execute(query, given).scalar_one_or_none()
    return None if text is None else msgspec.json.decode(text)
