"""What must hold inside the ledger, as data: one statement each that finds what does not.

Every statement answers rows of (workspace, example); an example is a number or a name of ours,
never a value of somebody's.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import sqlalchemy as sa

from user360.storage.ledger import Connection


class Check(msgspec.Struct, frozen=True):
    """One rule: the part it is about, what is wrong when it finds rows, and the statement."""

    part: str
    wrong: str
    sql: str


CIRCLE = "records show in nobody: they are merged in a circle, or below one that is gone"
CHECKS = (
    Check(
        "log",
        "positions overlap or run backwards",
        "SELECT workspace_id, first FROM (SELECT workspace_id, first, last,"
        " lag(last) OVER (ORDER BY first) AS before FROM log)"
        " WHERE first <= before OR last < first",
    ),
    Check(
        "log",
        "positions are missing before these",
        "SELECT workspace_id, first FROM (SELECT workspace_id, first,"
        " lag(last, 1, 0) OVER (ORDER BY first) AS before FROM log) WHERE first > before + 1",
    ),
    Check(
        "log",
        "entries belong to a workspace that is not there",
        "SELECT workspace_id, first FROM log WHERE workspace_id NOT IN (SELECT id FROM workspaces)",
    ),
    Check(
        "records",
        "the number is beyond the workspace's counter, or of another workspace",
        "SELECT w.id, r.id FROM records r JOIN workspaces w ON w.id = r.workspace_id"
        " WHERE r.id < (w.id << 40) OR r.id >= (w.id << 40) + w.next_record",
    ),
    Check(
        "records",
        "records belong to a workspace that is not there",
        "SELECT workspace_id, id FROM records"
        " WHERE workspace_id NOT IN (SELECT id FROM workspaces)",
    ),
    Check(
        "sessions",
        "sessions are mapped to records that are not there",
        "SELECT s.workspace_id, s.record_id FROM sessions s LEFT JOIN records r"
        " ON r.id = s.record_id AND r.workspace_id = s.workspace_id WHERE r.id IS NULL",
    ),
    Check(
        "merges",
        "records are merged into ones that are not there",
        "SELECT r.workspace_id, r.id FROM records r LEFT JOIN records s"
        " ON s.id = r.merged_into AND s.workspace_id = r.workspace_id"
        " WHERE r.merged_into IS NOT NULL AND s.id IS NULL",
    ),
    Check(
        "merges",
        "records are merged by a merge that is not there, or was undone",
        "SELECT r.workspace_id, r.id FROM records r LEFT JOIN merges m ON m.id = r.merge_id"
        " AND m.merged_id = r.id AND m.survivor_id = r.merged_into AND m.undone_at IS NULL"
        " WHERE r.merged_into IS NOT NULL AND m.id IS NULL",
    ),
    Check(
        "merges",
        "merges in force have no merged record",
        "SELECT m.workspace_id, m.id FROM merges m LEFT JOIN records r ON r.id = m.merged_id"
        " AND r.merge_id = m.id WHERE m.undone_at IS NULL AND r.id IS NULL",
    ),
    Check(
        "merges",
        CIRCLE,
        "WITH RECURSIVE below(id) AS (SELECT id FROM records WHERE merged_into IN"
        " (SELECT id FROM records WHERE merged_into IS NULL)"
        " UNION ALL SELECT r.id FROM records r JOIN below ON r.merged_into = below.id)"
        " SELECT workspace_id, id FROM records"
        " WHERE merged_into IS NOT NULL AND id NOT IN (SELECT id FROM below)",
    ),
    Check(
        "members",
        "members of static segments are not there",
        "SELECT s.workspace_id, m.record_id FROM segment_members m JOIN segments s"
        " ON s.id = m.segment_id LEFT JOIN records r ON r.id = m.record_id WHERE r.id IS NULL",
    ),
    Check(
        "members",
        "members belong to segments that are not there",
        "SELECT 0, m.segment_id FROM segment_members m LEFT JOIN segments s"
        " ON s.id = m.segment_id AND s.deleted_at IS NULL WHERE s.id IS NULL",
    ),
    Check(
        "conversations",
        "the number is beyond the workspace's counter, or of another workspace",
        "SELECT w.id, c.id FROM conversations c JOIN workspaces w ON w.id = c.workspace_id"
        " WHERE c.id < (w.id << 40) OR c.id >= (w.id << 40) + w.next_conversation",
    ),
    Check(
        "conversations",
        "conversations are on records that are not there",
        "SELECT c.workspace_id, c.id FROM conversations c LEFT JOIN records r"
        " ON r.id = c.record_id AND r.workspace_id = c.workspace_id WHERE r.id IS NULL",
    ),
    Check(
        "conversations",
        "lists count others than stand in them, of these states",
        "SELECT workspace_id, state FROM (SELECT workspace_id, kind, state, assignee, group_id,"
        " waits, count AS number FROM conversation_counts UNION ALL SELECT workspace_id, kind,"
        " state, ifnull(assignee, 0), ifnull(group_id, 0), waiting_since IS NOT NULL, -count(*)"
        " FROM conversations GROUP BY 1, 2, 3, 4, 5, 6)"
        " GROUP BY workspace_id, kind, state, assignee, group_id, waits HAVING sum(number) <> 0",
    ),
    Check(
        "messages",
        "the number is beyond the workspace's counter, or of another workspace",
        "SELECT w.id, m.id FROM messages m JOIN workspaces w ON w.id = m.workspace_id"
        " WHERE m.id < (w.id << 40) OR m.id >= (w.id << 40) + w.next_message",
    ),
    Check(
        "messages",
        "messages are of conversations that are not there",
        "SELECT m.workspace_id, m.id FROM messages m LEFT JOIN conversations c"
        " ON c.id = m.conversation_id AND c.workspace_id = m.workspace_id WHERE c.id IS NULL",
    ),
    Check(
        "messages",
        "conversations count other messages than there are",
        "SELECT c.workspace_id, c.id FROM conversations c LEFT JOIN (SELECT conversation_id,"
        " count(*) FILTER (WHERE sender <> 'note') AS held, max(id) AS last FROM messages"
        " GROUP BY conversation_id) m ON m.conversation_id = c.id"
        " WHERE c.messages <> coalesce(m.held, 0) OR c.last_message <> coalesce(m.last, 0)",
    ),
    Check(
        "messages",
        "messages cannot be found by their words",
        "SELECT m.workspace_id, m.id FROM messages m LEFT JOIN words_docsize w ON w.id = m.id"
        " WHERE w.id IS NULL",
    ),
    Check(
        "messages",
        "words are of messages that are not there",
        "SELECT w.id >> 40, w.id FROM words_docsize w LEFT JOIN messages m ON m.id = w.id"
        " WHERE m.id IS NULL",
    ),
    Check(
        "attachments",
        "files were said with messages that are not there",
        "SELECT a.workspace_id, a.message_id FROM attachments a LEFT JOIN messages m"
        " ON m.id = a.message_id AND m.workspace_id = a.workspace_id"
        " WHERE a.message_id IS NOT NULL AND m.id IS NULL",
    ),
    Check(
        "deliveries",
        "what is to be brought is not there",
        "SELECT d.workspace_id, d.message_id FROM deliveries d LEFT JOIN messages m"
        " ON m.id = d.message_id AND m.conversation_id = d.conversation_id WHERE m.id IS NULL",
    ),
)


def offending(connection: Connection, check: Check) -> Iterator[tuple[int, int]]:
    """The rows that break a rule: (workspace, example)."""
    query = sa.text(check.sql).execution_options(yield_per=1_000)
    yield from (tuple(row) for row in connection.execute(query))


def counted(connection: Connection, workspace: int) -> dict[str, int]:
    """How many events each definition says there were."""
    query = sa.text("SELECT name, volume FROM definitions WHERE workspace_id = :workspace")
    return {row.name: row.volume for row in connection.execute(query, {"workspace": workspace})}


def numbers(connection: Connection, workspace: int) -> Iterator[list[int]]:
    """The numbers of all records there are, merged ones too, some thousands at a time."""
    query = sa.text("SELECT id FROM records WHERE workspace_id = :workspace ORDER BY id")
    found = connection.execute(
        query.execution_options(yield_per=50_000), {"workspace": workspace}
    ).scalars()
    yield from map(list, found.partitions())
