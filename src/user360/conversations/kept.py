"""What is held of conversations, read as a whole: of some people, or of a whole workspace."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from user360 import ids
from user360.conversations import store, talk
from user360.conversations.talk import Conversation, Message
from user360.storage.ledger import Connection, Dialect, array, run, text

AT_ONCE, MANY = 1_000, 20_000


ACTIVE = tuple(
    dict.fromkeys(s for states in talk.STATES.values() for s in states if s not in talk.ENDED)
)


class Standing(NamedTuple):
    """How the inbox stands: what has not ended by state, and what is to be brought or failed."""

    conversations: dict[str, int]
    waiting: int
    failed: int


class Said(NamedTuple):
    """How much was said with somebody."""

    conversations: int
    messages: int


def of_records(
    connection: Connection, dialect: Dialect, records: Collection[int]
) -> list[Conversation]:
    """The conversations that are on these records, the oldest first."""
    query = (
        f"SELECT {store.CONVERSATION} FROM conversations c"
        f" WHERE c.record_id IN {dialect.values('records')} ORDER BY c.id"
    )
    rows = run(connection, query, {"records": array(list(records))})
    return [store.conversation(row) for row in rows]


def messages_of(
    connection: Connection, dialect: Dialect, conversations: Collection[int]
) -> Iterator[Message]:
    """What was said in these conversations, notes too, in its order."""
    query = text(
        f"SELECT {store.MESSAGE} FROM messages m"
        f" WHERE m.conversation_id IN {dialect.values('conversations')} ORDER BY m.id"
    ).execution_options(yield_per=AT_ONCE)
    for row in connection.execute(query, {"conversations": array(list(conversations))}):
        yield store.message(row)


def counted(connection: Connection, dialect: Dialect, records: Collection[int]) -> Said:
    """How many conversations are on these records, and how many messages are in them."""
    query = (
        "SELECT (SELECT count(*) FROM conversations c"
        f" WHERE c.record_id IN {dialect.values('records')}),"
        " (SELECT count(*) FROM conversations c JOIN messages m ON m.conversation_id = c.id"
        f" WHERE c.record_id IN {dialect.values('records')})"
    )
    return Said(*run(connection, query, {"records": array(list(records))})[0])


def standing(connection: Connection, workspaces: Iterable[int]) -> Standing:
    """How the inbox of these workspaces stands; what has ended, which is most, is not looked at."""
    by: dict[str, int] = {}
    for workspace in list(workspaces):
        listed = ", ".join(f"'{state}'" for state in ACTIVE)
        query = (
            "SELECT state, count(*) FROM conversations WHERE workspace_id = :workspace"
            f" AND state IN ({listed}) GROUP BY state"
        )
        for state, count in run(connection, query, {"workspace": workspace}):
            by[state] = by.get(state, 0) + count
    query = "SELECT count(*) FILTER (WHERE failed_at IS NULL), count(failed_at) FROM deliveries"
    return Standing(by, *run(connection, query, {})[0])


def forget_words(connection: Connection) -> None:
    """Leave no words in the index of who was deleted: it keeps them until it is put together anew.

    It would not be where there is one part only, so a word of no meaning makes it two.
    """
    for index in ("words", "subjects"):
        for statement in (
            f"INSERT INTO {index} (rowid, text) VALUES (0, 'x')",
            f"INSERT INTO {index} ({index}) VALUES ('optimize')",
            f"INSERT INTO {index} ({index}, rowid, text) VALUES ('delete', 0, 'x')",
        ):
            connection.execute(text(statement))


CONVERSATIONS = (
    *("id", "record_id", "channel", "session_id", "kind", "state", "subject", "priority"),
    *("group_id", "assignee", "tags", "reason", "messages", "created_at", "updated_at"),
    *("assigned_at", "first_reply_at", "ended_at"),
)
MESSAGES = (
    *("id", "conversation_id", "record_id", "channel", "session_id", "sender", "author", "text"),
    *("attachments", "at", "received_at", "delivery"),
)
Parts = Iterator[Sequence[Sequence[Any]]]


def conversations(
    connection: Connection, workspace: int, since: int | None, until: int | None
) -> tuple[list[str], Parts]:
    """The conversations of a workspace that began in a period: the names of their columns, and
    some thousand rows at a time in the order of their numbers.
    """
    query = (
        f"SELECT {', '.join(CONVERSATIONS)}, last_text AS text FROM conversations"
        f" WHERE workspace_id = :workspace{_within('created_at', since, until)} ORDER BY id"
    )
    return [*CONVERSATIONS, "text"], _parts(connection, query, workspace, since, until)


def messages(
    connection: Connection, workspace: int, since: int | None, until: int | None
) -> tuple[list[str], Parts]:
    """The same of the messages of a period, each with whose conversation it is in."""
    mine = {"record_id", "channel", "session_id"}
    columns = ", ".join(f"{'c' if name in mine else 'm'}.{name}" for name in MESSAGES)
    first, last = workspace << ids.RECORD_BITS, (workspace + 1) << ids.RECORD_BITS
    query = (
        f"SELECT {columns} FROM messages m CROSS JOIN conversations c ON c.id = m.conversation_id"
        f" WHERE m.workspace_id = :workspace AND m.id >= {first} AND m.id < {last}"
        f"{_within('m.at', since, until)} ORDER BY m.id"
    )
    return list(MESSAGES), _parts(connection, query, workspace, since, until)


def _within(column: str, since: int | None, until: int | None) -> str:
    bounds = "" if since is None else f" AND {column} >= :since"
    return bounds if until is None else f"{bounds} AND {column} < :until"


def _parts(
    connection: Connection, query: str, workspace: int, since: int | None, until: int | None
) -> Parts:
    given = {"workspace": workspace, "since": since, "until": until}
    wanted = {name: value for name, value in given.items() if value is not None}
    asked = text(query).execution_options(yield_per=MANY)
    yield from connection.execute(asked, wanted).partitions()
