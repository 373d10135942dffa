"""Jobs that run for long, what each wrote part by part, erased people, imports by the calendar."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

Whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def column(name: str, kind: Any, *, null: bool = False, **how: Any) -> sa.Column[Any]:
    """A column that must have a value unless said otherwise."""
    return sa.Column(name, kind, nullable=null, **how)


def upgrade() -> None:
    jobs()
    erased()
    schedules()


def jobs() -> None:
    for added in (
        # queued, running, completed, failed, cancelled, undone
        column("status", sa.Text, server_default="completed"),
        column("actor", sa.Text, server_default=""),
        column("params", sa.Text, server_default="{}"),
        column("progress", sa.Text, server_default="{}"),
        column("cancel", sa.Boolean, server_default=sa.false()),
        column("started_at", Whole, null=True),
        column("finished_at", Whole, null=True),
    ):
        op.add_column("jobs", added)
    op.create_index("jobs_by_workspace", "jobs", ["workspace_id", "kind", "created_at"])
    unfinished = sa.text("status IN ('queued', 'running')")
    op.create_index(
        "jobs_unfinished",
        "jobs",
        ["created_at"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    # What a job keeps of its rows: how to undo them, which failed and why.
    op.create_table(
        "job_parts",
        column("job_id", sa.Text, primary_key=True),
        column("name", sa.Text, primary_key=True),
        column("part", Whole, primary_key=True),
        column("body", sa.LargeBinary),
    )


def erased() -> None:
    op.create_table(
        "erased",
        column("workspace_id", Whole, primary_key=True),
        column("digest", sa.Text, primary_key=True),
        column("at", Whole),
        column("job_id", sa.Text),
        sqlite_with_rowid=False,
    )


def schedules() -> None:
    op.create_table(
        "schedules",
        column("id", Whole, primary_key=True),
        column("workspace_id", Whole),
        column("name", sa.Text),
        # Where the files are, with secrets sealed; when to look; how to import what is found.
        column("place", sa.Text),
        column("calendar", sa.Text),
        column("options", sa.Text),
        column("active", sa.Boolean, server_default=sa.true()),
        column("actor", sa.Text),
        column("created_at", Whole),
        column("next_at", Whole, null=True),
    )
    op.create_index("schedules_by_name", "schedules", ["workspace_id", "name"], unique=True)
    op.create_table(
        "schedule_entries",
        column("id", Whole, primary_key=True),
        column("schedule_id", Whole),
        column("at", Whole),
        # The file as the place names it and what tells one of its versions from another; null for
        # a look that found none or could not be made.
        column("file", sa.Text, null=True),
        column("version", sa.Text, null=True),
        column("job_id", sa.Text, null=True),
        column("status", sa.Text),
        column("reason", sa.Text, server_default=""),
    )
    op.create_index("schedule_entries_by_file", "schedule_entries", ["schedule_id", "file"])
