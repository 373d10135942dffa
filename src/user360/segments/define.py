"""Segments: making, changing and deleting them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from user360.access.change import Change
from user360.access.workspaces import Workspace
from user360.errors import Conflict, Fault, Invalid, InvalidCondition, NotFound
from user360.events import event
from user360.segments import changing, conditions, statics, store, usage
from user360.segments.language import dependencies, nodes, tree
from user360.segments.store import DYNAMIC, STATIC, Segment

LONGEST_NAME = 200
LONGEST_DESCRIPTION = 2_000


def one(workspace: Workspace, number: int) -> Segment:
    """A segment. Raises `NotFound`."""
    found = workspace.segments.get(number)
    if found is None:
        raise NotFound("There is no such segment")
    return found


def create(
    change: Change,
    name: str,
    description: str,
    condition: dict[str, Any] | None,
    records: Collection[int] = (),
    *,
    announce: bool = False,
) -> Segment:
    """Make a segment: dynamic with a condition, else static with these records.

    A dynamic one is filled without telling who enters by that, unless `announce` says so. Raises
    `Invalid`, `InvalidCondition`, and `Conflict` for a name that is taken.
    """
    if condition is not None:
        workspace = change.workspace
        usable = usage.usable(workspace)
        _check_extent(workspace, tree.parse(condition, workspace.catalogue, "where", usable))
    number = store.insert(
        change.connection,
        change.workspace.id,
        name=_free_name(change, name),
        description=_described(description),
        kind=STATIC if condition is None else DYNAMIC,
        condition=None if condition is None else msgspec.json.encode(condition).decode(),
        announce=announce and condition is not None,
        now=change.now,
    )
    statics.put_in(change, number, records)
    made = changing.stored(change, number)
    store.keep_version(change.connection, made, change.now, change.actor)
    changing.told(change, "segment.create", number)
    return made


def edit(
    change: Change,
    number: int,
    name: str | None = None,
    description: str | None = None,
    condition: dict[str, Any] | None = None,
    *,
    announce: bool = False,
) -> Segment:
    """Change what is given of a segment; the rest stays.

    What differs from what it was is its next version. Under a new condition it is filled anew,
    without telling who enters and leaves by that, unless `announce` says so. Raises as `create`
    does, and `NotFound`.
    """
    segment = changing.stored(change, number)
    new: dict[str, Any] = {}
    if name is not None:
        new["name"] = _free_name(change, name, but=number)
    if description is not None:
        new["description"] = _described(description)
    if condition is not None:
        checked(change.workspace, segment, condition)
        new["condition"] = msgspec.json.encode(condition).decode()
    kept = _next_version(change, segment, new, announce)
    changing.told(change, "segment.update", number, version=kept.version)
    return kept


def checked(workspace: Workspace, segment: Segment, condition: dict[str, Any]) -> nodes.Node:
    """The tree of a new condition for a segment.

    Archived segments that it names already may stay in it. Raises `Invalid` for a static segment,
    `InvalidCondition` when it would ask about itself, naming the segments on the way.
    """
    if segment.kind == STATIC:
        raise Invalid.at("where", "A static segment has no condition; its members are set by hand")
    kept = dependencies.mentioned(conditions.of(segment))
    node = tree.parse(condition, workspace.catalogue, "where", usage.usable(workspace, kept))
    others = {n: conditions.of(s) for n, s in workspace.segments.items()}
    way = dependencies.cycle(segment.id, condition, others)
    if way is not None:
        names = " -> ".join(workspace.segments[number].name for number in way)
        message = f"where would make the segment ask about itself: {names}"
        raise InvalidCondition.at("where", message)
    _check_extent(workspace, node)
    return node


def _check_extent(workspace: Workspace, node: nodes.Node) -> None:
    """Refuse what could never be evaluated: too much, with the segments within it."""
    try:
        dependencies.check_extent(node, conditions.Conditions(workspace))
    except InvalidCondition as problem:
        raise InvalidCondition.at("where", problem.detail) from problem


def _next_version(change: Change, segment: Segment, new: dict[str, Any], announce: bool) -> Segment:
    """Keep what changed as the newest version; without any change only that it was used."""
    changed: dict[str, Any] = {"updated_at": change.now, "used_at": change.now}
    kept = msgspec.structs.replace(segment, **new)
    if kept != segment:
        changed["version"] = segment.version + 1
        if kept.condition != segment.condition:
            changed["announce"] = announce
        elif segment.filled == segment.version:  # a new name leaves the members as they are
            changed["filled"] = segment.version + 1
    kept = msgspec.structs.replace(kept, **changed)
    store.update(change.connection, kept)
    if kept.version != segment.version:
        store.keep_version(change.connection, kept, change.now, change.actor)
    return kept


def delete(change: Change, number: int, force: bool) -> list[Segment]:
    """Delete a segment; returns those that ask about it.

    Raises `Conflict` when there are any, unless `force` says so. They then cannot be evaluated:
    they say so and keep their last members until their conditions are changed.
    """
    segment = changing.stored(change, number)
    asking = usage.asking_about(change.workspace, number)
    if asking and not force:
        named = ", ".join(s.name for s in asking)
        raise Conflict(
            f"{segment.name} is used by {named}; with force=true they keep their last members and"
            " show an error until they are changed"
        )
    store.delete(change.connection, number, change.now)
    change.tell(event.SEGMENT_GONE, segment=number)
    changing.told(change, "segment.delete", number)
    return asking


def _free_name(change: Change, name: str, but: int | None = None) -> str:
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid.at("name", f"name must be text of 1 to {LONGEST_NAME} characters")
    taken = store.named(change.connection, change.workspace.id, name)
    if taken is not None and taken.id != but:
        message = "A segment of this name exists already"
        raise Conflict(message, faults=[Fault("name", "conflict", message)])
    return name


def _described(description: str) -> str:
    description = description.strip()
    if len(description) > LONGEST_DESCRIPTION:
        message = f"description must be at most {LONGEST_DESCRIPTION} characters"
        raise Invalid.at("description", message)
    return description
