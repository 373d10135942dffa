"""The backup's SQL."""

from __future__ import annotations

from user360.storage.ledger import Connection, text


def state(connection: Connection) -> tuple[int, str]:
    """How far the log goes, and the version of the schema."""
    position = connection.execute(text("SELECT coalesce(max(last), 0) FROM log")).scalar_one()
    schema = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    return int(position), str(schema)
