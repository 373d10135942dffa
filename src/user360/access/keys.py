"""API keys: who calls, for which workspace, in which role. Only a hash of a key is kept."""

from __future__ import annotations

import secrets
from hashlib import sha256

import msgspec
import sqlalchemy as sa

from user360.storage.ledger import Connection


class Key(msgspec.Struct, frozen=True):
    """A key as it is known after the moment of its making: `hint` is its first characters."""

    id: int
    workspace: int
    name: str
    role: str
    hint: str
    created_at: int
    last_used_at: int | None = None


COLUMNS = "id, workspace_id, name, role, hint, created_at, last_used_at"


def fingerprint(key: str) -> str:
    """What is kept of a key. Keys hold 192 random bits, so a plain fast hash is enough."""
    return sha256(key.encode()).hexdigest()


def new_key() -> str:
    """A fresh key of 192 random bits."""
    return "u3_" + secrets.token_urlsafe(24)


def create(connection: Connection, workspace: int, name: str, role: str, key: str, now: int) -> Key:
    """Keep a key's hash. The key itself is shown once, by the caller, and never again."""
    hint = key[:6]
    number = connection.execute(
        sa.text(
            "INSERT INTO keys (workspace_id, name, role, hash, hint, created_at)"
            " VALUES (:workspace, :name, :role, :hash, :hint, :now)"
            " ON CONFLICT (hash) DO UPDATE SET name = excluded.name RETURNING id"
        ),
        {
            "workspace": workspace,
            "name": name,
            "role": role,
            "hash": fingerprint(key),
            "hint": hint,
            "now": now,
        },
    ).scalar_one()
    return Key(number, workspace, name, role, hint, now)


def all_keys(connection: Connection) -> dict[str, Key]:
    """Every key of every workspace, by its hash."""
    rows = connection.execute(sa.text(f"SELECT hash, {COLUMNS} FROM keys ORDER BY id"))
    return {row[0]: Key(*row[1:]) for row in rows}


def delete(connection: Connection, workspace: int, number: int) -> bool:
    """Revoke a key; False when the workspace has none of this number."""
    query = sa.text("DELETE FROM keys WHERE workspace_id = :workspace AND id = :id")
    given = {"workspace": workspace, "id": number}
    return connection.execute(query, given).rowcount == 1


def used(connection: Connection, moments: dict[int, int]) -> None:
    """Keep when keys were last used."""
    if moments:
        connection.execute(
            sa.text("UPDATE keys SET last_used_at = :at WHERE id = :id"),
            [{"id": number, "at": at} for number, at in moments.items()],
        )
