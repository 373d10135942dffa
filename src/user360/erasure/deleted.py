"""People who were deleted, not erased: the log still tells of that, with the state they had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from user360 import ids
from user360.access.workspaces import Workspace
from user360.erasure.names import NAMING, Names
from user360.storage.ledger import array
from user360.storage.warehouse import Warehouse, schema_of


def states(warehouse: Warehouse, workspace: Workspace, user_ids: Sequence[str]) -> list[Any]:
    """What the log tells of those of these userIds who were deleted."""
    if not user_ids:
        return []
    rows = warehouse.query(
        f"SELECT properties FROM {schema_of(workspace.id)}.events WHERE name = 'USER_DELETE'"
        " AND json_extract(properties, '$.mergeId') IS NULL"
        " AND list_contains(json_transform(?, '[\"VARCHAR\"]'),"
        " json_extract_string(properties, '$.userId'))",
        [array(list(user_ids))],
    ).rows
    return [msgspec.json.decode(row[0]) for row in rows]


def user_ids(warehouse: Warehouse, workspace: Workspace) -> list[str]:
    """The userIds of everybody whom the log tells to have been deleted."""
    rows = warehouse.query(
        "SELECT DISTINCT json_extract_string(properties, '$.userId') AS user_id"
        f" FROM {schema_of(workspace.id)}.events WHERE name = 'USER_DELETE'"
        " AND json_extract(properties, '$.mergeId') IS NULL AND user_id IS NOT NULL"
    ).rows
    return [row[0] for row in rows]


def records(workspace: Workspace, told: Sequence[Any]) -> list[int]:
    """The records that these deletions took."""
    numbers = (
        ids.parse_record_id(workspace.id, text) for each in told for text in each["recordIds"]
    )
    return [number for number in numbers if number is not None]


def names(workspace: Workspace, user_ids: Sequence[str], told: Sequence[Any]) -> Names:
    """Whom these deletions were about."""
    declared = [p.name for p in workspace.catalogue if p.type in NAMING]
    values = {str(each[name]) for each in told for name in declared if each.get(name) is not None}
    gone = records(workspace, told)
    return Names(gone, list(user_ids), [], [], sorted(values), [], [], gone)
