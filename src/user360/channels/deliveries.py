"""The deliveries' SQL: what is due, what became of it, what failed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from user360.channels.bringing import Delivery
from user360.storage.ledger import Connection, Dialect, array, text

Lane = tuple[int, str]  # a workspace and a way
COLUMNS = (
    "d.id, d.workspace_id, d.conversation_id, d.message_id, d.way, d.attempts, d.due_at,"
    " d.error, d.failed_at"
)


def _delivery(row: tuple[int, int, int, int, str, int, int, str, int | None]) -> Delivery:
    number, workspace, conversation, message, way, attempts, due, error, failed = row
    return Delivery(
        id=number,
        workspace=workspace,
        conversation=conversation,
        message=message,
        way=way,
        attempts=attempts,
        due_at=due,
        error=error,
        failed_at=failed,
    )


def lanes(connection: Connection) -> list[Lane]:
    """The ways of workspaces by which something waits; found by steps, however much it is."""
    query = (
        "WITH RECURSIVE lanes (workspace, way) AS ("
        "SELECT * FROM (SELECT workspace_id, way FROM deliveries WHERE failed_at IS NULL"
        " ORDER BY workspace_id, way LIMIT 1)"
        " UNION ALL SELECT n.workspace_id, n.way FROM lanes l JOIN deliveries n ON n.id ="
        " coalesce((SELECT d.id FROM deliveries d WHERE d.failed_at IS NULL"
        " AND d.workspace_id = l.workspace AND d.way > l.way ORDER BY d.way LIMIT 1),"
        " (SELECT d.id FROM deliveries d WHERE d.failed_at IS NULL"
        " AND d.workspace_id > l.workspace ORDER BY d.workspace_id, d.way LIMIT 1))"
        ") SELECT workspace, way FROM lanes"
    )
    return [(workspace, way) for workspace, way in connection.execute(text(query))]


def due(
    connection: Connection,
    dialect: Dialect,
    now: int,
    lane: Lane,
    limit: int,
    under_way: Collection[int],
) -> list[Delivery]:
    """What may be brought now one way of a workspace, the longest due first.

    Of each conversation the oldest alone; `under_way` are those that somebody is at.
    """
    query = (
        f"SELECT {COLUMNS} FROM deliveries d WHERE d.failed_at IS NULL AND d.due_at <= :now"
        " AND d.workspace_id = :workspace AND d.way = :way"
        f" AND d.id NOT IN {dialect.values('under_way')}"
        " AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.conversation_id = d.conversation_id"
        " AND e.id < d.id AND e.way = d.way AND e.failed_at IS NULL)"
        " ORDER BY d.due_at, d.id LIMIT :limit"
    )
    given = {
        "now": now,
        "workspace": lane[0],
        "way": lane[1],
        "limit": limit,
        "under_way": array(list(under_way)),
    }
    return [_delivery(tuple(row)) for row in connection.execute(text(query), given)]


def next_due(connection: Connection, now: int) -> int | None:
    """When something is due after now."""
    query = "SELECT min(due_at) FROM deliveries WHERE failed_at IS NULL AND due_at > :now"
    found: int | None = connection.execute(text(query), {"now": now}).scalar_one()
    return found


def done(connection: Connection, number: int) -> None:
    """It was brought, or there is nothing left to bring."""
    connection.execute(text("DELETE FROM deliveries WHERE id = :id"), {"id": number})


def put_off(connection: Connection, number: int, due_at: int, error: str) -> None:
    """It did not go well and is tried again then."""
    query = (
        "UPDATE deliveries SET attempts = attempts + 1, due_at = :due, error = :error"
        " WHERE id = :id"
    )
    connection.execute(text(query), {"due": due_at, "error": error, "id": number})


def give_up(connection: Connection, number: int, now: int, error: str) -> None:
    """It is not tried any more, unless somebody says so."""
    query = (
        "UPDATE deliveries SET attempts = attempts + 1, failed_at = :now, error = :error"
        " WHERE id = :id"
    )
    connection.execute(text(query), {"now": now, "error": error, "id": number})


def try_again(connection: Connection, number: int, now: int) -> None:
    """What was given up is due now, as if it had never been tried."""
    query = "UPDATE deliveries SET attempts = 0, failed_at = NULL, due_at = :now WHERE id = :id"
    connection.execute(text(query), {"now": now, "id": number})


def hurry(connection: Connection, workspace: int, ways: Sequence[str], now: int) -> None:
    """What waits by these ways is due now, as if it had never been tried."""
    query = (
        "UPDATE deliveries SET attempts = 0, due_at = :now WHERE workspace_id = :workspace"
        " AND way = :way AND failed_at IS NULL"
    )
    for way in ways:
        connection.execute(text(query), {"now": now, "workspace": workspace, "way": way})


def wait(connection: Connection, kind: str, until: int) -> None:
    """What waits by a way, in any workspace, is not due before then."""
    query = (
        "UPDATE deliveries SET due_at = :until WHERE way = :way AND failed_at IS NULL"
        " AND due_at < :until"
    )
    connection.execute(text(query), {"way": kind, "until": until})


def one(connection: Connection, workspace: int, number: int) -> Delivery | None:
    """A delivery of a workspace, if it is there."""
    query = f"SELECT {COLUMNS} FROM deliveries d WHERE d.workspace_id = :workspace AND d.id = :id"
    row = connection.execute(text(query), {"workspace": workspace, "id": number}).one_or_none()
    return None if row is None else _delivery(tuple(row))


def listed(
    connection: Connection,
    workspace: int,
    *,
    failed: bool,
    before: int | None = None,
    limit: int = 100,
) -> list[Delivery]:
    """Those that were given up, or those that wait: the newest first, below `before` if given."""
    which = "IS NOT NULL" if failed else "IS NULL"
    earlier = "" if before is None else " AND d.id < :before"
    query = (
        f"SELECT {COLUMNS} FROM deliveries d WHERE d.workspace_id = :workspace"
        f" AND d.failed_at {which}{earlier} ORDER BY d.id DESC LIMIT :limit"
    )
    given = {"workspace": workspace, "limit": limit}
    if before is not None:
        given["before"] = before
    return [_delivery(tuple(row)) for row in connection.execute(text(query), given)]


def counts(connection: Connection) -> dict[bool, int]:
    """How many there are that were given up (true), and that wait (false)."""
    query = "SELECT failed_at IS NOT NULL, count(*) FROM deliveries GROUP BY 1"
    return {bool(failed): count for failed, count in connection.execute(text(query))}
