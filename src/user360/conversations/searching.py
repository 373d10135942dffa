"""Finding conversations by words: of what was said in them, of their subjects, of who they are.

Any text may be searched for: it is taken apart into words, none of which is ever read as syntax.
The last word may be cut off.
"""

from __future__ import annotations

from collections.abc import Collection

from user360 import ids
from user360.storage.ledger import Connection, Dialect, array, run

MOST_FOUND = 5_000  # messages that a search takes into account, the newest
MOST_WORDS = 20


def words(text: str) -> str:
    """What is asked of the index of words; empty when there is none in the text."""
    found = [word for word in text.replace("\x00", " ").split() if any(c.isalnum() for c in word)][
        :MOST_WORDS
    ]
    quoted = ['"' + word.replace('"', '""') + '"' for word in found]
    return f"{' '.join(quoted)}*" if quoted else ""


def found(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    text: str,
    records: Collection[int] | None = None,
    people: Collection[int] = (),
) -> set[int]:
    """The conversations that a text is found in, or that are on one of these records (`people`).

    Of messages the newest `MOST_FOUND` that have the words, of those `records` when they are given.
    """
    numbers = _of_records(connection, dialect, workspace, people)
    asked = words(text)
    if not asked:
        return numbers
    numbers |= _of_messages(connection, dialect, workspace, asked, records)
    return numbers | _of_subjects(connection, workspace, asked)


def _of_records(
    connection: Connection, dialect: Dialect, workspace: int, records: Collection[int]
) -> set[int]:
    query = (
        f"SELECT c.id FROM {dialect.values('records')} AS asked CROSS JOIN conversations c"
        " WHERE c.record_id = asked.value AND c.workspace_id = :workspace"
    )
    given = {"records": array(list(records)), "workspace": workspace}
    return {row[0] for row in run(connection, query, given)} if records else set()


def _of_messages(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    asked: str,
    records: Collection[int] | None,
) -> set[int]:
    given = _bounds(workspace, asked)
    among = ""
    if records is not None:
        given["records"] = array(list(records))
        among = (
            " AND rowid IN (SELECT m.id FROM conversations c JOIN messages m"
            f" ON m.conversation_id = c.id WHERE c.record_id IN {dialect.values('records')})"
        )
    query = (
        "SELECT DISTINCT m.conversation_id FROM (SELECT rowid AS id FROM words"
        f" WHERE words MATCH :asked AND rowid > :first AND rowid < :end{among}"
        " ORDER BY rowid DESC LIMIT :most) AS hit CROSS JOIN messages m WHERE m.id = hit.id"
    )
    return {row[0] for row in run(connection, query, given)}


def _of_subjects(connection: Connection, workspace: int, asked: str) -> set[int]:
    query = (
        "SELECT rowid FROM subjects WHERE subjects MATCH :asked AND rowid > :first"
        " AND rowid < :end ORDER BY rowid DESC LIMIT :most"
    )
    return {row[0] for row in run(connection, query, _bounds(workspace, asked))}


def _bounds(workspace: int, asked: str) -> dict[str, object]:
    """The words asked for, in what one workspace's numbers are between."""
    first, end = ids.record_number(workspace, 0), ids.record_number(workspace + 1, 0)
    return {"asked": asked, "first": first, "end": end, "most": MOST_FOUND}
