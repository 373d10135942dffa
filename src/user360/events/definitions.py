"""The event hub: which events a workspace knows, and what has been seen of each."""

from __future__ import annotations

from typing import Any

import msgspec

# More than this many distinct property names of one event are a data set in the wrong place.
MAX_PROPERTIES = 1_000
_KINDS = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    list: "list",
    dict: "object",
}


class Definition(msgspec.Struct):
    """One event definition; `properties` maps each property name seen to the types seen."""

    name: str
    description: str = ""
    active: bool = True
    first_seen: int | None = None
    last_seen: int | None = None
    volume: int = 0
    properties: dict[str, list[str]] = msgspec.field(default_factory=dict)


class Seen:
    """What one batch adds to a definition: a count, a span of time, and perhaps new types."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.count = 0
        self.first = self.last = 0
        self._told: set[tuple[str, type]] = set()

    def add(self, at: int, properties: dict[str, Any]) -> None:
        self.first = min(self.first, at) if self.count else at
        self.last = max(self.last, at)
        self.count += 1
        for name, value in properties.items():
            told = (name, type(value))
            if told not in self._told:
                self._told.add(told)
                self._tell(name, _KINDS.get(type(value)))

    def _tell(self, name: str, kind: str | None) -> None:
        known = self.definition.properties
        if kind is None or kind in known.get(name, ()):
            return
        if name in known:
            known[name] = [*known[name], kind]
        elif len(known) < MAX_PROPERTIES:
            known[name] = [kind]
