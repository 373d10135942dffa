"""Facts become columns: what entries of the log mean for the warehouse."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import sqlalchemy as sa

from user360 import ids
from user360.access.workspaces import Workspace
from user360.events import event
from user360.events import store as event_store
from user360.identity import store as identity_store
from user360.records import columns, settle
from user360.segments import store as segment_store
from user360.storage.ledger import Connection, Dialect, Ledger
from user360.storage.warehouse import EVENTS, Changes, Warehouse

RECORDS_AT_ONCE = 20_000
EVENTS_AT_ONCE = 200_000


class LogReader:
    """Reads the log for the projector, with the declarations of the living workspaces."""

    def __init__(self, workspaces: Mapping[int, Workspace], dialect: Dialect) -> None:
        self.workspaces = workspaces
        self.dialect = dialect

    def columns(self) -> Mapping[int, Mapping[str, str]]:
        return {n: w.catalogue.columns() for n, w in list(self.workspaces.items())}

    def round(self, connection: Connection, after: int) -> tuple[Mapping[int, Changes], int]:
        entries: dict[int, list[event.StoredEntry]] = {}
        position = after
        for workspace, chunk in event_store.chunks(connection, after):
            entries.setdefault(workspace, []).extend(chunk)
            position = chunk[-1].seq
        return {n: self._changes(connection, n, found) for n, found in entries.items()}, position

    def _changes(
        self, connection: Connection, workspace: int, entries: Sequence[event.StoredEntry]
    ) -> Changes:
        touched: set[int] = set()
        dead: set[int] = set()
        segments = False
        for entry in entries:
            if entry.kind == event.SYSTEM:
                touched.add(entry.record)
                if entry.name == event.USER_DELETE:
                    dead |= _buried(workspace, entry)
            elif entry.kind == event.INTERNAL and entry.name == "segment":
                segments = True
        records, merged, below = self._people(connection, workspace, touched)
        return Changes(
            touched | dead | below,
            records,
            merged,
            dead,
            event_table(entries),
            segment_store.all_members(connection, workspace) if segments else None,
        )

    def _people(
        self, connection: Connection, workspace: int, touched: Collection[int]
    ) -> tuple[pa.Table | None, list[tuple[int, int]], set[int]]:
        """The living records behind those touched, and where all merged into them live on."""
        if not touched:
            return None, [], set()
        roots = identity_store.roots_of(connection, self.dialect, touched)
        forest = identity_store.load_forest(connection, self.dialect, roots, roots)
        merged = [
            (member, root)
            for root in roots
            for member in settle.members(forest, root)
            if member != root
        ]
        settled = [(forest[n], settle.view(forest, n)) for n in sorted(roots)]
        table = columns.table(settled, self.workspaces[workspace].catalogue)
        return table, merged, roots | {member for member, _ in merged}

    def refill(self, ledger: Ledger, warehouse: Warehouse, workspace: int, column: str) -> None:
        """Fill a column from the ledger: after a retype, or when a property was given back."""
        catalogue = self.workspaces[workspace].catalogue
        declared = next((p for p in catalogue if p.column == column), None)
        if declared is None:
            return

        def batches(connection: Connection) -> Iterator[pa.RecordBatch]:
            for settled in settled_records(connection, self.dialect, workspace):
                held = [
                    (own.id, cells[declared.name])
                    for own, cells in settled
                    if declared.name in cells
                ]
                if held:
                    values = columns.column([cell for _, cell in held], declared)
                    numbers = pa.array([n for n, _ in held], pa.int64())
                    yield pa.record_batch([numbers, values], ["id", "value"])

        with ledger.read() as connection:
            warehouse.fill(workspace, column, batches(connection))

    def rebuild(self, ledger: Ledger, warehouse: Warehouse) -> None:
        """Fill an empty warehouse: all living records, then the whole log in order."""
        with ledger.read() as connection:
            for number, workspace in list(self.workspaces.items()):
                warehouse.prepare(number, workspace.catalogue.columns())
                self._refill_records(connection, warehouse, number)
            position = self._refill_events(connection, warehouse)
        for number in self.workspaces:
            warehouse.drop_orphans(number)
            warehouse.fold(number, 1)
        warehouse.apply({}, position)

    def _refill_records(self, connection: Connection, warehouse: Warehouse, number: int) -> None:
        catalogue = self.workspaces[number].catalogue
        for settled in settled_records(connection, self.dialect, number):
            table = columns.table(settled, catalogue)
            warehouse.apply({number: Changes((), table, (), (), None, None)}, 0)
        merged = identity_store.merged_map(connection, number)
        members = segment_store.all_members(connection, number)
        warehouse.apply({number: Changes((), None, merged, (), None, members)}, 0)

    def _refill_events(self, connection: Connection, warehouse: Warehouse) -> int:
        position = 0
        waiting: dict[int, list[event.StoredEntry]] = {}
        for workspace, chunk in event_store.chunks(connection, 0, most=1 << 62):
            position = chunk[-1].seq
            held = waiting.setdefault(workspace, [])
            held.extend(chunk)
            if len(held) >= EVENTS_AT_ONCE:
                _store_events(warehouse, workspace, waiting.pop(workspace))
                warehouse.fold(workspace, 10 * EVENTS_AT_ONCE)
        for workspace, held in waiting.items():
            _store_events(warehouse, workspace, held)
        return position


def _store_events(
    warehouse: Warehouse, workspace: int, entries: Sequence[event.StoredEntry]
) -> None:
    changes = Changes((), None, (), (), event_table(entries), None)
    warehouse.apply({workspace: changes}, 0)


def _buried(workspace: int, entry: event.StoredEntry) -> set[int]:
    """The records that a deletion took; none when the entry tells of a merge."""
    told = msgspec.json.decode(entry.properties)
    numbers = (ids.parse_record_id(workspace, text) for text in told.get("recordIds", ()))
    return {n for n in numbers if n is not None}


def event_table(entries: Iterable[event.StoredEntry]) -> pa.Table:
    """Custom and system entries as columns of the warehouse."""
    shown = [e for e in entries if e.kind != event.INTERNAL]
    lists: list[list[Any]] = [
        [e.seq for e in shown],
        [e.record for e in shown],
        [e.name for e in shown],
        [e.at for e in shown],
        [e.received for e in shown],
        [e.id for e in shown],
        [e.source for e in shown],
        [e.channel for e in shown],
        [bytes(e.properties) for e in shown],
    ]
    arrays = [pa.array(v, field.type) for v, field in zip(lists[:8], EVENTS, strict=False)]
    arrays.append(pa.array(lists[8], pa.binary()).cast(pa.string()))
    return pa.Table.from_arrays(arrays, schema=EVENTS)


def settled_records(
    connection: Connection, dialect: Dialect, workspace: int
) -> Iterator[list[columns.Settled]]:
    """All living records of a workspace, settled, some thousands at a time."""
    after = ids.record_number(workspace, 0)
    while True:
        numbers = identity_store.living(connection, workspace, after, RECORDS_AT_ONCE)
        if not numbers:
            return
        survivors = identity_store.survivors_among(connection, numbers[0], numbers[-1])
        forest = identity_store.load_forest(connection, dialect, numbers, survivors)
        yield [(forest[n], settle.view(forest, n)) for n in numbers]
        after = numbers[-1]
