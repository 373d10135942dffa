"""Facts become columns: what entries of the log mean for the warehouse."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from user360 import ids
from user360.access.workspaces import Workspace
from user360.events import chunk, event, moving
from user360.events import store as event_store
from user360.identity import store as identity_store
from user360.records import columns, settle
from user360.records import store as record_store
from user360.records.properties import Property
from user360.storage.ledger import Connection, Dialect, Ledger
from user360.storage.projector import Progress, Round
from user360.storage.warehouse import EVENTS, Changes, Move, Warehouse

RECORDS_AT_ONCE = 20_000
EVENTS_AT_ONCE = 25_000
# About how a rebuild's time divides between records, events and sorting these.
RECORDS_SHARE, EVENTS_SHARE = 0.2, 0.5
# What the warehouse calls the columns that the log calls otherwise.
OF_LOG = {"record_id": "record", "received_at": "received"}


# From so many touched records on, those that stand alone are read by a quicker way, a bounded
# number at a time.
MANY = 200
ALONE_AT_ONCE = 2_000


class LogReader:
    """Reads the log for the projector, with the declarations of the living workspaces."""

    def __init__(self, workspaces: Mapping[int, Workspace], dialect: Dialect) -> None:
        self.workspaces = workspaces
        self.dialect = dialect
        self._taken = {n: w.catalogue for n, w in workspaces.items()}
        # The newest property of each workspace that was there before, or has its column.
        self._newest = {n: max(p.id for p in w.catalogue) for n, w in workspaces.items()}

    def columns(self) -> Mapping[int, Mapping[str, str]]:
        # The declarations in force may change at any time; a round keeps to those it began with.
        self._taken = {n: w.catalogue for n, w in list(self.workspaces.items())}
        return {n: catalogue.columns() for n, catalogue in self._taken.items()}

    def round(self, connection: Connection, after: int) -> Round:
        found = event_store.stretch(connection, after, EVENTS_AT_ONCE)
        columns = self.columns()
        changes = {
            number: self._changes(connection, number, chunk.unpack(bodies))
            for number, bodies in found.chunks.items()
        }
        return Round(changes, found.last, columns)

    def _changes(self, connection: Connection, workspace: int, entries: pa.Table) -> Changes:
        told = entries.filter(pc.not_equal(entries["kind"], event.CUSTOM))
        touched, dead = _meant(workspace, told)
        records, merged, below = self._people(connection, workspace, touched)
        return Changes(
            touched | dead | below,
            records,
            merged,
            dead,
            event_table(entries),
            moves_in(told),
            frozenset(pc.unique(told["name"]).to_pylist()),
        )

    def _people(
        self, connection: Connection, workspace: int, touched: Collection[int]
    ) -> tuple[pa.Table | None, list[tuple[int, int]], set[int]]:
        """The living records behind those touched, and where all merged into them live on."""
        if not touched:
            return None, [], set()
        tables = self._alone(connection, workspace, touched) if len(touched) >= MANY else []
        alone = {number for table in tables for number in table["id"].to_pylist()}
        rest = set(touched) - alone
        if not rest:
            return _joined(tables), [], alone
        roots = identity_store.roots_of(connection, self.dialect, rest)
        forest = identity_store.load_forest(connection, self.dialect, roots, roots)
        merged = [
            (member, root)
            for root in roots
            for member in settle.members(forest, root)
            if member != root
        ]
        settled = [(forest[n], settle.view(forest, n)) for n in sorted(roots)]
        tables.append(columns.table(settled, self._taken[workspace]))
        return _joined(tables), merged, alone | roots | {member for member, _ in merged}

    def _alone(
        self, connection: Connection, workspace: int, touched: Collection[int]
    ) -> list[pa.Table]:
        """Those of the touched records that live and that nothing was merged into."""
        numbers, tables = sorted(touched), []
        for start in range(0, len(numbers), ALONE_AT_ONCE):
            part = numbers[start : start + ALONE_AT_ONCE]
            found = record_store.alone(connection, self.dialect, part)
            if found is not None:
                tables.append(columns.table_of(found, self._taken[workspace]))
        return tables

    def fill(self, ledger: Ledger, warehouse: Warehouse, workspace: int, column: str) -> None:
        """Make a column, with what the ledger holds for it: a retyped or returned property."""
        declared = next(p for p in self._taken[workspace] if p.column == column)
        with ledger.read() as connection:
            held = self._held(connection, workspace, declared)
            warehouse.fill(workspace, column, declared.type, held)
        self._newest[workspace] = max(self._newest[workspace], declared.id)

    def _held(
        self, connection: Connection, workspace: int, declared: Property
    ) -> Iterator[pa.RecordBatch]:
        """The values of one property: batches of (id, value)."""
        if self._fresh(connection, workspace, declared):
            return
        for numbers in _living(connection, workspace):
            span = numbers[0], numbers[-1]
            held = record_store.values_of(connection, self.dialect, *span, declared.name)
            rest = [number for number in numbers if number not in held]
            for own, cells in _settled(connection, self.dialect, rest):
                held[own.id] = cells[declared.name].value if declared.name in cells else None
            values = columns.of_values(list(held.values()), declared)
            batch = pa.record_batch([pa.array(held, pa.int64()), values], ["id", "value"])
            if (known := batch.filter(values.is_valid())).num_rows:
                yield known

    def _fresh(self, connection: Connection, workspace: int, declared: Property) -> bool:
        """Whether the property was declared just now under a name never used before.

        Nobody holds a value of it then that the next rounds do not bring, and a workspace of a
        million records need not be read to add it.
        """
        if declared.retyped or declared.id <= self._newest.setdefault(workspace, 0):
            return False
        gone = record_store.deleted_properties(connection, workspace)
        return all(p.name != declared.name for p in gone)

    def rebuild(self, ledger: Ledger, warehouse: Warehouse, progress: Progress) -> None:
        """Fill an empty warehouse: all living records, then the whole log in order."""
        with ledger.read() as connection:
            end = event_store.last_position(connection)
            for number, workspace in list(self.workspaces.items()):
                warehouse.prepare(number, workspace.catalogue.columns())
                self._refill_records(connection, warehouse, number)
            progress(RECORDS_SHARE)
            for position in self._refill_events(connection, warehouse):
                progress(RECORDS_SHARE + EVENTS_SHARE * position / end)
        for number in list(self.workspaces):
            warehouse.drop_orphans(number)
            warehouse.sort(number)
        warehouse.apply({}, end)
        progress(1.0)

    def _refill_records(self, connection: Connection, warehouse: Warehouse, number: int) -> None:
        catalogue = self.workspaces[number].catalogue
        for settled in settled_records(connection, self.dialect, number):
            table = columns.table(settled, catalogue)
            warehouse.apply({number: Changes((), table, (), (), None)}, 0)
        merged = identity_store.merged_map(connection, number)
        warehouse.apply({number: Changes((), None, merged, (), None)}, 0)

    def _refill_events(self, connection: Connection, warehouse: Warehouse) -> Iterator[int]:
        """Append all events; yields the positions reached."""
        position = 0
        while (found := event_store.stretch(connection, position, EVENTS_AT_ONCE)).size:
            for workspace, bodies in found.chunks.items():
                entries = chunk.unpack(bodies)
                told = entries.filter(pc.equal(entries["kind"], event.INTERNAL))
                brought = Changes((), None, (), (), event_table(entries), moves_in(told))
                warehouse.apply({workspace: brought}, 0)
            position = found.last
            yield position


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Records in the order of their numbers; a property that a table lacks has no values there."""
    if len(tables) == 1:
        return tables[0]
    return pa.concat_tables(tables, promote_options="default").sort_by("id")


def _meant(workspace: int, told: pa.Table) -> tuple[set[int], set[int]]:
    """The records that entries, no custom events, say were touched, and those of them dead."""
    system = told.filter(pc.equal(told["kind"], event.SYSTEM))
    touched: set[int] = set()
    dead: set[int] = set()
    numbers = system["record"].to_pylist()
    for place, name in enumerate(system["name"].to_pylist()):
        if name in event.MOVES:
            continue
        touched.add(numbers[place])
        if name == event.USER_DELETE:
            dead |= _buried(workspace, system["properties"][place].as_py())
    return touched, dead


class _Told(msgspec.Struct, rename="camel"):
    """An internal entry about a segment."""

    segment: int
    at: int = 0
    enter: list[int] | str = []
    exit: list[int] | str = []
    silent: bool = True
    size: int | None = None


def moves_in(told: pa.Table) -> list[Move]:
    """What internal entries tell of the membership of segments, in their order."""
    names = pa.array([event.MEMBERS, event.SEGMENT_GONE])
    about = told.filter(pc.is_in(told["name"], names)).sort_by("seq")
    moves = []
    for seq, name, text in zip(
        *(about[column].to_pylist() for column in ("seq", "name", "properties")), strict=True
    ):
        read = msgspec.json.decode(text, type=_Told)
        deleted = name == event.SEGMENT_GONE
        who = (moving.unpacked(read.enter), moving.unpacked(read.exit))
        moves.append(Move(seq, read.segment, read.at, *who, read.silent, read.size, deleted))
    return moves


def _buried(workspace: int, properties: str) -> set[int]:
    """The records that a deletion took; none when the entry tells of a merge."""
    told = msgspec.json.decode(properties)
    numbers = (ids.parse_record_id(workspace, text) for text in told.get("recordIds", ()))
    return {n for n in numbers if n is not None}


def event_table(entries: pa.Table) -> pa.Table:
    """Custom and system entries as columns of the warehouse."""
    internal = pc.equal(entries["kind"], event.INTERNAL)
    shown = entries.filter(pc.invert(internal)) if pc.any(internal).as_py() else entries
    names = [OF_LOG.get(name, name) for name in EVENTS.names]
    return shown.select(names).rename_columns(EVENTS.names)


def settled_records(
    connection: Connection, dialect: Dialect, workspace: int
) -> Iterator[list[columns.Settled]]:
    """All living records of a workspace, settled, some thousands at a time."""
    for numbers in _living(connection, workspace):
        yield _settled(connection, dialect, numbers)


def _living(connection: Connection, workspace: int) -> Iterator[list[int]]:
    """The numbers of all living records in their order, some thousands at a time."""
    after = ids.record_number(workspace, 0)
    while numbers := identity_store.living(connection, workspace, after, RECORDS_AT_ONCE):
        yield numbers
        after = numbers[-1]


def _settled(
    connection: Connection, dialect: Dialect, numbers: Sequence[int]
) -> list[columns.Settled]:
    """Living records, settled; given in their order."""
    if not numbers:
        return []
    survivors = identity_store.survivors_among(connection, numbers[0], numbers[-1])
    forest = identity_store.load_forest(connection, dialect, numbers, survivors)
    return [(forest[n], settle.view(forest, n)) for n in numbers]
