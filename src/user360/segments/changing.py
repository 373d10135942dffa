"""What every change of a segment has in common.

It runs in the writer's transaction, tells the log, so that readers of the warehouse can wait until
they see what was changed, and puts the definitions in force in `workspace.segments`.
"""

from __future__ import annotations

from typing import Any

from user360.access.change import Change
from user360.errors import NotFound
from user360.segments import store
from user360.segments.store import Segment


def stored(change: Change, number: int) -> Segment:
    """A segment as this transaction sees it. Raises `NotFound`."""
    within = 0 < number < store.HIGHEST
    found = store.one(change.connection, change.workspace.id, number) if within else None
    if found is None:
        raise NotFound("There is no such segment")
    return found


def told(change: Change, action: str, number: int, **detail: Any) -> None:
    """Write a change into the audit and the log, and put it in force; done last."""
    change.audit(action, f"segment:{number}", **detail)
    change.tell("segment", id=number)
    put_in_force(change)


def put_in_force(change: Change) -> None:
    """Let readers see the segments as they are now."""
    found = store.all_segments(change.connection, change.workspace.id)
    change.workspace.segments = {s.id: s for s in found}


def filled(change: Change, number: int, version: int) -> bool:
    """Note that the stored members are those of `version`; False when it is no longer in force."""
    noted = store.filled(change.connection, number, version)
    put_in_force(change)
    return noted
