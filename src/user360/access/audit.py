"""Who did what: one line for every change of settings, declarations, keys, segments, merges."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from user360 import clock
from user360.storage.ledger import Connection


def note(
    connection: Connection,
    workspace: int,
    now: int,
    actor: str,
    action: str,
    target: str,
    **detail: Any,
) -> None:
    """Write one line. `target` names a thing, never a person's data; `detail` neither."""
    connection.execute(
        sa.text(
            "INSERT INTO audit (workspace_id, at, actor, action, target, detail)"
            " VALUES (:workspace, :at, :actor, :action, :target, :detail)"
        ),
        {
            "workspace": workspace,
            "at": now,
            "actor": actor,
            "action": action,
            "target": target,
            "detail": msgspec.json.encode(detail).decode(),
        },
    )


def lines(
    connection: Connection,
    workspace: int,
    before: int | None,
    limit: int,
    *,
    actor: str = "",
    kind: str = "",
) -> list[dict[str, Any]]:
    """The newest lines first, those before line `before` when given.

    With `actor` only what they did, with `kind` only what was done to such things: `segment` is
    `segment.create` and so on, `merge` is `unmerge` too.
    """
    query = sa.text(
        "SELECT id, at, actor, action, target, detail FROM audit WHERE workspace_id = :workspace"
        " AND (:before IS NULL OR id < :before) AND (:actor = '' OR actor = :actor)"
        " AND (:kind = '' OR action IN (:kind, 'un' || :kind) OR action LIKE :kind || '.%')"
        " ORDER BY id DESC LIMIT :limit"
    )
    given = {"workspace": workspace, "before": before, "limit": limit}
    return [
        {
            "id": row.id,
            "at": clock.to_iso(row.at),
            "actor": row.actor,
            "action": row.action,
            "target": row.target,
            "detail": msgspec.json.decode(row.detail),
        }
        for row in connection.execute(query, {**given, "actor": actor, "kind": kind})
    ]


def actors(connection: Connection, workspace: int) -> list[str]:
    """Everybody who did something, as the lines name them."""
    query = sa.text("SELECT DISTINCT actor FROM audit WHERE workspace_id = :workspace")
    return sorted(connection.execute(query, {"workspace": workspace}).scalars())
