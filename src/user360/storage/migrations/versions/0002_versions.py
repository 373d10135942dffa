"""Segments keep their versions, and say which of them their stored members belong to."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def column(name: str, kind: Any, *, null: bool = False, **how: Any) -> sa.Column[Any]:
    """A column that must have a value unless said otherwise."""
    return sa.Column(name, kind, nullable=null, **how)


def upgrade() -> None:
    op.create_table(
        "segment_versions",
        column("segment_id", Whole, primary_key=True),
        column("version", Whole, primary_key=True),
        column("name", sa.Text),
        column("description", sa.Text, server_default=""),
        column("condition", sa.Text, null=True),
        column("at", Whole),
        column("actor", sa.Text, server_default=""),
        sqlite_with_rowid=False,
    )
    op.add_column("segments", column("version", Whole, server_default="1"))
    op.add_column("segments", column("announce", sa.Boolean, server_default=sa.false()))
    op.add_column("segments", column("filled", Whole, server_default="0"))
    # Who made them was not kept beside them; the audit tells it.
    op.execute(
        'INSERT INTO segment_versions (segment_id, version, name, description, condition, "at")'
        " SELECT id, 1, name, description, condition, updated_at FROM segments"
    )
