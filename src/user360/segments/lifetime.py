"""A segment comes to rest: archived by hand, or by itself when nobody used it, and given back."""

from __future__ import annotations

from typing import Any

import msgspec

from user360.access.change import Change
from user360.access.workspaces import Workspace
from user360.segments import changing, conditions, store
from user360.segments.language.dependencies import mentioned
from user360.segments.store import Segment

DAY = 86_400_000_000  # microseconds


def archive(change: Change, number: int, archived: bool, **detail: Any) -> Segment:
    """Archive a segment, or give it back. Doing either twice changes nothing.

    `detail` goes into the audit.
    """
    segment = changing.stored(change, number)
    if (segment.archived_at is not None) == archived:
        return segment
    at = change.now if archived else None
    used = segment.used_at if archived else change.now
    segment = msgspec.structs.replace(segment, archived_at=at, used_at=used)
    store.update(change.connection, segment)
    changing.told(change, "segment.archive" if archived else "segment.unarchive", number, **detail)
    return segment


def touch(change: Change, number: int) -> None:
    """Note that a segment was used; once a day is enough."""
    segment = store.one(change.connection, change.workspace.id, number)
    if segment is not None and change.now - segment.used_at > DAY:
        store.update(change.connection, msgspec.structs.replace(segment, used_at=change.now))
        changing.put_in_force(change)


def archive_unused(change: Change, now: int) -> list[Segment]:
    """Archive what was not viewed, used or changed for as many days as the workspace says.

    A segment is in use as long as an active one asks about it. 0 days keep everything. `now` is in
    microseconds. Returns those archived.
    """
    days = change.workspace.settings.archive_after_days
    idle = unused(change.workspace, now)
    return [archive(change, segment.id, True, unusedDays=days) for segment in idle]


def unused(workspace: Workspace, now: int) -> list[Segment]:
    """The active segments that nobody used for as many days as the workspace says."""
    days = workspace.settings.archive_after_days
    active = [s for s in workspace.segments.values() if s.archived_at is None]
    idle = [s for s in active if days and s.used_at < now - days * DAY]
    if not idle:
        return []
    named = {number for s in active for number in mentioned(conditions.of(s))}
    return [s for s in idle if s.id not in named]
