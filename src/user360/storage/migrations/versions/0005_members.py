"""People who sign in to the pages: members, their roles, their sessions, what they prefer."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

Whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def column(name: str, kind: Any, *, null: bool = False, **how: Any) -> sa.Column[Any]:
    """A column that must have a value unless said otherwise."""
    return sa.Column(name, kind, nullable=null, **how)


def upgrade() -> None:
    op.create_table(
        "members",
        column("id", Whole, primary_key=True),
        column("email", sa.Text),  # as it is compared: in lower case
        column("name", sa.Text),
        column("password", sa.Text, null=True),  # argon2; null until they chose one
        column("created_at", Whole),
        # A link by which somebody chooses their password: its hash, and until when it is good.
        column("invite_hash", sa.Text, null=True),
        column("invite_until", Whole, null=True),
    )
    op.create_index("members_by_email", "members", ["email"], unique=True)
    op.create_table(
        "member_roles",
        column("member_id", Whole, primary_key=True),
        column("workspace_id", Whole, primary_key=True),
        column("role", sa.Text),
        column("since", Whole),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sign_ins",
        column("hash", sa.Text, primary_key=True),
        column("id", Whole),
        column("member_id", Whole),
        column("workspace_id", Whole),
        column("csrf", sa.Text),
        column("agent", sa.Text),
        column("created_at", Whole),
        column("until", Whole),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "preferences",
        column("member_id", Whole, primary_key=True),
        column("workspace_id", Whole, primary_key=True),
        column("name", sa.Text, primary_key=True),
        column("value", sa.Text),
        sqlite_with_rowid=False,
    )
