"""What the widget reads of the ledger: the messages of its own session, and nothing else."""

from __future__ import annotations

from user360.channels.web.sessions import CHANNEL, Visitor
from user360.conversations.store import CONVERSATION, MESSAGE, conversation, message
from user360.conversations.talk import Conversation, Message
from user360.storage.ledger import Connection, run

_OF_SESSION = (
    " FROM conversations c WHERE c.workspace_id = :workspace AND c.channel = :channel"
    " AND c.session_id = :session"
)
_SAID = (
    f"SELECT {MESSAGE} FROM messages m WHERE m.conversation_id IN (SELECT c.id{_OF_SESSION})"
    " AND m.sender <> 'note'"
)


def conversation_of(connection: Connection, visitor: Visitor) -> Conversation | None:
    """The last conversation of a session."""
    query = f"SELECT {CONVERSATION}{_OF_SESSION} ORDER BY c.id DESC LIMIT 1"
    rows = run(connection, query, _named(visitor))
    return conversation(rows[0]) if rows else None


def said_since(connection: Connection, visitor: Visitor, after: int, limit: int) -> list[Message]:
    """What was said in a session after a message, the oldest first; never a note."""
    query = f"{_SAID} AND m.id > :after ORDER BY m.id LIMIT :limit"
    given = {**_named(visitor), "after": after, "limit": limit}
    return [message(row) for row in run(connection, query, given)]


def said_before(
    connection: Connection, visitor: Visitor, before: int | None, limit: int
) -> list[Message]:
    """The last that was said in a session before a message, the oldest first; never a note."""
    earlier = "" if before is None else " AND m.id < :before"
    query = f"{_SAID}{earlier} ORDER BY m.id DESC LIMIT :limit"
    given = {**_named(visitor), "before": before, "limit": limit}
    return [message(row) for row in run(connection, query, given)][::-1]


def unread(connection: Connection, visitor: Visitor, upto: int, states: str) -> list[int]:
    """The answers up to a message whose way to the customer is not beyond these states."""
    query = (
        f"{_SAID} AND m.id <= :upto AND m.sender <> 'customer'"
        " AND m.delivery IN (SELECT value FROM json_each(:states))"
    )
    given = {**_named(visitor), "upto": upto, "states": states}
    return [row[0] for row in run(connection, query, given)]


def _named(visitor: Visitor) -> dict[str, object]:
    return {
        "workspace": visitor.workspace,
        "channel": CHANNEL,
        "session": visitor.session,
    }
