"""Copying what a workspace is, without its people, into another one.

Declarations, settings, event definitions, segments, and how customers are answered. What the other
workspace has already and just so, stays; what it has otherwise under the same name is a clash, and
then nothing is copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from user360.access import workspaces
from user360.access.change import Change
from user360.access.workspaces import Workspace
from user360.backup import copying_inbox
from user360.errors import Conflict, Fault, Problem
from user360.events import define as define_event
from user360.events import store as event_store
from user360.events.definitions import Definition
from user360.records import declare, store
from user360.records.properties import Property
from user360.segments import conditions, define, lifetime
from user360.segments.language import dependencies
from user360.segments.store import Segment


class Copied(msgspec.Struct, frozen=True, rename="camel"):
    """What the other workspace got that it did not have: names, and settings that changed.

    `inbox` are the inbox's settings.
    """

    properties: list[str]
    settings: list[str]
    definitions: list[str]
    segments: list[str]
    inbox: list[str]
    groups: list[str]
    canned_answers: list[str]
    flows: list[str]
    channels: list[str]


def copy(change: Change, source: Workspace) -> Copied:
    """Copy `source` into the workspace of the change.

    Raises `Conflict` naming everything that stands in the way by
    its path (`segments.VIPs`), and `Invalid` for what cannot be said in the other workspace.
    """
    definitions = event_store.load_definitions(change.connection, source.id)
    known = event_store.load_definitions(change.connection, change.workspace.id)
    faults = [*_clashes(change, source, definitions, known)]
    faults += copying_inbox.clashes(change, source)
    if faults:
        raise Conflict(f"{len(faults)} names are taken by something else", faults=faults)
    settings = _settings(change, source, but=("identifier",))
    properties = [p.name for p in _missing(change, source) if _declare(change, p)]
    settings += _settings(change, source)
    missing = [d for name, d in definitions.items() if name not in known]
    for each in missing:
        define_event.create(change, each.name, *_told(each))
    segments = _segments(change, source)
    answering = copying_inbox.copy(change, source)
    change.audit("workspace.copy", f"workspace:{source.name}", segments=len(segments))
    return Copied(properties, settings, [d.name for d in missing], segments, *answering)


def _clashes(
    change: Change,
    source: Workspace,
    definitions: Mapping[str, Definition],
    known: Mapping[str, Definition],
) -> Iterator[Fault]:
    target = change.workspace
    gone = {p.name.lower() for p in store.deleted_properties(change.connection, target.id)}
    for held in source.catalogue.custom:
        there = target.catalogue.near(held.name)
        if there is not None and (there.name, there.type) != (held.name, held.type):
            message = f"there is a property {there.name} of type {there.type}"
            yield Fault(f"properties.{held.name}", "conflict", message)
        elif there is None and held.name.lower() in gone:
            message = "a deleted property has this name; restore it first"
            yield Fault(f"properties.{held.name}", "conflict", message)
    for name, held_event in definitions.items():
        if name in known and _told(known[name]) != _told(held_event):
            message = "it is described otherwise, or not active in one of them"
            yield Fault(f"definitions.{name}", "conflict", message)
    taken = {s.name.lower() for s in target.segments.values()}
    for segment in source.segments.values():
        if segment.name.lower() in taken:
            yield Fault(f"segments.{segment.name}", "conflict", "there is a segment of this name")


def _told(definition: Definition) -> tuple[str, bool]:
    return definition.description, definition.active


def _missing(change: Change, source: Workspace) -> list[Property]:
    there = change.workspace.catalogue
    return [p for p in source.catalogue.custom if there.get(p.name) is None]


def _declare(change: Change, held: Property) -> bool:
    try:
        declare.declare(
            change, held.name, held.type, held.description, held.searchable, held.required
        )
    except Problem as problem:
        raise _at(problem, f"properties.{held.name}") from problem
    return True


def _settings(change: Change, source: Workspace, but: tuple[str, ...] = ()) -> list[str]:
    """Make the settings those of the source; the names of those that changed."""
    workspace = change.workspace
    wanted: dict[str, Any] = msgspec.to_builtins(source.settings)
    now: dict[str, Any] = msgspec.to_builtins(workspace.settings)
    changed = {n: v for n, v in wanted.items() if now[n] != v and n not in but}
    settings = workspaces.checked(changed, workspace.settings, workspace.catalogue)
    workspaces.save_settings(change.connection, workspace, settings)
    workspace.apply(settings)
    return sorted(changed)


def _segments(change: Change, source: Workspace) -> list[str]:
    """Make the segments, those that others ask about first, which then ask about the new ones."""
    order = dependencies.in_order({n: conditions.of(s) for n, s in source.segments.items()})
    numbers: dict[int, int] = {}
    made = [_segment(change, source.segments[n], numbers) for n in order]
    for number in order:
        if source.segments[number].archived_at is not None:
            lifetime.archive(change, numbers[number], True)
    return made


def _segment(change: Change, segment: Segment, numbers: dict[int, int]) -> str:
    """A static segment is made empty: its people stay where they are."""
    try:
        condition = _renumbered(conditions.of(segment), numbers)
        made = define.create(change, segment.name, segment.description, condition)
    except Problem as problem:
        raise _at(problem, f"segments.{segment.name}") from problem
    numbers[segment.id] = made.id
    return segment.name


def _renumbered(given: Any, numbers: Mapping[int, int]) -> Any:
    """A condition that asks about the new segments in the place of the old ones."""
    if isinstance(given, dict):
        return {
            key: numbers.get(value, 0) if _is_number(key, value) else _renumbered(value, numbers)
            for key, value in given.items()
        }
    if isinstance(given, list):
        return [_renumbered(value, numbers) for value in given]
    return given


def _is_number(key: str, value: object) -> bool:
    return key == "segment" and isinstance(value, int) and not isinstance(value, bool)


def _at(problem: Problem, path: str) -> Problem:
    """The same problem, its places below this one."""
    if problem.faults:
        return problem.under(path)
    return type(problem)(problem.detail, faults=[Fault(path, problem.code, problem.detail)])
