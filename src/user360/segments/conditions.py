"""Stored conditions as trees: what the segments of a workspace mean by the declarations in force.

A stored condition goes on asking about the segments it was made with, archived ones too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from user360.access.workspaces import Workspace
from user360.errors import InvalidCondition
from user360.segments.language import describe, nodes, tree
from user360.segments.language.dependencies import mentioned
from user360.segments.store import DYNAMIC, STATIC, Segment


def of(segment: Segment) -> Any:
    """The stored condition as JSON; None for a static segment."""
    return None if segment.condition is None else msgspec.json.decode(segment.condition)


def node_of(segment: Segment, workspace: Workspace) -> nodes.Node:
    """What a segment means. Raises `InvalidCondition` when something it names is gone."""
    if segment.kind == STATIC:
        return nodes.Membership(segment.id, True)
    given = of(segment)
    named = mentioned(given)
    gone = sorted(named - workspace.segments.keys())
    if gone:
        listed = ", ".join(map(str, gone))
        message = f"where asks about segment {listed}, which was deleted"
        raise InvalidCondition.at("where", message)
    return tree.parse(given, workspace.catalogue, "where", named)


def says(node: nodes.Node | None, workspace: Workspace) -> str:
    """A condition as one English sentence, other segments by their names."""
    names = {number: segment.name for number, segment in workspace.segments.items()}
    return describe.describe(node, workspace.catalogue, names)


class Conditions(Mapping[int, nodes.Node]):
    """The dynamic segments of a workspace by number, each read when it is first asked about.

    `segments` are those it is about where others may be in force by now.
    Taking one raises `InvalidCondition` that names the segment when it cannot be understood.
    """

    def __init__(self, workspace: Workspace, segments: Mapping[int, Segment] | None = None) -> None:
        given = workspace.segments if segments is None else segments
        self._workspace = workspace
        self._segments = {n: s for n, s in given.items() if s.kind == DYNAMIC}
        self._read: dict[int, nodes.Node] = {}

    def __getitem__(self, number: int) -> nodes.Node:
        if number not in self._read:
            self._read[number] = _named(self._segments[number], self._workspace)
        return self._read[number]

    def __iter__(self) -> Iterator[int]:
        return iter(self._segments)

    def __len__(self) -> int:
        return len(self._segments)

    def __contains__(self, number: object) -> bool:
        return number in self._segments


def _named(segment: Segment, workspace: Workspace) -> nodes.Node:
    try:
        return node_of(segment, workspace)
    except InvalidCondition as problem:
        raise InvalidCondition(
            f"The segment {segment.name} cannot be evaluated: {problem.detail}"
        ) from problem
