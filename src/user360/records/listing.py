"""Reading all records in pages that are counted from the first, for callers that count so."""

from __future__ import annotations

import sqlalchemy as sa

from user360 import ids
from user360.storage.ledger import Connection


def numbers(connection: Connection, workspace: int, offset: int, limit: int) -> list[int]:
    """The living records of a workspace in the order they were made, `offset` of them left out."""
    query = sa.text(
        "SELECT id FROM records WHERE id > :first AND id < :end AND merged_into IS NULL"
        " ORDER BY id LIMIT :limit OFFSET :offset"
    )
    given = {
        "first": ids.record_number(workspace, 0),
        "end": ids.record_number(workspace + 1, 0),
        "limit": limit,
        "offset": offset,
    }
    return list(connection.execute(query, given).scalars())
