"""Segments: making, changing, archiving and deleting them, and what they mean as a condition.

Every function that takes a `Change` runs in the writer's transaction, and tells the log, so that
readers of the warehouse can wait until they see what was changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec

from user360.access.change import Change
from user360.access.workspaces import Workspace
from user360.errors import Conflict, Fault, Invalid, NotFound
from user360.events import event
from user360.identity import resolve
from user360.identity import store as identity_store
from user360.segments import nodes, store, tree
from user360.segments.store import DYNAMIC, STATIC, Segment
from user360.storage.ledger import Connection

LONGEST_NAME = 200
LONGEST_DESCRIPTION = 2_000
DAY = 86_400_000_000
MOST_TOLD = 50_000  # records in one entry of the log
HIGHEST = 1 << 62  # beyond it no ledger counts


def mentioned(given: object) -> set[int]:
    """The segments that a condition (any JSON) asks about."""
    found: set[int] = set()
    rest = [given]
    while rest:
        each = rest.pop()
        if isinstance(each, dict):
            number = each.get("segment")
            if isinstance(number, int) and not isinstance(number, bool):
                found.add(number)
            rest += each.values()
        elif isinstance(each, list):
            rest += each
    return found


def names_property(given: object, name: str) -> bool:
    """Whether a condition (any JSON) asks about a property."""
    if isinstance(given, dict):
        inner = given.values()
        return given.get("property") == name or any(names_property(each, name) for each in inner)
    return isinstance(given, list) and any(names_property(each, name) for each in given)


def usable(connection: Connection, workspace: int) -> frozenset[int]:
    """The static segments that may be chosen in a new condition: those that are not archived."""
    found = store.all_segments(connection, workspace)
    return frozenset(s.id for s in found if s.kind == STATIC and s.archived_at is None)


def condition_of(segment: Segment) -> Any:
    """The stored condition as JSON; None for a static segment."""
    return None if segment.condition is None else msgspec.json.decode(segment.condition)


def node_of(segment: Segment, workspace: Workspace) -> nodes.Node:
    """What the segment means. Raises `InvalidCondition` when a property it names is gone.

    A stored condition goes on asking about the segments it was made with, archived ones too.
    """
    if segment.kind == STATIC:
        return nodes.Membership(segment.id, True)
    given = condition_of(segment)
    return tree.parse(given, workspace.catalogue, "where", mentioned(given))


def users_of(connection: Connection, workspace: int, name: str) -> list[Segment]:
    """The segments whose conditions ask about a property."""
    found = store.all_segments(connection, workspace)
    return [s for s in found if names_property(condition_of(s), name)]


def asking_about(connection: Connection, workspace: int, number: int) -> list[Segment]:
    """The segments whose conditions ask about another segment."""
    found = store.all_segments(connection, workspace)
    return [s for s in found if number in mentioned(condition_of(s))]


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

    A dynamic one is filled without telling who enters by that, unless `announce` says so.
    """
    where = (change.connection, change.workspace.id)
    name = _free_name(change, name)
    number = store.insert(
        *where,
        name=name,
        description=_described(description),
        kind=STATIC if condition is None else DYNAMIC,
        condition=None if condition is None else msgspec.json.encode(condition).decode(),
        announce=announce and condition is not None,
        now=change.now,
    )
    added = store.add_members(change.connection, change.dialect, number, records, change.now)
    tell_members(change, number, added, ())
    made = one(change.connection, change.workspace.id, number)
    store.keep_version(change.connection, made, change.now, change.actor)
    _told(change, "segment.create", number)
    return made


def one(connection: Connection, workspace: int, number: int) -> Segment:
    """A segment. Raises `NotFound`."""
    found = store.one(connection, workspace, number) if 0 < number < HIGHEST else None
    if found is None:
        raise NotFound("There is no such segment")
    return found


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
    without telling who enters and leaves by that, unless `announce` says so.
    """
    segment = one(change.connection, change.workspace.id, number)
    new: dict[str, Any] = {}
    if name is not None:
        new["name"] = _free_name(change, name, but=number)
    if description is not None:
        new["description"] = _described(description)
    if condition is not None:
        _refuse_condition(segment, condition)
        new["condition"] = msgspec.json.encode(condition).decode()
    kept = _next_version(change, segment, new, announce)
    _told(change, "segment.update", number, version=kept.version)
    return kept


def _next_version(change: Change, segment: Segment, new: dict[str, Any], announce: bool) -> Segment:
    """Keep what changed as the newest version; without any change only that it was used."""
    told = {"updated_at": change.now, "used_at": change.now}
    kept = msgspec.structs.replace(segment, **new)
    if kept != segment:
        told["version"] = segment.version + 1
        if kept.condition != segment.condition:
            told["announce"] = announce
        elif segment.filled == segment.version:  # a new name leaves the members as they are
            told["filled"] = segment.version + 1
    kept = msgspec.structs.replace(kept, **told)
    store.update(change.connection, kept)
    if kept.version != segment.version:
        store.keep_version(change.connection, kept, change.now, change.actor)
    return kept


def archive(change: Change, number: int, archived: bool) -> Segment:
    """Archive a segment, or give it back. Doing either twice changes nothing."""
    segment = one(change.connection, change.workspace.id, number)
    if (segment.archived_at is not None) == archived:
        return segment
    at = change.now if archived else None
    used = segment.used_at if archived else change.now
    segment = msgspec.structs.replace(segment, archived_at=at, used_at=used)
    store.update(change.connection, segment)
    _told(change, "segment.archive" if archived else "segment.unarchive", number)
    return segment


def delete(change: Change, number: int, force: bool) -> None:
    """Delete a segment. Raises `Conflict` when others ask about it, unless `force` says so."""
    segment = one(change.connection, change.workspace.id, number)
    asking = asking_about(change.connection, change.workspace.id, number)
    if asking and not force:
        named = ", ".join(s.name for s in asking)
        raise Conflict(f"{segment.name} is used by {named}; force=true deletes it all the same")
    store.delete(change.connection, number, change.now)
    change.tell(event.SEGMENT_GONE, segment=number)
    _told(change, "segment.delete", number)


def add_and_remove(
    change: Change, number: int, add: Collection[int], remove: Collection[int]
) -> tuple[int, int]:
    """Change the members of a static segment by hand; how many were added and removed."""
    segment = one(change.connection, change.workspace.id, number)
    if segment.kind != STATIC:
        raise Conflict("Only a static segment is changed by hand; this one follows its condition")
    where = (change.connection, change.dialect, number)
    added = store.add_members(*where, add, change.now)
    removed = store.remove_members(*where, remove)
    tell_members(change, number, added, removed)
    used = msgspec.structs.replace(segment, updated_at=change.now, used_at=change.now)
    store.update(change.connection, used)
    _told(change, "segment.members", number, added=len(added), removed=len(removed))
    return len(added), len(removed)


def tell_members(
    change: Change, number: int, entered: Sequence[int], left: Sequence[int], **more: Any
) -> None:
    """Tell the log who entered and left a segment, a bounded number of records an entry."""
    for kind, records in (("enter", entered), ("exit", left)):
        for start in range(0, len(records), MOST_TOLD):
            part = {kind: records[start : start + MOST_TOLD]}
            change.tell(event.MEMBERS, segment=number, at=change.now, **part, **more)


def touch(change: Change, number: int) -> None:
    """Note that a segment was used; once a day is enough."""
    segment = store.one(change.connection, change.workspace.id, number)
    if segment is not None and change.now - segment.used_at > DAY:
        used = msgspec.structs.replace(segment, used_at=change.now)
        store.update(change.connection, used)


def records_of(
    change: Change, user_ids: Iterable[str], path: str, faults: list[Fault]
) -> list[int]:
    """The living records of these userIds; each unknown one leaves a fault."""
    given = [text.strip() for text in user_ids]
    known = resolve.Known(lambda: 0)
    where = (change.connection, change.dialect)
    identity_store.load_users(*where, change.workspace.id, set(given), known)
    identity_store.load_people(*where, change.workspace.id, [], known)
    found = []
    for place, user_id in enumerate(given):
        number = known.of_user(user_id)
        if number is None:
            faults.append(Fault(f"{path}.{place}", "notFound", "There is no user with this userId"))
        else:
            found.append(known.root(number))
    return found


def _free_name(change: Change, name: str, but: int | None = None) -> str:
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid.at("name", f"name must be text of 1 to {LONGEST_NAME} characters")
    taken = store.named(change.connection, change.workspace.id, name)
    if taken is not None and taken.id != but:
        raise Conflict("A segment of this name exists already", faults=[_taken()])
    return name


def _taken() -> Fault:
    return Fault("name", "conflict", "A segment of this name exists already")


def _described(description: str) -> str:
    description = description.strip()
    if len(description) > LONGEST_DESCRIPTION:
        message = f"description must be at most {LONGEST_DESCRIPTION} characters"
        raise Invalid.at("description", message)
    return description


def _refuse_condition(segment: Segment, condition: dict[str, Any]) -> None:
    if segment.kind == STATIC:
        raise Invalid.at("where", "A static segment has no condition; its members are set by hand")
    if segment.id in mentioned(condition):
        raise Invalid.at("where", "A segment cannot ask about itself")


def _told(change: Change, action: str, number: int, **detail: int) -> None:
    change.audit(action, f"segment:{number}", **detail)
    change.tell("segment", id=number)
