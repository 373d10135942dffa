"""Workspaces, keys, properties, records, sessions, merges, the log, definitions, segments."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def column(name: str, kind: Any, *, null: bool = False, **how: Any) -> sa.Column[Any]:
    """A column that must have a value unless said otherwise."""
    return sa.Column(name, kind, nullable=null, **how)


def upgrade() -> None:
    access()
    people()
    identities()
    history()
    groups()


def access() -> None:
    op.create_table(
        "workspaces",
        column("id", Whole, primary_key=True),
        column("name", sa.Text, unique=True),
        column("settings", sa.Text, server_default="{}"),
        column("next_record", Whole, server_default="1"),
        column("created_at", Whole),
    )
    op.create_table(
        "keys",
        column("id", Whole, primary_key=True),
        column("workspace_id", Whole),
        column("name", sa.Text),
        column("role", sa.Text),
        column("hash", sa.Text, unique=True),
        column("hint", sa.Text),
        column("created_at", Whole),
        column("last_used_at", Whole, null=True),
    )
    op.create_table(
        "audit",
        column("id", Whole, primary_key=True),
        column("workspace_id", Whole),
        column("at", Whole),
        column("actor", sa.Text),
        column("action", sa.Text),
        column("target", sa.Text),
        column("detail", sa.Text, server_default="{}"),
    )
    op.create_index("audit_by_workspace", "audit", ["workspace_id", "id"])


def people() -> None:
    op.create_table(
        "properties",
        column("workspace_id", Whole, primary_key=True),
        column("id", Whole, primary_key=True),
        column("name", sa.Text),
        column("type", sa.Text),
        column("description", sa.Text, server_default=""),
        column("searchable", sa.Boolean, server_default=sa.true()),
        column("required", sa.Boolean, server_default=sa.false()),
        column("retyped", sa.Boolean, server_default=sa.false()),
        column("created_at", Whole),
        column("deleted_at", Whole, null=True),
    )
    op.create_table(
        "records",
        column("id", Whole, primary_key=True),
        column("workspace_id", Whole),
        column("user_id", sa.Text, null=True),
        column("merged_into", Whole, null=True),
        column("merge_id", Whole, null=True),
        column("merged_at", Whole, null=True),
        column("cells", sa.Text, server_default="{}"),
        column("created_at", Whole),
        column("updated_at", Whole),
    )
    known = sa.text("user_id IS NOT NULL")
    op.create_index(
        "records_by_user",
        "records",
        ["workspace_id", "user_id"],
        unique=True,
        sqlite_where=known,
        postgresql_where=known,
    )
    merged = sa.text("merged_into IS NOT NULL")
    op.create_index(
        "records_by_survivor",
        "records",
        ["merged_into"],
        sqlite_where=merged,
        postgresql_where=merged,
    )


def identities() -> None:
    op.create_table(
        "sessions",
        column("workspace_id", Whole, primary_key=True),
        column("channel", sa.Text, primary_key=True),
        column("session_id", sa.Text, primary_key=True),
        column("record_id", Whole),
        column("mapped_at", Whole),
        sqlite_with_rowid=False,
    )
    op.create_index("sessions_by_record", "sessions", ["record_id"])
    op.create_table(
        "merges",
        column("id", Whole, primary_key=True),
        column("workspace_id", Whole),
        column("survivor_id", Whole),
        column("merged_id", Whole),
        column("at", Whole),
        column("merged_at", Whole),
        column("source", sa.Text),
        column("ref", sa.Text),
        column("reason", sa.Text),
        column("took", sa.Text, server_default="{}"),
        column("undone_at", Whole, null=True),
        column("undone_by", sa.Text, null=True),
    )
    op.create_index("merges_by_survivor", "merges", ["survivor_id"])
    op.create_index("merges_by_merged", "merges", ["merged_id"])


def history() -> None:
    op.create_table(
        "log",
        column("first", Whole, primary_key=True),
        column("last", Whole),
        column("workspace_id", Whole),
        column("body", sa.LargeBinary),
    )
    op.create_table(
        "event_ids",
        column("digest", sa.Text, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "definitions",
        column("workspace_id", Whole, primary_key=True),
        column("name", sa.Text, primary_key=True),
        column("description", sa.Text, server_default=""),
        column("active", sa.Boolean, server_default=sa.true()),
        column("first_seen", Whole, null=True),
        column("last_seen", Whole, null=True),
        column("volume", Whole, server_default="0"),
        column("properties", sa.Text, server_default="{}"),
    )
    op.create_table(
        "rejections",
        column("workspace_id", Whole, primary_key=True),
        column("source", sa.Text, primary_key=True),
        column("name", sa.Text, primary_key=True),
        column("code", sa.Text, primary_key=True),
        column("path", sa.Text, primary_key=True),
        column("message", sa.Text),
        column("count", Whole),
        column("first_at", Whole),
        column("last_at", Whole),
    )


def groups() -> None:
    op.create_table(
        "segments",
        column("id", Whole, primary_key=True),
        column("workspace_id", Whole),
        column("name", sa.Text),
        column("description", sa.Text, server_default=""),
        column("kind", sa.Text),
        column("condition", sa.Text, null=True),
        column("created_at", Whole),
        column("updated_at", Whole),
        column("used_at", Whole),
        column("archived_at", Whole, null=True),
        column("deleted_at", Whole, null=True),
    )
    living = sa.text("deleted_at IS NULL")
    op.create_index(
        "segments_by_name",
        "segments",
        ["workspace_id", "name"],
        unique=True,
        sqlite_where=living,
        postgresql_where=living,
    )
    op.create_table(
        "segment_members",
        column("segment_id", Whole, primary_key=True),
        column("record_id", Whole, primary_key=True),
        column("since", Whole),
        sqlite_with_rowid=False,
    )
    op.create_index("segment_members_by_record", "segment_members", ["record_id"])
    op.create_table(
        "jobs",
        column("id", sa.Text, primary_key=True),
        column("workspace_id", Whole),
        column("kind", sa.Text),
        column("created_at", Whole),
        column("result", sa.Text),
    )
