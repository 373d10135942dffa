"""Editing with care: who would enter a segment and who would leave it under another condition."""

from __future__ import annotations

import msgspec

from user360.access.workspaces import Workspace
from user360.errors import InvalidCondition
from user360.segments import conditions, stored
from user360.segments.compiler import questions
from user360.segments.language import nodes
from user360.segments.language.nodes import Node
from user360.segments.store import Segment
from user360.storage.warehouse import Warehouse

SAMPLE = 10


class Moves(msgspec.Struct, frozen=True):
    """How many would enter and leave, and the newest few of each; how many would be in it then."""

    count: int
    enter: int
    leave: int
    entering: list[int]
    leaving: list[int]


def moves(
    warehouse: Warehouse, workspace: Workspace, segment: Segment, after: Node, now: int
) -> Moves:
    """What the condition `after` would do to a dynamic segment, as of now (microseconds).

    It is compared with the present condition, or where that cannot be evaluated with the stored
    members.
    """
    count = questions.count(warehouse, workspace, after, now)
    try:
        before = conditions.node_of(segment, workspace)
        enter = questions.preview(
            warehouse, workspace, nodes.All((after, nodes.Not(before))), now, SAMPLE
        )
        leave = questions.preview(
            warehouse, workspace, nodes.All((before, nodes.Not(after))), now, SAMPLE
        )
    except InvalidCondition:
        held = f"SELECT id FROM ({stored.select(warehouse, workspace, [segment.id])}) AS held"
        then = questions.selected(warehouse, workspace, after, now)
        enter, leave = _but(warehouse, then, held), _but(warehouse, held, then)
    return Moves(count, enter[0], leave[0], enter[1], leave[1])


def _but(warehouse: Warehouse, these: str, those: str) -> tuple[int, list[int]]:
    """How many the first SQL selects but not the second, and the newest few of them."""
    rows = warehouse.query(
        f"SELECT count(*), max(id, {SAMPLE}) FROM ({these}) AS found WHERE id NOT IN ({those})"
    ).rows
    return int(rows[0][0]), list(rows[0][1] or ())
