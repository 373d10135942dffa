"""Conversations: what was said, who answers, what has to be brought where, flows, channels."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

Whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def column(name: str, kind: Any, *, null: bool = False, **how: Any) -> sa.Column[Any]:
    """A column that must have a value unless said otherwise."""
    return sa.Column(name, kind, nullable=null, **how)


def upgrade() -> None:
    op.add_column("workspaces", column("next_conversation", Whole, server_default="1"))
    op.add_column("workspaces", column("next_message", Whole, server_default="1"))
    conversations()
    messages()
    desk()
    around()
    deliveries()


def conversations() -> None:
    op.create_table(
        "conversations",
        column("id", Whole, primary_key=True),  # workspace << 40 | n, as records are numbered
        column("workspace_id", Whole),
        column("record_id", Whole),
        column("channel", sa.Text),
        column("session_id", sa.Text),
        column("kind", sa.Text),
        column("state", sa.Text),
        column("subject", sa.Text),
        column("priority", sa.Text),
        column("group_id", Whole, null=True),
        column("skills", sa.Text),  # a JSON list
        column("assignee", Whole, null=True),
        column("tags", sa.Text),  # a JSON list
        column("reason", sa.Text),
        column("created_at", Whole),
        column("updated_at", Whole),
        column("waiting_since", Whole, null=True),
        column("queued_at", Whole, null=True),
        column("assigned_at", Whole, null=True),
        column("first_reply_at", Whole, null=True),
        column("ended_at", Whole, null=True),
        column("messages", Whole),
        column("last_message", Whole),
        column("last_from", sa.Text),
        column("last_text", sa.Text),
        column("flow", sa.Text),
    )
    op.create_index(
        "conversations_by_session", "conversations", ["workspace_id", "channel", "session_id", "id"]
    )
    op.create_index("conversations_by_record", "conversations", ["record_id", "updated_at"])
    op.create_index(
        "conversations_by_state", "conversations", ["workspace_id", "state", "updated_at"]
    )
    op.create_index(
        "conversations_by_assignee",
        "conversations",
        ["workspace_id", "assignee", "state", "updated_at"],
    )
    grouped = sa.text("group_id IS NOT NULL")
    op.create_index(
        "conversations_by_group",
        "conversations",
        ["workspace_id", "group_id", "state", "updated_at"],
        sqlite_where=grouped,
        postgresql_where=grouped,
    )
    op.create_index("conversations_by_time", "conversations", ["workspace_id", "created_at"])


def messages() -> None:
    op.create_table(
        "messages",
        column("id", Whole, primary_key=True),
        column("workspace_id", Whole),
        column("conversation_id", Whole),
        column("sender", sa.Text),
        column("author", sa.Text),
        column("text", sa.Text),
        column("attachments", sa.Text),  # a JSON list
        column("at", Whole),
        column("received_at", Whole),
        column("digest", sa.Text, null=True),  # of the session and the id that was given
        column("delivery", sa.Text),
        column("error", sa.Text),
        column("external", sa.Text, null=True),  # what the channel calls it
        column("detail", sa.Text),  # a JSON object
    )
    op.create_index("messages_by_conversation", "messages", ["conversation_id", "id"])
    given, named = sa.text("digest IS NOT NULL"), sa.text("external IS NOT NULL")
    op.create_index(
        "messages_by_digest",
        "messages",
        ["digest"],
        unique=True,
        sqlite_where=given,
        postgresql_where=given,
    )
    op.create_index(
        "messages_by_external",
        "messages",
        ["workspace_id", "external"],
        sqlite_where=named,
        postgresql_where=named,
    )
    # The words of messages alone: their texts stand above, and are not kept twice.
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE words USING fts5 (text, content='',"
            " tokenize='unicode61 remove_diacritics 2')"
        )
        subjects()
    op.create_table(
        "attachments",
        column("id", sa.Text, primary_key=True),
        column("workspace_id", Whole),
        column("message_id", Whole, null=True),  # null until it is said
        column("name", sa.Text),
        column("type", sa.Text),
        column("size", Whole),
        column("created_at", Whole),
    )
    op.create_index("attachments_by_message", "attachments", ["message_id"])


def subjects() -> None:
    """The words of conversations' subjects, kept in step by the engine itself."""
    op.execute(
        "CREATE VIRTUAL TABLE subjects USING fts5 (text, content='',"
        " tokenize='unicode61 remove_diacritics 2')"
    )
    add = "INSERT INTO subjects (rowid, text) SELECT new.id, new.subject WHERE new.subject <> ''"
    drop = (
        "INSERT INTO subjects (subjects, rowid, text)"
        " SELECT 'delete', old.id, old.subject WHERE old.subject <> ''"
    )
    for name, when, steps in (
        ("added", "INSERT ON conversations WHEN new.subject <> ''", (add,)),
        (
            "changed",
            "UPDATE OF subject ON conversations WHEN new.subject <> old.subject",
            (drop, add),
        ),
        ("dropped", "DELETE ON conversations WHEN old.subject <> ''", (drop,)),
    ):
        op.execute(f"CREATE TRIGGER subjects_{name} AFTER {when} BEGIN {'; '.join(steps)}; END")


def desk() -> None:
    op.create_table(
        "inbox_settings",
        column("workspace_id", Whole, primary_key=True),
        column("settings", sa.Text),
    )
    op.create_table(
        "agents",
        column("workspace_id", Whole, primary_key=True),
        column("member_id", Whole, primary_key=True),
        column("availability", sa.Text),
        column("capacity", Whole),
        column("skills", sa.Text),  # a JSON list
        column("last_given", Whole),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "agent_groups",
        column("id", Whole, primary_key=True),
        column("workspace_id", Whole),
        column("name", sa.Text),
    )
    op.create_index("agent_groups_by_name", "agent_groups", ["workspace_id", "name"], unique=True)
    op.create_table(
        "group_members",
        column("group_id", Whole, primary_key=True),
        column("member_id", Whole, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "canned_answers",
        column("id", Whole, primary_key=True),
        column("workspace_id", Whole),
        column("name", sa.Text),
        column("text", sa.Text),
        column("updated_at", Whole),
    )
    op.create_index("canned_by_name", "canned_answers", ["workspace_id", "name"], unique=True)


def around() -> None:
    op.create_table(
        "channels",
        column("workspace_id", Whole, primary_key=True),
        column("name", sa.Text, primary_key=True),
        column("active", sa.Boolean),
        column("bot", sa.Text),
        column("settings", sa.Text),
        column("secrets", sa.LargeBinary),  # encrypted; a JSON object
        column("state", sa.Text),  # how far it has read, say
        column("updated_at", Whole),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "flows",
        column("workspace_id", Whole, primary_key=True),
        column("name", sa.Text, primary_key=True),
        column("text", sa.Text),  # the YAML, as it was written
        column("updated_at", Whole),
        column("updated_by", sa.Text),
        column("secrets", sa.Text, null=True),  # encrypted; a JSON object
        sqlite_with_rowid=False,
    )
    op.create_table(
        "hooks",
        column("id", Whole, primary_key=True),
        column("workspace_id", Whole),
        column("url", sa.Text),
        column("secret", sa.LargeBinary),  # encrypted; signs what is sent
        column("format", sa.Text),
        column("channels", sa.Text),  # a JSON list; empty for all
        column("active", sa.Boolean),
        column("created_at", Whole),
    )
    # One-time codes that prove an address; only their hashes.
    op.create_table(
        "proofs",
        column("conversation_id", Whole, primary_key=True),
        column("hash", sa.Text),
        column("claim", sa.Text),
        column("until", Whole),
        column("attempts", Whole, server_default="0"),
    )


def deliveries() -> None:
    """What has still to be brought somewhere; done ones are removed."""
    op.create_table(
        "deliveries",
        column("id", Whole, primary_key=True),
        column("workspace_id", Whole),
        column("conversation_id", Whole),
        column("message_id", Whole),
        column("way", sa.Text),
        column("attempts", Whole, server_default="0"),
        column("due_at", Whole),
        column("error", sa.Text, server_default=""),
        column("failed_at", Whole, null=True),  # when it was given up
    )
    waiting = sa.text("failed_at IS NULL")
    op.create_index(
        "deliveries_by_way",
        "deliveries",
        ["workspace_id", "way", "due_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index(
        "deliveries_due",
        "deliveries",
        ["due_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index("deliveries_by_conversation", "deliveries", ["conversation_id", "id"])
