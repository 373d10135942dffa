"""The last steps: everything the batch decided, written set by set."""

from __future__ import annotations

from user360.access import workspaces
from user360.events import store as event_store
from user360.identity import saving
from user360.ingest.batch import Batch
from user360.records import settle


def people(batch: Batch) -> None:
    """Records, sessions and merges."""
    where = (batch.connection, batch.dialect)
    batch.files += saving.delete_people(*where, batch.dead)
    _records(batch)
    mapped = {s: leaf for s, leaf in batch.mapped.items() if leaf not in batch.dead}
    saving.save_sessions(*where, batch.workspace.id, mapped, batch.now)
    # Moved to somebody who was deleted next: what they were mapped to before is over as well.
    saving.forget_sessions(*where, batch.workspace.id, batch.mapped.keys() - mapped.keys())
    for merge in batch.merges.values():
        if not batch.dead & {merge["survivor"], merge["merged"]}:
            saving.save_merge(batch.connection, **merge)
    for number, by in batch.undone.items():
        saving.save_undone(batch.connection, number, batch.now, by)
    if batch.workspace.counters != batch.counters:
        workspaces.save_counters(batch.connection, batch.workspace)


def _records(batch: Batch) -> None:
    """Most writes change cells alone: then the indexes over names need no writing."""
    where = (batch.connection, batch.dialect, batch.workspace.id)
    stayed: list[tuple[object, ...]] = []
    moved: list[tuple[object, ...]] = []
    for number in sorted(batch.dirty - batch.dead):
        own = batch.forest[number]
        if batch.places.get(number) == own.place:
            stayed.append((number, _cells(own), own.created_at, own.updated_at))
        else:
            moved.append(_row(own))
    saving.save_cells(*where, stayed)
    saving.save_records(*where, moved)


def _row(own: settle.Own) -> tuple[object, ...]:
    return (
        own.id,
        own.user_id,
        _cells(own),
        own.created_at,
        own.updated_at,
        own.merged_into,
        own.merge_id,
        own.merged_at,
    )


def _cells(own: settle.Own) -> str:
    text: str = settle.encode_cells(own.cells).decode()
    return text


def log(batch: Batch) -> None:
    """The log, the ids in it, what was seen, what was refused; and each outcome's position."""
    connection, number = batch.connection, batch.workspace.id
    event_store.append(connection, number, batch.entries)
    event_store.remember(connection, batch.dialect, batch.digests)
    event_store.save_seen(connection, number, batch.seen.values())
    event_store.save_rejections(connection, number, dict(batch.rejections), batch.now)
    for work in batch.work:
        if work.outcome is not None:
            work.outcome.seq = batch.position.last
