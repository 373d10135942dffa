"""The values that are suggested while somebody writes one."""

from __future__ import annotations

from typing import Any

from user360.doors import gate
from user360.pages.render import Asked
from user360.records import suggested
from user360.records.properties import Type

KINDS = (Type.STRING, Type.LIST)
COUNTRY = "country"


async def of(request: Asked, name: str, typed: str) -> list[tuple[Any, int]]:
    """The common values of a property that hold what was typed, with how many have each."""
    workspace = gate.actor_of(request).workspace
    declared = workspace.catalogue.get(name)
    if declared is None or declared.type not in KINDS:
        return []
    # Countries are kept by their codes and sought by their names, which only the browser knows.
    part = "" if name == COUNTRY else typed.strip()
    return await gate.ask(request, lambda w: suggested.values(w, workspace.id, declared, part))
