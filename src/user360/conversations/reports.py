"""The SQL of the inbox's reports: what began in a period, and what customers said in it."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from user360.conversations.scope import Scope
from user360.storage.ledger import Connection, Dialect, run

_tags = msgspec.json.Decoder(tuple[str, ...]).decode


class Talk(NamedTuple):
    """What a report counts of a conversation. Times are in microseconds.

    `replied_at` is when anybody answered first, a bot too, `agent_at` when an agent did.
    """

    id: int
    record: int
    channel: str
    kind: str
    state: str
    assignee: int | None
    tags: tuple[str, ...]
    created_at: int
    replied_at: int | None
    ended_at: int | None
    messages: int
    agent_at: int | None


class Said(NamedTuple):
    """What a customer said, in which conversation, on which record."""

    conversation: int
    record: int
    text: str


def talks(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    since: int,
    until: int,
    scope: Scope | None,
) -> list[Talk]:
    """The conversations that began in a period, `until` not included, the oldest first."""
    seen, given = _seen(dialect, scope)
    query = (
        "SELECT c.id, c.record_id, c.channel, c.kind, c.state, c.assignee, c.tags, c.created_at,"
        " c.first_reply_at, c.ended_at, c.messages, (SELECT min(m.at) FROM messages m"
        " WHERE m.conversation_id = c.id AND m.sender = 'agent' AND c.first_reply_at IS NOT NULL)"
        " FROM conversations c WHERE c.workspace_id = :workspace"
        f" AND c.created_at >= :since AND c.created_at < :until{seen} ORDER BY c.created_at, c.id"
    )
    rows = run(connection, query, {"workspace": workspace, "since": since, "until": until, **given})
    return [Talk._make((*row[:6], _tags(row[6]), *row[7:])) for row in rows]


def said(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    since: int,
    until: int,
    scope: Scope | None,
    most: int,
) -> list[Said]:
    """The newest `most` messages of customers in conversations that began in a period."""
    seen, given = _seen(dialect, scope)
    query = (
        "SELECT m.conversation_id, c.record_id, m.text FROM conversations c"
        " CROSS JOIN messages m ON m.conversation_id = c.id AND m.sender = 'customer'"
        " WHERE c.workspace_id = :workspace AND c.created_at >= :since AND c.created_at < :until"
        f"{seen} ORDER BY c.created_at DESC, m.id DESC LIMIT :most"
    )
    asked = {"workspace": workspace, "since": since, "until": until, "most": most, **given}
    return [Said(*row) for row in run(connection, query, asked)]


def _seen(dialect: Dialect, scope: Scope | None) -> tuple[str, dict[str, Any]]:
    if scope is None:
        return "", {}
    condition, given = scope.condition(dialect)
    return f" AND {condition}", given
