"""What waits or was given up of one workspace is listed without reading that of the others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    for name, those in (
        ("deliveries_waiting", "failed_at IS NULL"),
        ("deliveries_failed", "failed_at IS NOT NULL"),
    ):
        where = sa.text(those)
        op.create_index(
            name,
            "deliveries",
            ["workspace_id", "id"],
            sqlite_where=where,
            postgresql_where=where,
        )
