"""Who is in a segment, asked of one record: the same compiled condition, for that record only."""

from __future__ import annotations

from typing import Any

import msgspec

from user360 import clock
from user360.access.workspaces import Workspace
from user360.errors import InvalidCondition
from user360.identity import people
from user360.records import settle
from user360.segments import conditions, nodes, questions, store
from user360.segments.store import STATIC, Segment
from user360.storage.ledger import Connection, Dialect
from user360.storage.warehouse import Warehouse


class Known(msgspec.Struct, frozen=True):
    """The living segments of a workspace, and since when somebody is in the static ones."""

    segments: list[Segment]
    since: dict[int, int]


def known(connection: Connection, dialect: Dialect, workspace: Workspace, number: int) -> Known:
    """What the ledger knows of a living record's memberships."""
    forest = people.grove(connection, dialect, [number])
    members = settle.members(forest, number) if number in forest else []
    segments = list(workspace.segments.values())
    return Known(segments, store.since(connection, dialect, members))


def of_record(
    warehouse: Warehouse, workspace: Workspace, known: Known, number: int, now: int
) -> list[dict[str, Any]]:
    """The segments that are not archived and that a record is in, as the API answers them."""
    return [
        {
            "id": segment.id,
            "name": segment.name,
            "kind": segment.kind,
            "since": since(segment, known),
        }
        for segment in known.segments
        if segment.archived_at is None and _is_in(warehouse, workspace, segment, known, number, now)
    ]


def since(segment: Segment, known: Known) -> str | None:
    """When the record entered, in ISO 8601; known of static segments."""
    at = known.since.get(segment.id)
    return None if at is None else clock.to_iso(at)


def _is_in(
    warehouse: Warehouse,
    workspace: Workspace,
    segment: Segment,
    known: Known,
    number: int,
    now: int,
) -> bool:
    if segment.kind == STATIC:
        return segment.id in known.since
    try:
        node = conditions.node_of(segment, workspace)
    except InvalidCondition:
        return False
    return holds(warehouse, workspace, node, number, now)


def holds(
    warehouse: Warehouse, workspace: Workspace, node: nodes.Node, number: int, now: int
) -> bool:
    """Whether a condition is true of a living record."""
    selected = questions.selected(warehouse, workspace, node, now)
    return bool(warehouse.query(f"SELECT 1 FROM ({selected}) AS found WHERE id = ?", [number]).rows)
