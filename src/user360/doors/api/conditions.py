"""Conditions as the API takes them: read against the declarations in force."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from user360.doors import gate
from user360.doors.api.shapes import Asked
from user360.segments import lifetime, usage
from user360.segments.language import tree
from user360.segments.language.dependencies import mentioned
from user360.segments.language.nodes import Node
from user360.segments.store import Segment

SCHEMA = {"$ref": "#/components/schemas/Condition"}
Condition = Annotated[dict[str, Any], msgspec.Meta(extra_json_schema=SCHEMA)]
INDIA = {"property": "country", "op": "is", "values": ["India"]}
BOUGHT = {"event": "Order Completed", "occurred": True, "count": {"op": "gte", "value": 1}}


async def read(request: Asked, given: dict[str, Any] | None, path: str = "where") -> Node | None:
    """The tree that `given` means; None is everybody. Raises `InvalidCondition`.

    The segments that it names are used by that.
    """
    if given is None:
        return None
    workspace = gate.actor_of(request).workspace
    node = tree.parse(given, workspace.catalogue, path, usage.usable(workspace))
    for number in mentioned(given):
        await used(request, workspace.segments[number])
    return node


async def used(request: Asked, segment: Segment) -> None:
    """Note once a day that a segment was used."""
    if gate.platform_of(request).clock.now() - segment.used_at > lifetime.DAY:
        await gate.change(request, lambda change: lifetime.touch(change, segment.id))
