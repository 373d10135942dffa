"""When and where conditions are asked, and of whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class World:
    """When and where a condition is asked, what the properties are, and the dynamic segments."""

    now: datetime
    zone: ZoneInfo
    types: dict[str, str] = field(compare=False)
    segments: Mapping[int, dict[str, Any]] = field(default_factory=dict, compare=False)


@dataclass(eq=False)
class Happening:
    """Something that happened to a person."""

    name: str
    at: datetime
    properties: dict[str, Any]


@dataclass(eq=False)
class Person:
    """A person, with the values as records keep them, and events in the order of their arrival."""

    number: int
    properties: dict[str, Any]
    events: list[Happening] = field(default_factory=list)
    segments: frozenset[int] = frozenset()
