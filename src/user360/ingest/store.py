"""The bulk path's SQL: people by their userIds, and many of them at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
import sqlalchemy.exc

from user360.events import store as event_store
from user360.storage.ledger import Connection, Dialect, array


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


def insert_people(
    connection: Connection, workspace: int, rows: Sequence[tuple[int, str | None, str]], now: int
) -> None:
    """Insert new records: number, userId and cells (JSON text)."""
    query = sa.text(
        "INSERT INTO records (id, workspace_id, user_id, cells, created_at, updated_at)"
        " VALUES (:id, :workspace, :user_id, :cells, :now, :now)"
    )
    given: list[dict[str, Any]] = [
        {"id": n, "workspace": workspace, "user_id": user_id, "cells": cells, "now": now}
        for n, user_id, cells in rows
    ]
    if given:
        connection.execute(query, given)


def remember_if_new(connection: Connection, dialect: Dialect, digests: Collection[str]) -> bool:
    """Remember event-id digests if none of them was stored before; False leaves all as it was."""
    try:
        with connection.begin_nested():
            event_store.remember(connection, dialect, digests)
    except sa.exc.IntegrityError:
        return False
    return True
