"""Static segments: lists of records that are changed by hand only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal

import msgspec

from user360.access.change import Change
from user360.errors import Conflict
from user360.events import event, moving
from user360.identity import resolve
from user360.identity import store as identity_store
from user360.segments import changing, store
from user360.segments.store import STATIC

MOST_TOLD = 50_000  # records in one entry of the log
UNKNOWN = "There is no user with this userId"

Done = Literal["added", "already", "removed", "absent", "unknown"]


class Outcome(msgspec.Struct, frozen=True, rename="camel"):
    """What became of one userId.

    `already` was in the segment before, `absent` was not, `unknown` is nobody's.
    """

    user_id: str
    outcome: Done


def put_in(change: Change, number: int, records: Collection[int]) -> set[int]:
    """Add records to a static segment; those that were not in it."""
    added = store.add_members(change.connection, change.dialect, number, records, change.now)
    tell_members(change, number, added, ())
    return set(added)


def take_out(change: Change, number: int, records: Collection[int]) -> None:
    """Take records out of a static segment."""
    removed = store.remove_members(change.connection, change.dialect, number, records)
    tell_members(change, number, (), removed)


def change_members(
    change: Change, number: int, add: Sequence[str], remove: Sequence[str]
) -> tuple[list[Outcome], list[Outcome]]:
    """Add userIds and then remove others; an outcome for each, in order.

    Who is in it as a record that was merged away is in it, and is taken out as all of them.
    Unknown userIds are left out and said. Raises `NotFound`, and `Conflict` for a dynamic segment.
    """
    segment = changing.stored(change, number)
    if segment.kind != STATIC:
        raise Conflict("Only a static segment is changed by hand; this one follows its condition")
    known = records_of(change, [*add, *remove])
    held = (change.connection, change.dialect, number)
    adding = _among(known, add)
    added = put_in(change, number, adding - {root for root, _ in store.held_by(*held, adding)})
    removing = store.held_by(*held, _among(known, remove))
    take_out(change, number, {record for _, record in removing})
    removed = {root for root, _ in removing}
    used = msgspec.structs.replace(segment, updated_at=change.now, used_at=change.now)
    store.update(change.connection, used)
    changing.told(change, "segment.members", number, added=len(added), removed=len(removed))
    return (
        _outcomes(add, known, added, "added", "already"),
        _outcomes(remove, known, removed, "removed", "absent"),
    )


def _among(known: dict[str, int], user_ids: Iterable[str]) -> set[int]:
    return {known[text.strip()] for text in user_ids if text.strip() in known}


def _outcomes(
    user_ids: Iterable[str], known: dict[str, int], moved: set[int], did: Done, did_not: Done
) -> list[Outcome]:
    """Of a record that is named twice the first one moved it."""
    left = set(moved)
    found = []
    for text in user_ids:
        number = known.get(text.strip())
        outcome: Done = "unknown" if number is None else did if number in left else did_not
        left.discard(number or 0)
        found.append(Outcome(text, outcome))
    return found


def records_of(change: Change, user_ids: Iterable[str]) -> dict[str, int]:
    """The living records of those of these userIds, without blanks round them, that are known."""
    given = {text.strip() for text in user_ids}
    known = resolve.Known(lambda: 0)
    where = (change.connection, change.dialect)
    identity_store.load_users(*where, change.workspace.id, given, known)
    identity_store.load_people(*where, change.workspace.id, [], known)
    numbers = ((text, known.of_user(text)) for text in given)
    return {text: known.root(number) for text, number in numbers if number is not None}


def tell_members(
    change: Change, number: int, entered: Sequence[int], left: Sequence[int], **more: Any
) -> None:
    """Tell the log who entered and left a segment, a bounded number of records an entry."""
    for kind, records in (("enter", entered), ("exit", left)):
        for start in range(0, len(records), MOST_TOLD):
            part = {kind: moving.packed(records[start : start + MOST_TOLD])}
            change.tell(event.MEMBERS, segment=number, at=change.now, **part, **more)
