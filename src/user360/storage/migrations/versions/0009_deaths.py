"""How often in a row the process died while a job was in its hands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("in_hand", sa.Boolean, server_default="0", nullable=False))
    op.add_column("jobs", sa.Column("deaths", sa.Integer, server_default="0", nullable=False))
