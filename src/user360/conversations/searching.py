"""Finding conversations by words: of what was said in them, of their subjects, of who they are.

Any text may be searched for: it is taken apart into words, none of which is ever read as syntax.
The last word may be cut off unless it is very short: too many words begin with one or two letters.
Conversations with rare words are gathered by the index of words; where too many messages have them
to be gathered, the conversations of a list are looked at in their order, for then few have to be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from user360 import ids
from user360.storage import words as index
from user360.storage.ledger import Connection, Dialect, array, run

MOST_GATHERED = 20_000  # messages, or subjects, whose conversations are gathered
MOST_WORDS = 20
SHORT = 3  # letters from which on a word may be cut off
AT_ONCE = 100  # conversations whose messages are in memory together


def words(text: str) -> str:
    """What is asked of the index of words; empty when there is none in the text."""
    found = _taken_apart(text)
    quoted = ['"' + word.replace('"', '""') + '"' for word in found]
    return " ".join(quoted) + ("" if not found or _short(found[-1]) else "*")


def whole(text: str) -> bool:
    """Whether the last word is looked for as it is, because it is too short to be cut off."""
    found = _taken_apart(text)
    return bool(found) and _short(found[-1])


def _taken_apart(text: str) -> list[str]:
    words = text.replace("\x00", " ").split()
    return [word for word in words if any(c.isalnum() for c in word)][:MOST_WORDS]


def _short(word: str) -> bool:
    return word.isascii() and len(word) < SHORT


def gathered(
    connection: Connection, dialect: Dialect, workspace: int, text: str
) -> set[int] | None:
    """Every conversation that a text is found in; None when too many messages have its words."""
    asked = words(text)
    if not asked:
        return set()
    subjects = _hits(connection, "subjects", workspace, asked)
    hits = _hits(connection, "words", workspace, asked)
    if max(len(subjects), len(hits)) > MOST_GATHERED:
        return None
    query = (
        f"SELECT DISTINCT m.conversation_id FROM {dialect.values('hits')} AS hit"
        " CROSS JOIN messages m WHERE m.id = hit.value"
    )
    return {*subjects, *(row[0] for row in run(connection, query, {"hits": array(hits)}))}


def among(
    connection: Connection, dialect: Dialect, conversations: Collection[int], text: str
) -> set[int]:
    """Those of these conversations that a text is found in."""
    asked = words(text)
    if not asked or not conversations:
        return set()
    return index.having(asked, _said(connection, dialect, conversations))


def of_records(
    connection: Connection, dialect: Dialect, workspace: int, records: Collection[int]
) -> set[int]:
    """The conversations that are on one of these records."""
    query = (
        f"SELECT c.id FROM {dialect.values('records')} AS asked CROSS JOIN conversations c"
        " WHERE c.record_id = asked.value AND c.workspace_id = :workspace"
    )
    given = {"records": array(list(records)), "workspace": workspace}
    return {row[0] for row in run(connection, query, given)} if records else set()


def _hits(connection: Connection, table: str, workspace: int, asked: str) -> list[int]:
    """What has the words, the newest first, and one more than are gathered at most."""
    query = (
        f"SELECT rowid FROM {table} WHERE {table} MATCH :asked AND rowid > :first"
        " AND rowid < :end ORDER BY rowid DESC LIMIT :most"
    )
    first, end = ids.record_number(workspace, 0), ids.record_number(workspace + 1, 0)
    given = {"asked": asked, "first": first, "end": end, "most": MOST_GATHERED + 1}
    return [row[0] for row in run(connection, query, given)]


def _said(
    connection: Connection, dialect: Dialect, conversations: Collection[int]
) -> Iterator[tuple[int, str]]:
    """The subjects of conversations and all that was said in them, each with its conversation."""
    query = (
        f"SELECT c.id, c.subject FROM {dialect.values('asked')} AS asked"
        " CROSS JOIN conversations c WHERE c.id = asked.value AND c.subject <> ''"
        f" UNION ALL SELECT m.conversation_id, m.text FROM {dialect.values('asked')} AS asked"
        " CROSS JOIN messages m WHERE m.conversation_id = asked.value AND m.text <> ''"
    )
    numbers = sorted(conversations)
    for begin in range(0, len(numbers), AT_ONCE):
        given = {"asked": array(numbers[begin : begin + AT_ONCE])}
        yield from run(connection, query, given)
