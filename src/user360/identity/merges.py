"""The merges of a person: what was merged, when and why, and what undoing one would do."""

from __future__ import annotations

from typing import Any

import msgspec

from user360 import clock, ids
from user360.access.workspaces import Workspace
from user360.errors import Conflict, NotFound
from user360.identity import people, resolve, store
from user360.records import settle, shape
from user360.storage.ledger import Connection, Dialect
from user360.storage.warehouse import Warehouse, schema_of


class Undoing(msgspec.Struct, frozen=True):
    """What an undoing does: both records as they will be, and what goes back with the merged one.

    `records` are the numbers that make up the merged person, for counting its events.
    """

    survivor: dict[str, Any]
    merged: dict[str, Any]
    sessions: list[dict[str, str]]
    records: list[int]


class Merging(msgspec.Struct, frozen=True):
    """What a merge does: both records as they are, the survivor as it will be.

    `records` are the numbers that make up the one that goes, for counting its events.
    """

    before: dict[str, Any]
    merged: dict[str, Any]
    after: dict[str, Any]
    records: list[int]


def of_person(connection: Connection, dialect: Dialect, number: int) -> list[dict[str, Any]]:
    """All merges of the person behind a record, undone ones too, the oldest first."""
    forest = people.grove(connection, dialect, [number])
    root = people.root_of(forest, number)
    members = [] if root is None else settle.members(forest, root)
    return [_shown(row) for row in store.merges_of(connection, dialect, members)]


def _shown(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "survivor": ids.public_record_id(row.survivor_id),
        "merged": ids.public_record_id(row.merged_id),
        "at": clock.to_iso(row.at),
        "writtenAt": clock.to_iso(row.merged_at),
        "source": row.source,
        "ref": row.ref,
        "reason": row.reason,
        "took": msgspec.json.decode(row.took),
        "undoneAt": None if row.undone_at is None else clock.to_iso(row.undone_at),
        "undoneBy": row.undone_by,
    }


def undoing(connection: Connection, dialect: Dialect, workspace: Workspace, number: int) -> Undoing:
    """What undoing a merge would do now; nothing is changed.

    Raises `NotFound`, `Conflict` and `Invalid`, as undoing itself would.
    """
    known = resolve.Known(lambda: 0)
    involved = store.load_merges(connection, dialect, workspace.id, {number}, known)
    store.load_people(connection, dialect, workspace.id, involved, known)
    undone = resolve.unmerge(number, known).unmerged
    if undone is None:
        raise NotFound("There is no such merge")
    forest = people.grove(connection, dialect, [undone.survivor])
    root = people.root_of(forest, undone.survivor)
    assert root is not None
    settle.detach(forest, undone.survivor, undone.merged)
    below = settle.members(forest, undone.merged)
    return Undoing(
        _record(forest, root, workspace),
        _record(forest, undone.merged, workspace),
        [
            {"channel": row.channel, "id": row.session_id}
            for row in store.sessions_of(connection, dialect, below)
        ],
        below,
    )


def merging(
    connection: Connection,
    dialect: Dialect,
    workspace: Workspace,
    survivor: int,
    other: int,
    now: int,
) -> Merging:
    """What merging the person of `other` into that of `survivor` would do; nothing is changed.

    Raises `NotFound`, and `Conflict` when they are one person already.
    """
    forest = people.grove(connection, dialect, [survivor, other])
    into, gone = people.root_of(forest, survivor), people.root_of(forest, other)
    if into is None or gone is None:
        raise NotFound("There is no such record")
    if into == gone:
        raise Conflict("The two are one record already")
    before, merged = _record(forest, into, workspace), _record(forest, gone, workspace)
    records = settle.members(forest, gone)
    settle.attach(forest, into, settle.Edge(now, gone, 0))
    return Merging(before, merged, _record(forest, into, workspace), records)


def _record(forest: settle.Forest, number: int, workspace: Workspace) -> dict[str, Any]:
    return shape.record(forest[number], settle.view(forest, number), workspace.catalogue)


def count_events(warehouse: Warehouse, workspace: int, records: list[int]) -> int:
    """How many events were written to these records."""
    listed = ", ".join(str(n) for n in records)
    sql = f"SELECT count(*) FROM {schema_of(workspace)}.events WHERE record_id IN ({listed})"
    return int(warehouse.query(sql).rows[0][0])
