"""The bulk path's SQL: people by their userIds, and many of them at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa
import sqlalchemy.exc

from user360.events import store as event_store
from user360.storage.ledger import Connection, Dialect, array, run


def numbers_of(
    connection: Connection, dialect: Dialect, workspace: int, user_ids: Collection[str]
) -> dict[str, int]:
    """The records that hold these userIds, merged ones too; unknown ones are left out."""
    query = sa.text(
        "SELECT user_id, id FROM records WHERE workspace_id = :workspace"
        f" AND user_id IN {dialect.values('user_ids')}"
    )
    # Sorted, so that neighbours in the tree are read together.
    given = {"workspace": workspace, "user_ids": array(sorted(user_ids))}
    return {row.user_id: row.id for row in connection.execute(query, given)}


AT_ONCE = 512


def insert_people(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    rows: Sequence[tuple[int, str | None, str]],
    now: int,
) -> None:
    """Insert new records: number, userId and cells (JSON text).

    Some hundred rows a statement: after each the driver lets busy threads go first.
    """
    for start in range(0, len(rows), AT_ONCE):
        table, given = dialect.table(("id", "user_id", "cells"), rows[start : start + AT_ONCE])
        query = (
            "INSERT INTO records (id, workspace_id, user_id, cells, created_at, updated_at)"
            f" SELECT id, ?, user_id, cells, ?, ? FROM {table} AS given WHERE id IS NOT NULL"
        )
        run(connection, query, [workspace, now, now, *given])


def remember_if_new(connection: Connection, dialect: Dialect, digests: Collection[str]) -> bool:
    """Remember event-id digests if none of them was stored before; False leaves all as it was."""
    try:
        with connection.begin_nested():
            event_store.remember(connection, dialect, digests)
    except sa.exc.IntegrityError:
        return False
    return True
