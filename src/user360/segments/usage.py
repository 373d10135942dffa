"""What uses what: segments within segments, properties within segments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from user360.access.workspaces import Workspace
from user360.segments import conditions
from user360.segments.language.dependencies import mentioned
from user360.segments.store import Segment


def usable(workspace: Workspace, kept: Collection[int] = ()) -> frozenset[int]:
    """The segments that may be named in a condition: all but archived ones that are not `kept`.

    `kept` are those that the condition named before it is edited.
    """
    return frozenset(n for n, s in workspace.segments.items() if s.archived_at is None or n in kept)


def asking_about(workspace: Workspace, number: int) -> list[Segment]:
    """The segments whose conditions ask about another segment, by name."""
    return used_by(workspace).get(number, [])


def used_by(workspace: Workspace) -> Mapping[int, list[Segment]]:
    """For each segment that others ask about, those others by name."""
    found = defaultdict(list)
    for segment in workspace.segments.values():
        for number in mentioned(conditions.of(segment)):
            found[number].append(segment)
    return found


def naming(workspace: Workspace, name: str) -> list[Segment]:
    """The segments whose conditions ask about a property, by name."""
    return [s for s in workspace.segments.values() if _names(conditions.of(s), name)]


def _names(given: object, name: str) -> bool:
    """Whether a condition (any JSON) asks about a property."""
    if isinstance(given, dict):
        inner = given.values()
        return given.get("property") == name or any(_names(each, name) for each in inner)
    return isinstance(given, list) and any(_names(each, name) for each in given)
