"""Stored members: who is in a segment since when, without asking its condition.

Whoever was merged away is a member as the survivor, since the first of them entered.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from user360.access.workspaces import Workspace
from user360.events import timeline
from user360.storage.warehouse import Warehouse, schema_of


def select(warehouse: Warehouse, workspace: Workspace, segments: Collection[int]) -> str:
    """SQL that selects `segment_id`, `id` and `since` of every member of these segments."""
    return selected(schema_of(workspace.id), segments, warehouse.mapped(workspace.id))


def selected(schema: str, segments: Collection[int], mapped: bool) -> str:
    """The same in the relations of a schema; `mapped` says that some record was merged away."""
    among = f"segment_id IN ({', '.join(str(n) for n in segments) or 'NULL'})"
    if not mapped:
        return f"SELECT segment_id, record_id AS id, since FROM {schema}.members WHERE {among}"
    return (
        "SELECT segment_id, coalesce(g.survivor_id, m.record_id) AS id, min(since) AS since"
        f" FROM {schema}.members m LEFT JOIN {schema}.merged g ON g.record_id = m.record_id"
        f" WHERE {among} GROUP BY ALL"
    )


def counts(
    warehouse: Warehouse, workspace: Workspace, segments: Collection[int]
) -> Mapping[int, int]:
    """How many members each of these segments has; those without any are left out."""
    if not segments:
        return {}
    held = select(warehouse, workspace, segments)
    rows = warehouse.query(f"SELECT segment_id, count(*) FROM ({held}) AS held GROUP BY ALL").rows
    return {segment: int(count) for segment, count in rows}


def count(warehouse: Warehouse, workspace: Workspace, segment: int) -> int:
    """How many members a segment has."""
    return counts(warehouse, workspace, [segment]).get(segment, 0)


def numbers(warehouse: Warehouse, workspace: Workspace, segment: int) -> list[int]:
    """Every member of a segment."""
    return [row[1] for row in warehouse.query(select(warehouse, workspace, [segment])).rows]


def since(
    warehouse: Warehouse, workspace: Workspace, segment: int, numbers: Collection[int]
) -> Mapping[int, int]:
    """When those of these living records that are members entered, in microseconds."""
    if not numbers:
        return {}
    among = ", ".join(str(n) for n in numbers)
    held = select(warehouse, workspace, [segment])
    rows = warehouse.query(
        f"SELECT id, epoch_us(since) FROM ({held}) AS held WHERE id IN ({among})"
    ).rows
    return dict(rows)


def of_record(warehouse: Warehouse, workspace: Workspace, number: int) -> Mapping[int, int]:
    """The segments that a living record is stored in, and since when."""
    among = ", ".join(str(n) for n in timeline.members(warehouse, workspace.id, number))
    rows = warehouse.query(
        f"SELECT segment_id, epoch_us(min(since)) FROM {schema_of(workspace.id)}.members"
        f" WHERE record_id IN ({among}) GROUP BY segment_id"
    ).rows
    return dict(rows)
