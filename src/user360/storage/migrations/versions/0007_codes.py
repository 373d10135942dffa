"""One-time codes that were sent, so that whoever restarts the server does not forget how many."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

Whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # For the last hour alone; of whom is a keyed hash: an address, or a session.
    op.create_table(
        "codes_sent",
        sa.Column("id", Whole, primary_key=True),
        sa.Column("of", sa.Text, nullable=False),
        sa.Column("at", Whole, nullable=False),
    )
    op.create_index("codes_sent_by_of", "codes_sent", ["of", "at"])
    op.create_index("codes_sent_by_time", "codes_sent", ["at"])
