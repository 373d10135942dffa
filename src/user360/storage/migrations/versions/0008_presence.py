"""Who has left with their page closed, and how many conversations stand where, kept as they go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

Whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# What is counted together: the columns of the counts, and what they are of a conversation.
KEYS = {
    "workspace_id": "{0}.workspace_id",
    "kind": "{0}.kind",
    "state": "{0}.state",
    "assignee": "ifnull({0}.assignee, 0)",
    "group_id": "ifnull({0}.group_id, 0)",
    "waits": "({0}.waiting_since IS NOT NULL)",
}


def upgrade() -> None:
    # Whether their page was open since they said how they are there; when the system set them
    # away because it no longer was, and what they are when they come back.
    op.add_column("agents", sa.Column("watched", sa.Boolean, server_default="0", nullable=False))
    op.add_column("agents", sa.Column("left_at", Whole, nullable=True))
    op.add_column("agents", sa.Column("returns", sa.Text, server_default="", nullable=False))
    # Nobody and no group are 0: a key cannot hold what is unknown.
    op.create_table(
        "conversation_counts",
        sa.Column("workspace_id", Whole, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, primary_key=True),
        sa.Column("assignee", Whole, primary_key=True),
        sa.Column("group_id", Whole, primary_key=True),
        sa.Column("waits", sa.Boolean, primary_key=True),
        sa.Column("count", Whole, nullable=False),
        sqlite_with_rowid=False,
    )
    keys = ", ".join(KEYS.values()).format("c")
    op.execute(
        f"INSERT INTO conversation_counts ({', '.join(KEYS)}, count)"
        f" SELECT {keys}, count(*) FROM conversations c GROUP BY 1, 2, 3, 4, 5, 6"
    )
    if op.get_bind().dialect.name == "sqlite":
        counted()


def counted() -> None:
    """The counts are kept in step by the engine itself, whoever writes."""
    add = (
        f"INSERT INTO conversation_counts ({', '.join(KEYS)}, count)"
        f" VALUES ({', '.join(KEYS.values()).format('new')}, 1)"
        f" ON CONFLICT ({', '.join(KEYS)}) DO UPDATE SET count = count + 1"
    )
    those = " AND ".join(f"{name} = {of.format('old')}" for name, of in KEYS.items())
    drop = f"UPDATE conversation_counts SET count = count - 1 WHERE {those}"
    clear = f"DELETE FROM conversation_counts WHERE {those} AND count = 0"
    other = " OR ".join(f"{of.format('new')} IS NOT {of.format('old')}" for of in KEYS.values())
    columns = "workspace_id, kind, state, assignee, group_id, waiting_since"
    for name, when, steps in (
        ("added", "INSERT ON conversations", (add,)),
        (
            "moved",
            f"UPDATE OF {columns} ON conversations WHEN {other}",
            (drop, clear, add),
        ),
        ("dropped", "DELETE ON conversations", (drop, clear)),
    ):
        op.execute(f"CREATE TRIGGER counts_{name} AFTER {when} BEGIN {'; '.join(steps)}; END")
