"""Editing with care: who would enter a segment and who would leave it under another condition."""

from __future__ import annotations

import msgspec

from user360.access.workspaces import Workspace
from user360.segments import nodes, questions
from user360.segments.nodes import Node
from user360.storage.warehouse import Warehouse


class Moves(msgspec.Struct, frozen=True):
    """How many would enter and leave, and the newest few of each; how many would be in it then."""

    count: int
    enter: int
    leave: int
    entering: list[int]
    leaving: list[int]


def moves(warehouse: Warehouse, workspace: Workspace, before: Node, after: Node, now: int) -> Moves:
    """What changing the condition from `before` to `after` would do, as of now (microseconds)."""
    where = (warehouse, workspace)
    enter, entering = questions.preview(*where, nodes.All((after, nodes.Not(before))), now)
    leave, leaving = questions.preview(*where, nodes.All((before, nodes.Not(after))), now)
    count = questions.count(*where, after, now)
    return Moves(count, enter, leave, entering, leaving)
