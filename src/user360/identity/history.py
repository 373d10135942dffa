"""How a person came to be as it is: what was changed when, and where each value came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from user360 import clock, ids
from user360.access.workspaces import Workspace
from user360.errors import Problem
from user360.events import event, timeline
from user360.identity import people
from user360.records import settle, shape
from user360.storage.ledger import Connection, Dialect
from user360.storage.warehouse import Warehouse, schema_of

TOLD = (event.USER_CREATE, event.USER_UPDATE, event.USER_MERGE, event.USER_UNMERGE)
BESIDE = ("id", "mergeId", "recordId", "recordIds")
# A creation tells its properties side by side, an update under `newPayload`; what a merge or its
# undoing changed is told by an update beside it.
TOUCHED = (
    "(name = 'USER_CREATE' AND list_contains(json_keys(properties), ?)"
    " OR name = 'USER_UPDATE' AND list_contains(json_keys(properties, '$.newPayload'), ?))"
)


def changes(
    warehouse: Warehouse,
    workspace: int,
    record: int,
    limit: int,
    cursor: str | None,
    about: str | None = None,
) -> tuple[list[dict[str, Any]], str | None]:
    """What was changed of a living record and of those merged into it, the newest writes first.

    With `about` only writes that changed this property, each once. A change names the record it
    was made to. Raises `Problem` for a cursor that is not ours.
    """
    members = timeline.members(warehouse, workspace, record)
    named = ", ".join(f"'{name}'" for name in TOLD)
    only, asked = ("", []) if about is None else (f" AND {TOUCHED}", [about, about])
    rows = warehouse.query(
        'SELECT seq, record_id, name, epoch_us("at"), epoch_us(received_at), source, channel,'
        f" properties FROM {schema_of(workspace)}.events"
        f" WHERE record_id IN ({', '.join(str(n) for n in members)}) AND name IN ({named})"
        f" AND seq < ?{only} ORDER BY seq DESC LIMIT ?",
        [_before(cursor), *asked, limit + 1],
    ).rows
    following = str(rows[limit - 1][0]) if len(rows) > limit else None
    return [_change(*row) for row in rows[:limit]], following


def _before(cursor: str | None) -> int:
    if cursor is None:
        return 1 << 62
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 19:
        return int(cursor)
    raise Problem.at("cursor", "cursor must be one that an earlier page answered")


def _change(
    _seq: int,
    record: int,
    name: str,
    at: int,
    received: int,
    source: str,
    channel: str,
    properties: str,
) -> dict[str, Any]:
    told = msgspec.json.decode(properties)
    return {
        "event": name,
        "recordId": ids.public_record_id(record),
        "at": clock.to_iso(at),
        "receivedAt": clock.to_iso(received),
        "source": source,
        "channel": channel,
        "mergeId": told.get("mergeId"),
        "changes": pairs(name, told),
    }


def pairs(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """Old and new value of each property in a system event; a creation had none before."""
    if name == event.USER_CREATE:
        new = {key: value for key, value in told.items() if key not in BESIDE and value is not None}
        return {key: {"old": None, "new": value} for key, value in new.items()}
    if "newPayload" not in told:
        return {}
    old = told["oldPayload"]
    return {key: {"old": old.get(key), "new": value} for key, value in told["newPayload"].items()}


def provenance(
    connection: Connection, dialect: Dialect, workspace: Workspace, number: int
) -> dict[str, Any]:
    """Where each value that is shown of a living record came from, by property."""
    forest = people.grove(connection, dialect, [number])
    root = people.root_of(forest, number)
    if root is None:
        return {}
    cells = settle.view(forest, root)
    shown = shape.properties(cells, workspace.catalogue)
    return {name: shape.provenance(cells[name]) for name in shown}
