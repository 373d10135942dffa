"""The long comparisons of ledger and warehouse, piece by piece, in memory that does not grow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyroaring import BitMap64

from user360 import ids
from user360.access.workspaces import Workspace
from user360.events import chunk, event
from user360.events import store as event_store
from user360.identity import store as identity_store
from user360.ingest import health, project
from user360.ingest.finding import Tally, Told, differences
from user360.records import columns
from user360.records.properties import Catalogue
from user360.segments import store as segment_store
from user360.storage.ledger import Connection, Dialect
from user360.storage.warehouse import ARROW, EVENTS, FIXED, Snapshot, schema_of

BUCKET = 17  # events are compared by stretches of 2^17 positions
DETAILED = 50  # stretches that are looked at event by event

Sums = dict[int, tuple[int, int]]  # bucket -> events in it, their checksum


class Places(NamedTuple):
    """Ledger and warehouse, standing still at one position."""

    connection: Connection
    dialect: Dialect
    snapshot: Snapshot
    position: int
    compute: Callable[..., pa.Table]  # the engine's own arithmetic, over tables it is given
    looked: Callable[[int], None]  # told how many records and entries more were looked at


class Compared:
    """What was compared of one workspace."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.records = 0
        self.events = 0
        self.members: dict[int, BitMap64] = {}  # by segment, as the log tells it


def records(
    places: Places, workspace: Workspace, unlike: Collection[str], compared: Compared
) -> None:
    """Compare all living records in all columns but those that are not as declared."""
    schema = _record_schema(workspace.catalogue, unlike)
    told = _told_records(workspace.catalogue)
    last = -1
    for settled in project.settled_records(places.connection, places.dialect, workspace.id):
        after, last = last, settled[-1][0].id
        expected = _shaped(columns.table(settled, workspace.catalogue), schema)
        held = _held_records(places, workspace, schema, after, last)
        differences(expected, held, told, compared.tally)
        compared.records += len(settled)
        places.looked(len(settled))
    rest = _held_records(places, workspace, schema, last, (1 << 63) - 1)
    differences(schema.empty_table(), rest, told, compared.tally)


def _record_schema(catalogue: Catalogue, unlike: Collection[str]) -> pa.Schema:
    fixed = [pa.field(name, kind) for name, kind in FIXED]
    kinds = {n: kind for n, kind in catalogue.columns().items() if n not in dict(FIXED)}
    typed = [pa.field(n, ARROW[kind]) for n, kind in kinds.items() if n not in unlike]
    return pa.schema(fixed + typed)


def _told_records(catalogue: Catalogue) -> Told:
    names = {p.column: p.name for p in catalogue}
    return Told("records", "id", ids.public_record_id, lambda column: names.get(column, column))


def _shaped(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of `schema`; those that no record has a value for are empty."""
    empty = {f.name: pa.nulls(table.num_rows, f.type) for f in schema}
    given = [table[f.name] if f.name in table.column_names else empty[f.name] for f in schema]
    return pa.Table.from_arrays(given, schema=schema)


def _held_records(
    places: Places, workspace: Workspace, schema: pa.Schema, after: int, last: int
) -> pa.Table:
    sql = (
        f"SELECT {', '.join(schema.names)} FROM {schema_of(workspace.id)}.records"
        " WHERE id > ? AND id <= ?"
    )
    return places.snapshot.table(sql, [after, last]).cast(schema)


def extent(snapshot: Snapshot, position: int, workspaces: Iterable[Workspace]) -> int:
    """How many records and entries there are to look at: each workspace follows the whole log."""
    counts = (f"SELECT count(*) AS n FROM {schema_of(w.id)}.records" for w in workspaces)
    return sum(snapshot.table(sql)["n"][0].as_py() + position for sql in counts)


def merged(places: Places, workspace: Workspace, compared: Compared) -> None:
    """Compare where merged records live on."""
    expected = identity_store.merged_map(places.connection, workspace.id)
    held = _pairs(places, f"SELECT record_id, survivor_id FROM {schema_of(workspace.id)}.merged")
    ours: Counter[tuple[int, int]] = Counter(expected)
    theirs: Counter[tuple[int, int]] = Counter(held)
    for what, unlike in (
        ("are missing from the warehouse", ours - theirs),
        ("are only in the warehouse", theirs - ours),
    ):
        told = [ids.public_record_id(record) for record, _ in sorted(unlike)]
        compared.tally.add("merged", what, told)


def members(places: Places, workspace: Workspace, compared: Compared) -> None:
    """Compare who is in which segment with what the log told while its events were compared, and
    static ones with their lists.
    """
    living = BitMap64()
    for part in health.numbers(places.connection, workspace.id):
        living |= BitMap64(part)
    expected = compared.members
    held = _held_members(places, workspace.id)
    for segment in sorted(expected.keys() | held.keys()):
        ours = expected.get(segment, BitMap64()) & living
        theirs = held.get(segment, BitMap64())
        _tell(ours - theirs, "are missing from the warehouse", compared.tally)
        _tell(theirs - ours, "are only in the warehouse", compared.tally)
    listed: dict[int, BitMap64] = {}
    for number, record in segment_store.all_members(places.connection, workspace.id):
        listed.setdefault(number, BitMap64()).add(record)
    for number, ours in listed.items():
        # The log goes on telling of those who were deleted since; no list does.
        unlike = ours ^ (expected.get(number, BitMap64()) & living)
        _tell(unlike, "differ between a static segment's list and the log", compared.tally)


def _follow(members: dict[int, BitMap64], entries: pa.Table) -> None:
    """Take in what entries tell of who entered and left."""
    told = entries.filter(pc.equal(entries["kind"], event.INTERNAL))
    for move in project.moves_in(told):
        within = members.pop(move.segment, BitMap64())
        if not move.deleted:
            members[move.segment] = (within | BitMap64(move.entered.to_numpy())) - BitMap64(
                move.left.to_numpy()
            )


def _held_members(places: Places, workspace: int) -> dict[int, BitMap64]:
    table = places.snapshot.table(
        "SELECT segment_id, list(record_id) AS records"
        f" FROM {schema_of(workspace)}.members GROUP BY segment_id"
    )
    return {
        segment: BitMap64(records.values.to_numpy())
        for segment, records in zip(table["segment_id"].to_pylist(), table["records"], strict=True)
    }


def _tell(unlike: BitMap64, what: str, tally: Tally) -> None:
    tally.add("members", what, [ids.public_record_id(record) for record in unlike])


def _pairs(places: Places, sql: str) -> Iterator[tuple[int, int]]:
    table = places.snapshot.table(sql)
    return zip(table.column(0).to_pylist(), table.column(1).to_pylist(), strict=True)


def events(places: Places, workspace: Workspace, compared: Compared) -> None:
    """Compare all events, and how many of each name there were with the definitions."""
    numbers = [n for part in health.numbers(places.connection, workspace.id) for n in part]
    living = pa.table({"id": pa.array(numbers, pa.int64())})
    expected: Sums = {}
    begins: dict[int, int] = {}
    named: Counter[str] = Counter()
    for after, entries in _stretches(places, workspace.id, compared):
        _follow(compared.members, entries)
        custom = entries.filter(pc.equal(entries["kind"], event.CUSTOM))
        counts = custom["name"].value_counts()
        named.update(dict(zip(*(counts.field(i).to_pylist() for i in range(2)), strict=True)))
        for bucket, sums in _sums(places, project.event_table(entries), living).items():
            begins.setdefault(bucket, after)
            count, checksum = expected.get(bucket, (0, 0))
            expected[bucket] = (count + sums[0], checksum ^ sums[1])
    compared.events += sum(count for count, _ in expected.values())
    held = _held_sums(places, workspace)
    unlike = sorted(b for b in expected.keys() | held.keys() if expected.get(b) != held.get(b))
    for bucket in unlike[:DETAILED]:
        _one_bucket(places, workspace, living, bucket, begins.get(bucket), compared.tally)
    compared.tally.add(
        "events", f"differ in further stretches of {1 << BUCKET} positions", unlike[DETAILED:]
    )
    _volumes(places, workspace, named, compared.tally)


def _stretches(
    places: Places, workspace: int, compared: Compared | None, after: int = 0
) -> Iterator[tuple[int, pa.Table]]:
    """The log's entries of one workspace, with the position after which each piece begins."""
    while after < places.position:
        found = event_store.stretch(places.connection, after, project.EVENTS_AT_ONCE)
        if not found.size:
            return
        bodies = found.chunks.get(workspace, [])
        yield after, _readable(bodies, after, compared)
        if compared is not None:
            places.looked(found.last - after)
        after = found.last


def _readable(bodies: list[bytes], after: int, compared: Compared | None) -> pa.Table:
    """The entries in these chunks; a chunk that cannot be read is a finding, not the end."""
    try:
        return chunk.unpack(bodies)
    except ValueError:
        good = [body for body in bodies if _is_chunk(body)]
    if compared is not None:
        compared.tally.add("log", "has chunks that cannot be read, after", [after])
    return chunk.unpack(good)


def _is_chunk(body: bytes) -> bool:
    try:
        chunk.unpack([body])
    except ValueError:
        return False
    return True


# Events of people who are no more are gone, but for the one that tells of the deletion.
KEPT = (
    "(record_id IN (SELECT id FROM living) OR (name = 'USER_DELETE'"
    " AND json_extract(properties, '$.mergeId') IS NULL))"
)
CHECKSUM = (
    f"SELECT seq >> {BUCKET} AS bucket, count(*) AS events,"
    f" bit_xor(hash({', '.join(EVENTS.names)})) AS checksum"
).replace(" at,", ' "at",')


def _sums(places: Places, table: pa.Table, living: pa.Table) -> Sums:
    sql = f"{CHECKSUM} FROM given WHERE {KEPT} GROUP BY 1"
    return _read(places.compute(sql, given=table, living=living))


def _held_sums(places: Places, workspace: Workspace) -> Sums:
    sql = f"{CHECKSUM} FROM {schema_of(workspace.id)}.events GROUP BY 1"
    return _read(places.snapshot.table(sql))


def _read(sums: pa.Table) -> Sums:
    columns_of = (sums[name].to_pylist() for name in ("bucket", "events", "checksum"))
    return {bucket: (count, checksum) for bucket, count, checksum in zip(*columns_of, strict=True)}


def _one_bucket(
    places: Places,
    workspace: Workspace,
    living: pa.Table,
    bucket: int,
    after: int | None,
    tally: Tally,
) -> None:
    """Find out what differs among the events of one stretch of positions."""
    start, end = bucket << BUCKET, (bucket + 1) << BUCKET
    parts: list[pa.Table] = [EVENTS.empty_table()]
    for begin, entries in _stretches(
        places, workspace.id, None, places.position if after is None else after
    ):
        if begin >= end:
            break
        table = project.event_table(entries)
        inside = pc.and_(pc.greater_equal(table["seq"], start), pc.less(table["seq"], end))
        parts.append(table.filter(inside))
    sql = f"SELECT * FROM given WHERE {KEPT}"
    given = pa.concat_tables(parts)
    expected = places.compute(sql, given=given, living=living).cast(EVENTS)
    held = places.snapshot.table(
        f"SELECT * EXCLUDE (back) FROM {schema_of(workspace.id)}.events WHERE seq >= ? AND seq < ?",
        [start, end],
    ).cast(EVENTS)
    differences(expected, held, Told("events", "seq", str, str), tally)


def _volumes(places: Places, workspace: Workspace, named: Counter[str], tally: Tally) -> None:
    """Every event was counted for its definition."""
    volumes = health.counted(places.connection, workspace.id)
    unlike = [n for n in sorted(named.keys() | volumes.keys()) if named[n] != volumes.get(n, 0)]
    tally.add("definitions", "count another number of events than the log holds", unlike)
