"""When each node of a tree changes its truth, if nothing happens but that time goes on.

Single conditions are followed along the time in `timelines`. What joins them is worked out from
their answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import msgspec

from user360.segments.compiler.few import People
from user360.segments.explain import timelines
from user360.segments.explain.timelines import Flip, Timeline
from user360.segments.language import nodes
from user360.segments.language.nodes import Node

# What a branch comes to, whatever so many moving conditions come to, is asked in one go.
_MOST_FREE = 6
# So many changes of single conditions are followed at most for the sake of a branch.
_MOST_CHANGES = 200


class Part(msgspec.Struct, frozen=True):
    """A node with what is right below it, a dynamic segment's tree too.

    `leaf` is the place of a single condition among all of the tree, None for what joins others.
    """

    node: Node
    parts: tuple[Part, ...] = ()
    leaf: int | None = None


def part_of(node: Node, segments: Mapping[int, Node]) -> Part:
    """The tree of a condition written out, its single conditions counted from 0."""
    return _part(node, segments, [])


def _part(node: Node, segments: Mapping[int, Node], counted: list[Node]) -> Part:
    if isinstance(node, nodes.Membership) and node.segment in segments:
        return Part(node, (_part(segments[node.segment], segments, counted),))
    if isinstance(node, nodes.All | nodes.Any):
        return Part(node, tuple(_part(each, segments, counted) for each in node.nodes))
    if isinstance(node, nodes.Not):
        return Part(node, (_part(node.node, segments, counted),))
    counted.append(node)
    return Part(node, (), len(counted) - 1)


def walk(part: Part) -> Iterator[Part]:
    """All parts of a tree, each before those below it."""
    yield part
    for each in part.parts:
        yield from walk(each)


def truths_of(parts: Sequence[Part], held: Sequence[bool]) -> list[bool]:
    """Whether each part is true, where `held` says it of the single conditions."""
    return [holds(part, held) for part in parts]


def flips(parts: Sequence[Part], now: Sequence[bool], people: People) -> list[Flip]:
    """The first change of every part of a tree (as `walk` yields them), after the frame's now.

    `now` says whether each is true of the one person that `people` holds.
    """
    leaves = [part.node for part in parts if part.leaf is not None]
    found = list(zip(parts, now, strict=True))
    held = [truth for part, truth in found if part.leaf is not None]
    lines = timelines.timelines(leaves, held, people)
    timelines.advance([line for line in lines if line.open], people)
    branches = [(part, truth) for part, truth in found if part.leaf is None]
    joined = iter(_Joined(branches, lines, held, people).flips())
    return [next(joined) if part.leaf is None else _first(lines[part.leaf]) for part in parts]


def _first(line: Timeline) -> Flip:
    return Flip(line.flips[0]) if line.flips else Flip(sought=line.sought)


def holds(part: Part, held: Sequence[bool]) -> bool:
    """What a part comes to, where `held` says what the single conditions do.

    Every node is true or not, so what joins them needs no engine.
    """
    if part.leaf is not None:
        return held[part.leaf]
    match part.node:
        case nodes.All():
            return all(holds(each, held) for each in part.parts)
        case nodes.Any():
            return any(holds(each, held) for each in part.parts)
        case nodes.Membership(inside=True):
            return holds(part.parts[0], held)
        case _:
            return not holds(part.parts[0], held)


class _Joined:
    """The branches of a tree along the changes of its single conditions."""

    def __init__(
        self,
        branches: Sequence[tuple[Part, bool]],
        lines: Sequence[Timeline],
        now: Sequence[bool],
        people: People,
    ) -> None:
        self.branches = [part for part, _ in branches]
        self.before = [truth for _, truth in branches]
        self.lines, self.people = lines, people
        self.now, self.state, self.at = now, list(now), people.frame.now
        self.found: dict[int, Flip] = {}

    def flips(self) -> list[Flip]:
        """The first change of each branch."""
        if any(line.flips or line.sought for line in self.lines):
            self._follow()
        return [self.found.get(i, Flip()) for i in range(len(self.branches))]

    def _follow(self) -> None:
        """Go along the changes until every branch has changed, or as far as can be told."""
        followed = 0
        while len(self.found) < len(self.branches):
            horizon = self._horizon()
            rows = self._rows(horizon)
            self._compare(rows)
            if not followed:
                self._settle()
            followed += len(rows) or 1
            if horizon is None:
                return
            self.at = horizon
            going_on = [line for line in self.lines if line.open and line.flips[-1] <= horizon]
            if not going_on or followed > _MOST_CHANGES:
                self._give_up(horizon)
                return
            if len(self.found) < len(self.branches):
                timelines.advance(going_on, self.people)

    def _settle(self) -> None:
        """Note the branches that stay as they are, whatever the moving conditions come to."""
        moving = [k for k, line in enumerate(self.lines) if line.flips or line.sought]
        waiting = [i for i in range(len(self.branches)) if i not in self.found]
        if len(moving) > _MOST_FREE or not waiting:
            return
        rows = []
        for chosen in product((False, True), repeat=len(moving)):
            rows.append(list(self.now))
            for k, truth in zip(moving, chosen, strict=True):
                rows[-1][k] = truth
        for i in waiting:
            if all(holds(self.branches[i], row) == self.before[i] for row in rows):
                self.found[i] = Flip()

    def _horizon(self) -> int | None:
        """Up to when all changes are known; None: for ever."""
        ends = [line.flips[-1] for line in self.lines if line.open]
        ends += [line.sought for line in self.lines if line.sought is not None]
        return min(ends, default=None)

    def _rows(self, horizon: int | None) -> list[tuple[int, list[bool]]]:
        """The times of changes up to the horizon, each with what the conditions come to then."""
        changes: dict[int, list[int]] = {}
        for k, line in enumerate(self.lines):
            for at in line.flips:
                if self.at < at and (horizon is None or at <= horizon):
                    changes.setdefault(at, []).append(k)
        rows = []
        for at in sorted(changes):
            for k in changes[at]:
                self.state[k] = not self.state[k]
            rows.append((at, list(self.state)))
        return rows

    def _compare(self, rows: Sequence[tuple[int, list[bool]]]) -> None:
        for at, row in rows:
            for i, before in enumerate(self.before):
                if holds(self.branches[i], row) != before:
                    self.found.setdefault(i, Flip(at))

    def _give_up(self, horizon: int) -> None:
        for i in range(len(self.branches)):
            self.found.setdefault(i, Flip(sought=horizon))
