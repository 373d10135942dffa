"""The channels' SQL: their settings, secrets and states."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from user360.conversations.desk import Channel
from user360.storage.ledger import Connection, text


class Kept(NamedTuple):
    """A channel as it is kept: its secrets are sealed, its state is for itself alone."""

    secrets: str
    state: dict[str, Any]


def kept(connection: Connection, workspace: int, name: str) -> Kept:
    """The secrets and the state of a channel; both empty when nothing was set."""
    query = "SELECT secrets, state FROM channels WHERE workspace_id = :workspace AND name = :name"
    row = connection.execute(text(query), {"workspace": workspace, "name": name}).one_or_none()
    return Kept("", {}) if row is None else Kept(row[0].decode(), msgspec.json.decode(row[1]))


def save(connection: Connection, workspace: int, channel: Channel, secrets: str, now: int) -> None:
    """Insert or replace a channel; its state stays."""
    query = (
        "INSERT INTO channels (workspace_id, name, active, bot, settings, secrets, state,"
        " updated_at) VALUES (:workspace, :name, :active, :bot, :settings, :secrets, '{}', :now)"
        " ON CONFLICT (workspace_id, name) DO UPDATE SET active = excluded.active,"
        " bot = excluded.bot, settings = excluded.settings, secrets = excluded.secrets,"
        " updated_at = excluded.updated_at"
    )
    given = {
        "workspace": workspace,
        "name": channel.name,
        "active": channel.active,
        "bot": channel.bot,
        "settings": msgspec.json.encode(channel.settings).decode(),
        "secrets": secrets.encode(),
        "now": now,
    }
    connection.execute(text(query), given)


def save_state(connection: Connection, workspace: int, name: str, state: dict[str, Any]) -> None:
    """Keep a channel's state."""
    query = "UPDATE channels SET state = :state WHERE workspace_id = :workspace AND name = :name"
    given = {
        "state": msgspec.json.encode(state).decode(),
        "workspace": workspace,
        "name": name,
    }
    connection.execute(text(query), given)


def of_others(connection: Connection, workspace: int, name: str) -> list[dict[str, Any]]:
    """How the channel of this name is set in all other workspaces."""
    query = "SELECT settings FROM channels WHERE name = :name AND workspace_id <> :workspace"
    found = connection.execute(text(query), {"name": name, "workspace": workspace})
    return [msgspec.json.decode(row[0]) for row in found]
