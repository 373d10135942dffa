"""Which segments a condition asks about, in what order they are evaluated, where they go round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from user360 import errors
from user360.segments.language import nodes
from user360.segments.language.nodes import Node

# A condition with the segments within it, written out, is at most so deep and so long.
DEEPEST = 64
MOST_NODES = 3_000


def mentioned(given: object) -> set[int]:
    """The segments that a condition (any JSON) asks about."""
    found: set[int] = set()
    rest = [given]
    while rest:
        each = rest.pop()
        if isinstance(each, dict):
            number = each.get("segment")
            if isinstance(number, int) and not isinstance(number, bool):
                found.add(number)
            rest += each.values()
        elif isinstance(each, list):
            rest += each
    return found


def cycle(number: int, condition: object, conditions: Mapping[int, object]) -> list[int] | None:
    """How segment `number`, given this condition (JSON), would come to ask about itself.

    `conditions` are those of the other segments as JSON, by number. Returns the way round from
    `number` to `number`, the shortest there is, or None.
    """
    came_from: dict[int, int] = {}
    rest = [number]
    for each in rest:  # grows while it is walked
        given = condition if each == number else conditions.get(each)
        for inner in sorted(mentioned(given)):
            if inner == number:
                return _way(number, each, came_from)
            if inner not in came_from:
                came_from[inner] = each
                rest.append(inner)
    return None


def _way(number: int, last: int, came_from: Mapping[int, int]) -> list[int]:
    """The steps from `number` to `last` and back to `number`."""
    way = [number]
    while last != number:
        way.append(last)
        last = came_from[last]
    return [*way, number][::-1]


def in_order(conditions: Mapping[int, object]) -> list[int]:
    """The numbers of these conditions (JSON), each after all those it asks about.

    Those that go round, which saving refuses, still come once each.
    """
    inner = {n: sorted(mentioned(given) & conditions.keys()) for n, given in conditions.items()}
    ordered: dict[int, None] = {}
    entered: set[int] = set()
    for number in sorted(inner):
        rest = [(number, iter(inner[number]))] if number not in entered else []
        entered.add(number)
        while rest:
            number, following = rest[-1]
            after = next((n for n in following if n not in entered), None)
            if after is None:
                ordered[number] = None
                rest.pop()
            else:
                entered.add(after)
                rest.append((after, iter(inner[after])))
    return list(ordered)


def check_extent(node: Node, segments: Mapping[int, Node]) -> None:
    """Refuse a tree that goes round, or is too deep or too long with all that is within it.

    `segments` are the dynamic ones by number. Raises `InvalidCondition`.
    """
    depth, count = _extent(node, segments, {}, (), 1)
    if depth > DEEPEST:
        raise _too_deep()
    if count > MOST_NODES:
        raise errors.InvalidCondition(
            f"The condition with the segments within it has more than {MOST_NODES} nodes"
        )


_Extent = tuple[int, int]


def _extent(
    node: Node,
    segments: Mapping[int, Node],
    known: dict[int, _Extent],
    within: tuple[int, ...],
    level: int,
) -> _Extent:
    """How deep a tree is and how many nodes it has, written out; `level` is where it stands."""
    if level > DEEPEST:
        raise _too_deep()
    if isinstance(node, nodes.Membership) and node.segment in segments:
        return _of_segment(node.segment, segments, known, within, level)
    found = [_extent(each, segments, known, within, level + 1) for each in inside(node)]
    return 1 + max((depth for depth, _ in found), default=0), 1 + sum(count for _, count in found)


def _of_segment(
    number: int,
    segments: Mapping[int, Node],
    known: dict[int, _Extent],
    within: tuple[int, ...],
    level: int,
) -> _Extent:
    if number in within:
        raise errors.InvalidCondition(f"Segment {number} asks about itself")
    if number not in known:
        way = (*within, number)
        known[number] = _extent(segments[number], segments, known, way, level + 1)
    depth, count = known[number]
    return depth + 1, count


def _too_deep() -> errors.InvalidCondition:
    return errors.InvalidCondition(
        f"The condition with the segments within it is more than {DEEPEST} deep"
    )


def inside(node: Node) -> Iterator[Node]:
    """The nodes right below one."""
    match node:
        case nodes.All() | nodes.Any():
            yield from node.nodes
        case nodes.Not():
            yield node.node
