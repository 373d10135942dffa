"""What happened to segments: who entered and left when and why, and how large they were.

Read from the warehouse's `changes` and `sizes`. Whoever was merged away is shown as the survivor.
Moments are microseconds since 1970 in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from user360 import clock
from user360.access.workspaces import Workspace
from user360.errors import Problem
from user360.events import event
from user360.events.timeline import members
from user360.storage.warehouse import Warehouse, schema_of

Cause = Literal["event", "write", "merge", "clock", "edit"]
# What was written about somebody so shortly before is what made them enter or leave.
RECENT = 60 * clock.SECOND
MERGES = (event.USER_MERGE, event.USER_UNMERGE)


class Wanted(msgspec.Struct, frozen=True):
    """Which changes of a segment are looked for: from `since` on, before `until`."""

    segment: int
    since: int | None = None
    until: int | None = None


class Moved(msgspec.Struct, frozen=True):
    """One record that entered a segment or left it."""

    record: int
    user_id: str | None
    entered: bool
    at: int
    cause: Cause


class Stay(msgspec.Struct, frozen=True):
    """A time that somebody spent in a segment; `until` is None while it lasts."""

    segment: int
    since: int
    until: int | None


def changes(
    warehouse: Warehouse,
    workspace: Workspace,
    wanted: Wanted,
    edits: Sequence[int],
    limit: int,
    cursor: str | None,
) -> tuple[list[Moved], str | None]:
    """One page of who entered and left, the newest first, and where the next one begins.

    `edits` are the times of the segment's versions. Raises `Problem` for a useless cursor.
    """
    where, given = _where(wanted, cursor)
    rows = warehouse.query(
        _CHANGES.format(w=schema_of(workspace.id), where=where), [*given, limit + 1]
    )
    found = [tuple(row) for row in rows.rows[:limit]]
    before = _before(warehouse, workspace, found)
    moved = [
        Moved(shown, user, entered, at, _cause(silent, at, before.get((seq, record)), edits))
        for seq, record, shown, user, entered, at, silent in found
    ]
    more = len(rows.rows) > limit
    return moved, f"{found[-1][0]}.{found[-1][1]}" if more else None


_CHANGES = """
    WITH found AS (SELECT seq, record_id, entered, "at", silent FROM {w}.changes
                   WHERE {where} ORDER BY seq DESC, record_id DESC LIMIT ?)
    SELECT f.seq, f.record_id, coalesce(g.survivor_id, f.record_id), r.user_id, f.entered,
           epoch_us(f."at"), f.silent
    FROM found f LEFT JOIN {w}.merged g ON g.record_id = f.record_id
    LEFT JOIN {w}.records r ON r.id = coalesce(g.survivor_id, f.record_id)
    ORDER BY f.seq DESC, f.record_id DESC
"""


def _where(wanted: Wanted, cursor: str | None) -> tuple[str, list[Any]]:
    where, given = ["segment_id = ?"], [wanted.segment]
    for comparison, moment in ((">=", wanted.since), ("<", wanted.until)):
        if moment is not None:
            where.append(f'"at" {comparison} make_timestamp(?)')
            given.append(moment)
    if cursor is not None:
        where.append("(seq, record_id) < (?, ?)")
        given += _read_cursor(cursor)
    return " AND ".join(where), given


def _read_cursor(text: str) -> list[int]:
    parts = text.split(".")
    if len(parts) == 2 and all(p.isascii() and p.isdigit() and len(p) < 19 for p in parts):
        return [int(part) for part in parts]
    raise Problem.at("cursor", "cursor must be one that an earlier page answered")


def _before(
    warehouse: Warehouse, workspace: Workspace, found: Sequence[tuple[Any, ...]]
) -> dict[tuple[int, int], tuple[str, int]]:
    """For each change that was told: what was last written about the person, and when."""
    told = [(row[0], row[1], row[5]) for row in found if not row[6]]
    if not told:
        return {}
    given = ", ".join(f"({seq}, {record}, {at})" for seq, record, at in told)
    rows = warehouse.query(_BEFORE.format(w=schema_of(workspace.id), given=given, recent=RECENT))
    return {(seq, record): (name, at) for seq, record, name, at in rows.rows}


_BEFORE = """
    WITH given (seq, record_id, "at") AS (VALUES {given}),
    people AS (SELECT g.*, coalesce(m.survivor_id, g.record_id) AS person
               FROM given g LEFT JOIN {w}.merged m ON m.record_id = g.record_id),
    asked AS (SELECT p.*, person AS of_record FROM people p
              UNION ALL SELECT p.*, m.record_id FROM people p
              JOIN {w}.merged m ON m.survivor_id = p.person),
    written AS (SELECT seq, record_id, name, received_at FROM {w}.events
                WHERE received_at >= make_timestamp((SELECT min("at") FROM given) - {recent})
                AND received_at <= make_timestamp((SELECT max("at") FROM given))
                AND name NOT IN ('SEGMENT_ENTER', 'SEGMENT_EXIT'))
    SELECT a.seq, a.record_id, arg_max(e.name, e.seq), epoch_us(arg_max(e.received_at, e.seq))
    FROM asked a JOIN written e ON e.record_id = a.of_record AND e.seq < a.seq
    AND e.received_at >= make_timestamp(a."at" - {recent})
    GROUP BY a.seq, a.record_id
"""


def _cause(silent: bool, at: int, before: tuple[str, int] | None, edits: Sequence[int]) -> Cause:
    """What was written last before it; nothing was when only the clock went on."""
    if silent:
        return "edit"
    name, written = before or ("", 0)
    if any(max(written, at - RECENT) <= edit <= at for edit in edits):
        return "edit"
    if not name:
        return "clock"
    if name in MERGES:
        return "merge"
    return "write" if name in event.SYSTEM_NAMES else "event"


def stays(warehouse: Warehouse, workspace: Workspace, number: int) -> list[Stay]:
    """When a living record was in which segments, the newest stay first.

    What records merged into it were in counts as its own.
    """
    schema = schema_of(workspace.id)
    among = ", ".join(str(n) for n in members(warehouse, workspace.id, number))
    moves = warehouse.query(
        f'SELECT segment_id, record_id, entered, epoch_us("at") FROM {schema}.changes'
        f" WHERE record_id IN ({among}) ORDER BY segment_id, seq"
    ).rows
    held = warehouse.query(
        f"SELECT segment_id, record_id, epoch_us(since) FROM {schema}.members"
        f" WHERE record_id IN ({among})"
    ).rows
    known = {(segment, record) for segment, record, _, _ in moves}
    # Lists made before changes were kept have members that no change tells of.
    early = [(s, r, True, at) for s, r, at in held if (s, r) not in known]
    found = _stays(sorted([*early, *moves], key=lambda row: (row[0], row[3])))
    return sorted(found, key=lambda stay: stay.since, reverse=True)


def _stays(moves: Sequence[tuple[Any, ...]]) -> list[Stay]:
    """A person is in a segment as long as one of its records is."""
    found: list[Stay] = []
    within: dict[int, set[int]] = {}
    for segment, record, entered, at in moves:
        records = within.setdefault(segment, set())
        if entered and not records:
            found.append(Stay(segment, at, None))
        if entered:
            records.add(record)
            continue
        records.discard(record)
        if not records and found and found[-1].segment == segment and found[-1].until is None:
            found[-1] = msgspec.structs.replace(found[-1], until=at)
    return found
