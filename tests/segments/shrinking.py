"""Two answers that differ, brought down to one person and a tree that one can read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.segments.world import Happening, Person, World

Tree = dict[str, Any]
Differs = Callable[[Tree, Person], bool]

KEPT = ("createdAt", "updatedAt")  # every record has them
BESIDE = ("count", "sum", "during", "where", "within")  # what a condition can do without


def smallest(tree: Tree, person: Person, world: World, differs: Differs) -> tuple[Tree, Person]:
    """The tree and the person without everything that can go while `differs` holds."""
    tried = True
    while tried:
        tried = False
        for less in simpler(tree, world):
            if differs(less, person):
                tree, tried = less, True
                break
        for other in barer(person):
            if differs(tree, other):
                person, tried = other, True
                break
    return tree, person


def simpler(tree: Tree, world: World) -> Iterator[Tree]:
    """The tree with one thing less: a part alone, without a part, or with a simpler part."""
    for kind in ("all", "any"):
        inner = tree.get(kind, [])
        yield from inner
        if len(inner) > 1:
            yield from ({kind: inner[:i] + inner[i + 1 :]} for i in range(len(inner)))
        for i, each in enumerate(inner):
            yield from ({kind: [*inner[:i], s, *inner[i + 1 :]]} for s in simpler(each, world))
    if "not" in tree:
        yield tree["not"]
        yield from ({"not": each} for each in simpler(tree["not"], world))
    if tree.get("segment") in world.segments:
        yield world.segments[tree["segment"]]
    yield from ({k: v for k, v in tree.items() if k != key} for key in BESIDE if key in tree)
    for key, least in (("values", 1), ("sequence", 2), ("where", 1)):
        held = tree.get(key, [])
        if len(held) > least and tree.get("op") != "between":
            yield from ({**tree, key: held[:i] + held[i + 1 :]} for i in range(len(held)))
    for i, step in enumerate(tree.get("sequence", [])):
        steps = tree["sequence"]
        if "where" in step:
            yield {**tree, "sequence": [*steps[:i], {"event": step["event"]}, *steps[i + 1 :]]}


def barer(person: Person) -> Iterator[Person]:
    """The person without one thing: an event, a property, the segments, a part of an event."""
    for i, event in enumerate(person.events):
        before, after = person.events[:i], person.events[i + 1 :]
        yield replace(person, events=[*before, *after])
        for key in event.properties:
            held = {k: v for k, v in event.properties.items() if k != key}
            yield replace(person, events=[*before, Happening(event.name, event.at, held), *after])
    for name in person.properties:
        if name not in KEPT:
            left = {k: v for k, v in person.properties.items() if k != name}
            yield replace(person, properties=left)
    if person.segments:
        yield replace(person, segments=frozenset())


def told(tree: Tree, person: Person, world: World, expected: bool) -> str:
    """The difference in words."""
    events = [f"  {e.name!r} at {e.at.isoformat()} with {e.properties}" for e in person.events]
    return "\n".join(
        [
            f"the reference says {expected}, the compiler {not expected}, for {tree}",
            f"at {world.now.isoformat()} in {world.zone.key}",
            *(
                f"where segment {number} is {given}"
                for number, given in world.segments.items()
                if "'segment'" in str(tree)
            ),
            f"of record {person.number} with {person.properties} in {sorted(person.segments)}",
            *(events or ["  who did nothing"]),
        ]
    )
