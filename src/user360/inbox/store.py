"""The inbox's SQL: who waits in which order, and what time has come for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from user360.conversations import talk
from user360.conversations.store import CONVERSATION, conversation
from user360.conversations.talk import Conversation
from user360.storage.ledger import Connection, Dialect, array, run

ACTIVE = (talk.QUEUED, talk.OPEN, talk.ASSIGNED, talk.PENDING, talk.ON_HOLD)


def waiting(connection: Connection, workspace: int, limit: int) -> list[Conversation]:
    """Those that wait for somebody to take them, who has waited longest first.

    So many of each that the same agents may have, so that no group's backlog hides another's.
    """
    query = (
        "WITH waiting AS (SELECT id, row_number() OVER (PARTITION BY kind, state, group_id, skills"
        " ORDER BY queued_at, id) AS place FROM conversations WHERE workspace_id = :workspace"
        " AND state IN ('queued', 'open') AND assignee IS NULL)"
        f" SELECT {CONVERSATION} FROM waiting CROSS JOIN conversations c WHERE c.id = waiting.id"
        " AND waiting.place <= :limit ORDER BY c.queued_at, c.id"
    )
    return _found(connection, query, workspace, limit=limit)


def waited(connection: Connection, workspace: int, since: int, limit: int) -> list[Conversation]:
    """Chats that have waited for an agent since before `since`."""
    query = (
        f"SELECT {CONVERSATION} FROM conversations c WHERE c.workspace_id = :workspace"
        " AND c.state IN ('queued', 'open') AND c.kind = 'chat' AND c.assignee IS NULL"
        " AND c.queued_at <= :since ORDER BY c.queued_at, c.id LIMIT :limit"
    )
    return _found(connection, query, workspace, since=since, limit=limit)


def idle(connection: Connection, workspace: int, since: int, limit: int) -> list[Conversation]:
    """Conversations with the bot in which nothing has happened since `since`."""
    query = (
        f"SELECT {CONVERSATION} FROM conversations c WHERE c.workspace_id = :workspace"
        " AND c.state = 'bot' AND c.updated_at <= :since ORDER BY c.updated_at LIMIT :limit"
    )
    return _found(connection, query, workspace, since=since, limit=limit)


def solved(connection: Connection, workspace: int, since: int, limit: int) -> list[Conversation]:
    """Tickets that were solved before `since` and have not been closed."""
    query = (
        f"SELECT {CONVERSATION} FROM conversations c WHERE c.workspace_id = :workspace"
        " AND c.state = 'solved' AND c.ended_at <= :since ORDER BY c.updated_at LIMIT :limit"
    )
    return _found(connection, query, workspace, since=since, limit=limit)


def left_behind(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    agents: Collection[int],
    limit: int,
) -> list[Conversation]:
    """What is still assigned to somebody who is none of these agents."""
    query = (
        f"SELECT {CONVERSATION} FROM conversations c WHERE c.workspace_id = :workspace"
        f" AND c.state IN {dialect.values('states')} AND c.assignee IS NOT NULL"
        f" AND c.assignee NOT IN {dialect.values('agents')} ORDER BY c.id LIMIT :limit"
    )
    given = {"states": array(ACTIVE), "agents": array(sorted(agents)), "limit": limit}
    return _found(connection, query, workspace, **given)


def waiting_for(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    agents: Collection[int],
    limit: int,
) -> list[Conversation]:
    """Chats that these have, in which the customer waits for an answer; the longest first."""
    query = (
        f"SELECT {CONVERSATION} FROM conversations c WHERE c.workspace_id = :workspace"
        f" AND c.assignee IN {dialect.values('agents')} AND c.state = 'assigned'"
        " AND c.waiting_since IS NOT NULL ORDER BY c.waiting_since, c.id LIMIT :limit"
    )
    return _found(connection, query, workspace, agents=array(sorted(agents)), limit=limit)


def queued_before(connection: Connection, asked: Conversation, workspace: int) -> int:
    """How many chats stand in the queue before this one that the same agents may have."""
    query = (
        "SELECT count(*) FROM conversations WHERE workspace_id = :workspace AND state = 'queued'"
        " AND (group_id = :group OR group_id IS NULL OR :group IS NULL)"
        " AND (queued_at, id) < (:since, :id)"
    )
    given = {
        "workspace": workspace,
        "group": asked.group,
        "since": asked.queued_at or 0,
        "id": asked.id,
    }
    return int(run(connection, query, given)[0][0])


def _found(connection: Connection, query: str, workspace: int, **given: Any) -> list[Conversation]:
    rows = run(connection, query, {"workspace": workspace, **given})
    return [conversation(row) for row in rows]
