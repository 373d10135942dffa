"""What an erasure removed from where: kept beside its job, and what it looks for meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from user360.access.vault import Vault
from user360.erasure import store
from user360.erasure.names import Names
from user360.storage.ledger import Connection

RECEIPT, SEALED = "receipt", "sealed"
Receipt = dict[str, Any]


class Person(msgspec.Struct, frozen=True):
    """An erasure whose traces may still be found; `at` is when it was asked for."""

    job: str
    workspace: int
    at: int
    names: Names


def begin(connection: Connection, vault: Vault, job: str, told: Receipt, names: Names) -> None:
    """Keep a fresh receipt, and sealed whom to look for until nothing can be found."""
    save(connection, job, told)
    sealed = vault.seal(msgspec.json.encode(names).decode())
    store.keep_part(connection, job, SEALED, 0, sealed.encode())


def people(connection: Connection, vault: Vault) -> list[Person]:
    """All whose traces may still be found."""
    return [
        Person(
            row.id,
            row.workspace_id,
            row.created_at,
            msgspec.json.decode(vault.unseal(row.body.decode()), type=Names),
        )
        for row in store.waiting(connection, SEALED)
    ]


def oldest(connection: Connection) -> int | None:
    """When the first of those was asked for whose traces may still be found."""
    return min((row.created_at for row in store.waiting(connection, SEALED)), default=None)


def load(connection: Connection, job: str) -> Receipt:
    """A receipt as it is by now."""
    body = store.part(connection, job, RECEIPT, 0)
    found: Receipt = {} if body is None else msgspec.json.decode(body)
    return found


def save(connection: Connection, job: str, told: Receipt) -> None:
    """Keep a receipt in the place of what it was before."""
    store.keep_part(connection, job, RECEIPT, 0, msgspec.json.encode(told))


def removed(connection: Connection, job: str, counts: Mapping[str, int]) -> None:
    """Add to what was removed from where, in the transaction that removes it."""
    if not any(counts.values()):
        return
    told = load(connection, job)
    before: dict[str, int] = told["removed"]
    for where, count in counts.items():
        before[where] = before.get(where, 0) + count
    save(connection, job, told)


def whole(connection: Connection, job: str, at: str, backups: list[str]) -> None:
    """Say that nothing can be found any more, but in backups made at these times."""
    told = load(connection, job)
    save(connection, job, {**told, "purged": True, "purgedAt": at, "backups": backups})
    store.remove_part(connection, job, SEALED)
