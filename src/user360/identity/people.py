"""Reading people from the ledger: always what was last committed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from user360 import clock, ids
from user360.access.workspaces import Workspace
from user360.identity import store as identity_store
from user360.records import settle, shape, store
from user360.storage.ledger import Connection, Dialect


def one(
    connection: Connection, dialect: Dialect, workspace: Workspace, number: int | None
) -> dict[str, Any] | None:
    """The living record behind a number (a merged record answers with its survivor), or None."""
    if number is None:
        return None
    if (own := store.plain(connection, number)) is not None:
        return shape.record(own, settle.view({number: own}, number), workspace.catalogue)
    found = many(connection, dialect, workspace, [number])
    return found[0] if found else None


def many(
    connection: Connection, dialect: Dialect, workspace: Workspace, numbers: Sequence[int]
) -> list[dict[str, Any]]:
    """The living records behind these numbers, in their order; deleted ones are left out."""
    forest = grove(connection, dialect, numbers)
    shown: list[dict[str, Any]] = []
    for number in numbers:
        root = root_of(forest, number)
        if root is not None:
            cells = settle.view(forest, root)
            shown.append(shape.record(forest[root], cells, workspace.catalogue))
    return shown


def sessions(connection: Connection, dialect: Dialect, number: int) -> list[dict[str, Any]]:
    """The sessions of the person behind a number, the newest first: with the record of each."""
    forest = grove(connection, dialect, [number])
    root = root_of(forest, number)
    if root is None:
        return []
    rows = identity_store.sessions_of(connection, dialect, settle.members(forest, root))
    return [session(row) for row in reversed(rows)]


def session(row: Any) -> dict[str, Any]:
    """A session as it is shown, made of a row of `store.sessions_of`."""
    return {
        "channel": row.channel,
        "id": row.session_id,
        "record": ids.public_record_id(row.record_id),
        "since": clock.to_iso(row.mapped_at),
    }


def grove(
    connection: Connection, dialect: Dialect, numbers: Sequence[int]
) -> dict[int, settle.Own]:
    """These records, the living ones behind them, and all that was merged into those."""
    roots = identity_store.roots_of(connection, dialect, numbers)
    wanted = set(numbers) | roots
    return identity_store.load_forest(connection, dialect, wanted, roots)


def root_of(forest: dict[int, settle.Own], number: int) -> int | None:
    """The living record behind a number in a loaded grove; None when it was deleted."""
    own = forest.get(number)
    while own is not None and own.merged_into is not None:
        own = forest.get(own.merged_into)
    return None if own is None else own.id
