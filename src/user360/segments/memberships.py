"""Which segments one record is in, and whether a condition is true of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from user360 import clock
from user360.access.workspaces import Workspace
from user360.errors import InvalidCondition
from user360.segments import conditions, stored
from user360.segments.compiler import questions
from user360.segments.language import nodes
from user360.segments.store import Segment
from user360.storage.warehouse import Warehouse


class Membership(msgspec.Struct, frozen=True):
    """A segment that a record is in; `since` is None where only the condition says so."""

    segment: Segment
    since: int | None


def of_record(
    warehouse: Warehouse,
    workspace: Workspace,
    filling: Collection[int],
    number: int,
    now: int,
) -> list[Membership]:
    """The segments that are not archived and that a living record is in, by name.

    Of those that are `filling`, under a definition whose members are not stored yet, the condition
    is asked.
    """
    held = stored.of_record(warehouse, workspace, number)
    found = []
    for segment in workspace.segments.values():
        if segment.archived_at is not None:
            continue
        if segment.id in filling:
            if _is_in(warehouse, workspace, segment, number, now):
                found.append(Membership(segment, None))
        elif segment.id in held:
            found.append(Membership(segment, held[segment.id]))
    return found


def shown(membership: Membership) -> dict[str, Any]:
    """A membership as the API answers it."""
    segment, since = membership.segment, membership.since
    return {
        "id": segment.id,
        "name": segment.name,
        "kind": segment.kind,
        "since": None if since is None else clock.to_iso(since),
    }


def _is_in(
    warehouse: Warehouse, workspace: Workspace, segment: Segment, number: int, now: int
) -> bool:
    try:
        return holds(warehouse, workspace, conditions.node_of(segment, workspace), number, now)
    except InvalidCondition:
        return False


def holds(
    warehouse: Warehouse, workspace: Workspace, node: nodes.Node, number: int, now: int
) -> bool:
    """Whether a condition is true of a living record."""
    selected = questions.selected(warehouse, workspace, node, now)
    return bool(warehouse.query(f"SELECT 1 FROM ({selected}) AS found WHERE id = ?", [number]).rows)
