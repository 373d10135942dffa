"""Why somebody is in a segment, or not: each node of the tree, what decided it, when it will flip.

The same compiler in another frame: the person's row and events are set apart, and every single
condition is a column over that row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from user360.access.workspaces import Workspace
from user360.errors import NotFound
from user360.segments import conditions
from user360.segments.compiler import few
from user360.segments.compiler.few import People
from user360.segments.explain import evidence, flips, timelines
from user360.segments.explain.evidence import Decided
from user360.segments.explain.flips import Part
from user360.segments.explain.timelines import Flip
from user360.segments.following import clock
from user360.segments.language import dependencies, describe, nodes, tree
from user360.storage.warehouse import Warehouse


class Reason(msgspec.Struct, frozen=True):
    """One node: as it was written, in English, whether it is true, and why.

    `decided` is what decided a single condition, and for a segment that somebody is in or not;
    `reasons` are the nodes below, a dynamic segment's own tree too.
    """

    where: dict[str, Any]
    says: str
    true: bool
    flip: Flip
    decided: Decided | None
    reasons: tuple[Reason, ...]


class Why(msgspec.Struct, frozen=True):
    """The whole tree for one living record, as of a time and a position of the log.

    `since` is when it entered the segments it is a stored member of, by their numbers.
    """

    record: int
    now: int
    position: int
    reason: Reason
    since: Mapping[int, int]


def why(
    warehouse: Warehouse,
    workspace: Workspace,
    node: nodes.Node,
    record: int,
    now: int,
    segments: Sequence[int] = (),
) -> Why:
    """Why a condition is true of a person or not, as of `now` (microseconds).

    `record` is a living record or one merged away; `segments` are those whose `since` is wanted
    beside the ones the condition names. Raises `NotFound` when the person was deleted, and
    `InvalidCondition` when something the condition names is gone.
    """
    written = conditions.Conditions(workspace)
    dependencies.check_extent(node, written)
    root = flips.part_of(node, written)
    named = clock.events_named(node, written)
    inner = {
        part.node.segment for part in flips.walk(root) if isinstance(part.node, nodes.Membership)
    }
    wanted = {*inner, *segments}
    # All or none, for two statements take longer than to read what few events hold.
    held = None if clock.events_held(node, written) else ()
    columns = few.columns_of((part.node for part in flips.walk(root)), workspace.catalogue)
    asked = (warehouse, workspace, [record], named, now, wanted, held)
    with few.people(*asked, columns=columns, identified=True) as people:
        if not people.numbers:
            raise NotFound("There is no such record")
        (living,) = people.numbers
        since = evidence.entered(people) if wanted else {}
        reason = _reasoned(root, people, workspace, since)
        return Why(living, now, people.position, reason, since)


def _reasoned(root: Part, people: People, workspace: Workspace, since: Mapping[int, int]) -> Reason:
    parts = list(flips.walk(root))
    leaves = [part.node for part in parts if part.leaf is not None]
    held = timelines.truths([(leaf, people.frame.now) for leaf in leaves], people)
    decided = evidence.of_leaves(leaves, held, people, workspace.segments, since)
    truths = flips.truths_of(parts, held)
    changes = flips.flips(parts, truths, people)
    names = {number: segment.name for number, segment in workspace.segments.items()}
    whole = _Whole(workspace, names, since, decided)
    return whole.reason(root, iter(zip(truths, changes, strict=True)))


class _Whole(msgspec.Struct, frozen=True):
    """What the reasons of one tree are made from."""

    workspace: Workspace
    names: Mapping[int, str]
    since: Mapping[int, int]
    decided: Sequence[Decided]

    def reason(self, part: Part, found: Iterator[tuple[bool, Flip]]) -> Reason:
        """The reason of a part; `found` are truth and change of it and of those below, in turn."""
        truth, flip = next(found)
        return Reason(
            where=tree.dump(part.node),
            says=describe.clause(part.node, self.workspace.catalogue, self.names),
            true=truth,
            flip=flip,
            decided=self._decided(part, truth),
            reasons=tuple(self.reason(each, found) for each in part.parts),
        )

    def _decided(self, part: Part, truth: bool) -> Decided | None:
        if part.leaf is not None:
            return self.decided[part.leaf]
        if isinstance(part.node, nodes.Membership):
            return evidence.of_segment(part.node, truth, self.workspace.segments, self.since)
        return None
