"""Entering and leaving become facts: what the keeper found, written to the ledger's log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from user360.access.change import Change
from user360.events import event, moving
from user360.events import store as event_store
from user360.identity import store as identity_store
from user360.segments import changing, store
from user360.segments.following.membership import Difference
from user360.segments.store import Segment

# Records in one commit: with an event for each, and without, so that other writers need not wait.
MOST_EVENTS = 5_000
MOST_SILENT = 1_000_000
SOURCE = "segments"


class Part(msgspec.Struct, frozen=True):
    """As much of a difference as one commit takes; `size` and `fills` come with the last."""

    segment: Segment
    entered: list[int]
    left: list[int]
    rows: list[int]
    silent: bool
    size: int | None
    fills: bool


def parts(found: Difference) -> Iterator[Part]:
    """A difference cut into what one commit takes; nothing where nothing is to be told."""
    kept = found.kept
    most = MOST_SILENT if kept.silent else MOST_EVENTS
    none: list[int] = []
    pieces = [(some, none, none) for some in _cut(found.entered, most)]
    if found.rows == found.left:
        pieces += [(none, some, some) for some in _cut(found.left, most)]
    else:  # with rows of those merged into them, which stay beside them
        pieces.append((none, found.left, found.rows))
    if not pieces and (kept.filling or found.size != kept.size):
        pieces.append((none, none, none))
    for i, (entered, left, rows) in enumerate(pieces, 1):
        last = i == len(pieces)
        size = found.size if last else None
        yield Part(kept.segment, entered, left, rows, kept.silent, size, last and kept.filling)


def weight(part: Part) -> float:
    """How much of a commit a part takes: 1 is all of it."""
    records = len(part.entered) + len(part.rows)
    return records / (MOST_SILENT if part.silent else MOST_EVENTS)


def _cut(records: list[int], most: int) -> Iterator[list[int]]:
    for start in range(0, len(records), most):
        yield records[start : start + most]


def tell(change: Change, told: Sequence[Part]) -> list[list[int] | None]:
    """Write these parts; for each those who entered, or None where it is out of date.

    A part is out of date when its segment was edited or deleted since; nothing of it is written
    then. Whoever was deleted or merged away since is not told of; the warehouse does not take in
    the dead among those who enter silently.
    """
    asked = {n for part in told if not part.silent for n in (*part.entered, *part.rows)}
    there = identity_store.there(change.connection, change.dialect, asked)
    living = {number for number, lives in there.items() if lives}
    done: list[list[int] | None] = []
    for part in told:
        now = store.one(change.connection, change.workspace.id, part.segment.id)
        if now is None or now.version != part.segment.version:
            done.append(None)
            continue
        entered, rows = part.entered, part.rows
        if not part.silent:
            rows = [number for number in part.rows if number in there]
            entered = [number for number in part.entered if number in living]
            _events(change, part.segment, event.SEGMENT_ENTER, entered)
            left = [number for number in part.left if number in living]
            _events(change, part.segment, event.SEGMENT_EXIT, left)
        change.tell(
            event.MEMBERS,
            segment=part.segment.id,
            at=change.now,
            enter=moving.packed(entered),
            exit=moving.packed(rows),
            silent=part.silent,
            **({} if part.size is None else {"size": part.size}),
        )
        if part.fills:
            changing.filled(change, part.segment.id, part.segment.version)
        done.append(entered)
    return done


def _events(change: Change, segment: Segment, name: str, records: Sequence[int]) -> None:
    """Events of the records, each in their timeline."""
    properties = {"segmentId": segment.id, "segment": segment.name}
    entries = []
    for record in records:
        seq = change.take()
        entries.append(
            event.Entry(
                seq,
                event.SYSTEM,
                record,
                name,
                change.now,
                change.now,
                f"s{seq}",
                SOURCE,
                "",
                change.actor,
                properties,
            )
        )
    event_store.append(change.connection, change.workspace.id, entries)
