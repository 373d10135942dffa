"""What a condition means, as slowly and plainly as it can be said.

Written from the specification and apart from the compiler: it reads the JSON as it was given,
reckons with the calendar in its own way, and knows nothing of SQL or windows.
"""

from __future__ import annotations

from typing import Any

from tests.segments.reference_events import of_events, of_sequence
from tests.segments.reference_values import of_property
from tests.segments.world import Happening, Person, World

__all__ = ["Happening", "Person", "World", "holds", "of_events", "of_property", "of_sequence"]


def holds(tree: dict[str, Any], person: Person, world: World) -> bool:
    """Whether the condition is true of the person."""
    if "all" in tree:
        return all(holds(each, person, world) for each in tree["all"])
    if "any" in tree:
        return any(holds(each, person, world) for each in tree["any"])
    if "not" in tree:
        return not holds(tree["not"], person, world)
    if "property" in tree:
        return of_property(tree, person, world)
    if "segment" in tree:
        return is_member(tree["segment"], person, world) == tree.get("in", True)
    if "sequence" in tree:
        return of_sequence(tree, person, world)
    return of_events(tree, person, world)


def is_member(number: int, person: Person, world: World) -> bool:
    """Whether the person is on the list of a static segment, or fits a dynamic one."""
    if number in world.segments:
        return holds(world.segments[number], person, world)
    return number in person.segments
