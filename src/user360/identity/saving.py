"""The identity slice's SQL that writes: records and their cells, sessions, merges; deleting."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from user360.conversations import store as conversation_store
from user360.identity import resolve
from user360.identity.store import OWN
from user360.storage.ledger import Connection, Dialect, array, run, text

AT_ONCE = 512


def save_records(
    connection: Connection, dialect: Dialect, workspace: int, rows: Sequence[Sequence[Any]]
) -> None:
    """Insert or replace whole records.

    `rows` hold id, user_id, cells (JSON text), created_at, updated_at, merged_into, merge_id and
    merged_at.
    """
    _upsert(connection, dialect, workspace, OWN.split(", "), OWN.split(", ")[1:], rows)


def save_cells(
    connection: Connection, dialect: Dialect, workspace: int, rows: Sequence[Sequence[Any]]
) -> None:
    """Replace the cells of records whose names stay: id, cells (JSON text), created_at, updated_at.

    Nothing is inserted, for they are there; it costs a third of what an update of all does.
    """
    columns = ("id", "cells", "created_at", "updated_at")
    _upsert(connection, dialect, workspace, columns, ("cells", "updated_at"), rows)


def _upsert(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    columns: Sequence[str],
    replaced: Sequence[str],
    rows: Sequence[Sequence[Any]],
) -> None:
    listed, changed = ", ".join(columns), ", ".join(f"{c} = excluded.{c}" for c in replaced)
    for start in range(0, len(rows), AT_ONCE):
        table, given = dialect.table(columns, rows[start : start + AT_ONCE])
        query = (
            f"INSERT INTO records (workspace_id, {listed}) SELECT ?, {listed} FROM {table}"
            f" AS given WHERE id IS NOT NULL ON CONFLICT (id) DO UPDATE SET {changed}"
        )
        run(connection, query, [workspace, *given])


def save_sessions(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    mapped: Mapping[resolve.Session, int],
    now: int,
) -> None:
    """Map sessions to records, moving those that were mapped elsewhere."""
    if not mapped:
        return
    query = text(
        "INSERT INTO sessions (workspace_id, channel, session_id, record_id, mapped_at)"
        " SELECT :workspace, channel, session_id, record_id, :now FROM"
        f" {dialect.rows('rows', 'channel', 'session_id', 'record_id')} AS given WHERE true"
        " ON CONFLICT (workspace_id, channel, session_id) DO UPDATE"
        " SET record_id = excluded.record_id, mapped_at = excluded.mapped_at"
    )
    rows = [(channel, session, number) for (channel, session), number in mapped.items()]
    connection.execute(query, {"workspace": workspace, "rows": array(rows), "now": now})


def forget_sessions(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    sessions: Collection[resolve.Session],
) -> None:
    """Map these sessions to nobody."""
    if not sessions:
        return
    query = text(
        "DELETE FROM sessions WHERE workspace_id = :workspace AND (channel, session_id) IN"
        f" (SELECT channel, session_id FROM"
        f" {dialect.rows('sessions', 'channel', 'session_id')} AS asked)"
    )
    connection.execute(query, {"workspace": workspace, "sessions": array(list(sessions))})


def save_merge(connection: Connection, **merge: Any) -> None:
    """Keep one merge: who, when, why, and in `took` (JSON) what came from where."""
    connection.execute(
        text(
            "INSERT INTO merges (id, workspace_id, survivor_id, merged_id, at, merged_at,"
            " source, ref, reason, took) VALUES (:id, :workspace, :survivor, :merged, :at,"
            " :written, :source, :ref, :reason, :took)"
        ),
        merge,
    )


def save_undone(connection: Connection, merge: int, now: int, by: str) -> None:
    """Mark a merge as undone."""
    connection.execute(
        text("UPDATE merges SET undone_at = :now, undone_by = :by WHERE id = :id"),
        {"id": merge, "now": now, "by": by},
    )


def delete_people(
    connection: Connection, dialect: Dialect, numbers: Collection[int]
) -> list[tuple[int, str]]:
    """Remove records with their sessions, merges, static memberships and conversations.

    Returns the files that were said there (see `conversations.store.delete_of`).
    """
    if not numbers:
        return []
    files = conversation_store.delete_of(connection, dialect, numbers)
    given = {"numbers": array(list(numbers))}
    for statement in (
        f"DELETE FROM records WHERE id IN {dialect.values('numbers')}",
        f"DELETE FROM sessions WHERE record_id IN {dialect.values('numbers')}",
        f"DELETE FROM merges WHERE survivor_id IN {dialect.values('numbers')}",
        f"DELETE FROM merges WHERE merged_id IN {dialect.values('numbers')}",
        f"DELETE FROM segment_members WHERE record_id IN {dialect.values('numbers')}",
    ):
        connection.execute(text(statement), given)
    return files
