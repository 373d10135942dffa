"""Two answers that differ, brought down to one person with as little as makes them differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.segments.world import Happening, Person, World

KEPT = ("createdAt", "updatedAt")  # every record has them


def smallest(person: Person, differs: Callable[[Person], bool]) -> Person:
    """The person without everything that can go while `differs` holds."""
    tried = True
    while tried:
        less = next((each for each in _with_less(person) if differs(each)), None)
        tried = less is not None
        person = less or person
    return person


def _with_less(person: Person) -> Iterator[Person]:
    """The person without one thing: an event, a property, a segment, a part of an event."""
    for i, event in enumerate(person.events):
        others = person.events[:i], person.events[i + 1 :]
        yield replace(person, events=[*others[0], *others[1]])
        for key in event.properties:
            held = {k: v for k, v in event.properties.items() if k != key}
            bare = Happening(event.name, event.at, held)
            yield replace(person, events=[*others[0], bare, *others[1]])
    for name in person.properties:
        if name not in KEPT:
            left = {k: v for k, v in person.properties.items() if k != name}
            yield replace(person, properties=left)
    if person.segments:
        yield replace(person, segments=frozenset())


def told(tree: dict[str, Any], person: Person, world: World, expected: bool) -> str:
    """The difference in words."""
    events = [f"  {e.name!r} at {e.at.isoformat()} with {e.properties}" for e in person.events]
    return "\n".join(
        [
            f"the reference says {expected}, the compiler {not expected}, for {tree}",
            f"at {world.now.isoformat()} in {world.zone.key}",
            *(f"where segment {number} is {given}" for number, given in world.segments.items()),
            f"of record {person.number} with {person.properties} in {sorted(person.segments)}",
            *(events or ["  who did nothing"]),
        ]
    )
