"""What a member prefers to see in a workspace, by name: `users.columns`, and the like."""

from __future__ import annotations

from user360.storage.ledger import Connection, text


def get(connection: Connection, member: int, workspace: int, name: str) -> str | None:
    """What was put under a name; None when nothing was."""
    query = text(
        "SELECT value FROM preferences"
        " WHERE member_id = :member AND workspace_id = :workspace AND name = :name"
    )
    given = {"member": member, "workspace": workspace, "name": name}
    found: str | None = connection.execute(query, given).scalar_one_or_none()
    return found


def put(connection: Connection, member: int, workspace: int, name: str, value: str | None) -> None:
    """Keep a text under a name in place of what was there; None forgets it."""
    given = {"member": member, "workspace": workspace, "name": name}
    if value is None:
        query = "DELETE FROM preferences WHERE member_id = :member AND workspace_id = :workspace"
        connection.execute(text(f"{query} AND name = :name"), given)
        return
    connection.execute(
        text(
            "INSERT INTO preferences (member_id, workspace_id, name, value)"
            " VALUES (:member, :workspace, :name, :value)"
            " ON CONFLICT (member_id, workspace_id, name) DO UPDATE SET value = excluded.value"
        ),
        given | {"value": value},
    )
