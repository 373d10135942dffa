"""The log tells who is in the lists that were made before it did.

Since then membership in the warehouse comes from the log alone. An entry is written here as it was
at that time: position, kind, record, name, when, when received, id, source, channel, by whom, and
what it tells.
"""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

INTERNAL = 2
MOST = 50_000  # records in an entry


def upgrade() -> None:
    connection = op.get_bind()
    position = connection.execute(sa.text("SELECT coalesce(max(last), 0) FROM log")).scalar_one()
    now = time.time_ns() // 1000
    lists = connection.execute(
        sa.text("SELECT id, workspace_id FROM segments WHERE deleted_at IS NULL ORDER BY id")
    ).all()
    for segment, workspace in lists:
        for since, records in _members(connection, segment):
            position += 1
            told = {"segment": segment, "at": since, "enter": records}
            _append(connection, position, workspace, now, told)


def _members(connection: sa.Connection, segment: int) -> list[tuple[int, list[int]]]:
    """The records of a list by the time they entered, a bounded number together."""
    rows = connection.execute(
        sa.text(
            "SELECT since, record_id FROM segment_members WHERE segment_id = :id"
            " ORDER BY since, record_id"
        ),
        {"id": segment},
    ).all()
    found = []
    for since, group in itertools.groupby(rows, key=lambda row: row[0]):
        records = [row[1] for row in group]
        found += [(since, records[i : i + MOST]) for i in range(0, len(records), MOST)]
    return found


def _append(
    connection: sa.Connection, position: int, workspace: int, now: int, told: dict[str, Any]
) -> None:
    entry = [position, INTERNAL, 0, "members", told["at"], now, f"s{position}", "api", "", ""]
    connection.execute(
        sa.text(
            "INSERT INTO log (first, last, workspace_id, body)"
            " VALUES (:position, :position, :workspace, :body)"
        ),
        {
            "position": position,
            "workspace": workspace,
            "body": json.dumps([[*entry, told]], separators=(",", ":")).encode(),
        },
    )
