"""What is held of conversations, read as a whole: of some people, or of a whole workspace."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from user360.conversations import store
from user360.conversations.talk import Conversation, Message
from user360.storage.ledger import Connection, Dialect, array, run, text

AT_ONCE = 1_000


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


def forget_words(connection: Connection) -> None:
    """Leave no words in the index of who was deleted: it keeps them until it is put together anew.

    It would not be where there is one part only, so a word of no meaning makes it two.
    """
    for statement in (
        "INSERT INTO words (rowid, text) VALUES (0, 'x')",
        "INSERT INTO words (words) VALUES ('optimize')",
        "INSERT INTO words (words, rowid, text) VALUES ('delete', 0, 'x')",
    ):
        connection.execute(text(statement))
