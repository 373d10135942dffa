"""Making and changing event definitions by hand."""

from __future__ import annotations

from user360.access.change import Change
from user360.errors import Conflict, Fault, Invalid, NotFound
from user360.events import event, store
from user360.events.definitions import Definition

LONGEST_DESCRIPTION = 2_000


def create(change: Change, name: str, description: str, active: bool) -> Definition:
    """Define an event before it is seen. Raises `Invalid`, `Conflict`."""
    faults = event.faults_of(name, {}, "")
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    name = name.strip()
    if name in change.workspace.definitions:
        fault = Fault("name", "conflict", "An event of this name is defined already")
        raise Conflict(fault.message, faults=[fault])
    made = Definition(name, _described(description), active)
    store.save_definition(change.connection, change.workspace.id, made)
    change.audit("definition.create", f"event:{name}")
    change.workspace.definitions[name] = made
    return made


def edit(change: Change, name: str, description: str | None, active: bool | None) -> Definition:
    """Change description or activity of a definition. Raises `NotFound`."""
    known = store.load_definitions(change.connection, change.workspace.id).get(name)
    if known is None:
        raise NotFound("There is no event definition of this name")
    if description is not None:
        known.description = _described(description)
    if active is not None:
        known.active = active
    store.save_definition(change.connection, change.workspace.id, known)
    change.audit("definition.update", f"event:{name}", active=known.active)
    change.workspace.definitions[name] = known
    return known


def _described(description: str) -> str:
    description = description.strip()
    if len(description) > LONGEST_DESCRIPTION:
        message = f"description must be at most {LONGEST_DESCRIPTION} characters"
        raise Invalid.at("description", message)
    return description
