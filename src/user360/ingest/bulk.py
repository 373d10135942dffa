"""The bulk path: trusted data straight into the ledger, millions at a time.

For generators and imports whose rows were checked before. What it writes is what the steps would
have written, one call a row: records with their cells and provenance, a `USER_CREATE` for each,
events remembered by their ids, definitions with what was seen of them. It goes through the
writer in transactions of bounded size, so that the server goes on between them and what a killed
load has done is whole; loading the same events again stores none of them twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator

import msgspec
import pyarrow as pa

from user360.access.workspaces import Workspace
from user360.errors import Unavailable
from user360.ingest import bulk_events, bulk_records
from user360.ingest.bulk_records import Origin, Pen
from user360.ingest.running import Running
from user360.storage.ledger import Connection

RECORDS_AT_ONCE = 50_000
# The tree of event ids is rewritten once a transaction: the larger, the fewer times.
EVENTS_AT_ONCE = 500_000
# From so many events on a load ends with all of them in one order.
ORDERED_FROM = 1_000_000
_PATIENCE = 3_600.0  # seconds

Progress = Callable[[str, int], None]  # what ("records", "events"), how many are on disk so far


class Loaded(msgspec.Struct, frozen=True):
    """What a load brought: new records, new events, events that were there before."""

    records: int
    events: int
    duplicates: int


def load(
    platform: Running,
    workspace: Workspace,
    records: Iterable[pa.RecordBatch],
    events: Iterable[pa.RecordBatch],
    progress: Progress | None = None,
    *,
    source: str = "csv",
    ref: str = "bulk",
) -> Loaded:
    """Load records, then events; answers when all of it is on disk, and after a load of millions
    when the warehouse shows it, in one order for questions.

    `records` hold `user_id` (text or null) and a column for each property, named as declared and
    holding canonical values. `events` hold `user_id`, `name`, `at` (a timestamp, or microseconds
    as int64), `id` (null: a fresh one) and `properties` (a JSON object as text, null: empty); an
    unknown `user_id` makes a record. Raises `Conflict` when a record's userId exists already and
    `Invalid` for columns that are not declared; transactions before that one stay.
    """
    told = progress or (lambda _what, _count: None)
    origin = Origin(source, ref)
    made = stored = duplicates = 0
    for rows in _sliced(records, RECORDS_AT_ONCE):
        columns = bulk_records.Columns.of(rows, workspace.catalogue)
        platform.write(_records_job(platform, workspace, origin, columns))
        made += rows.num_rows
        told("records", made)
    for rows in _sliced(events, EVENTS_AT_ONCE):
        prepared = bulk_events.Events.of(rows, workspace.id)
        known = platform.write(_events_job(platform, workspace, origin, prepared))
        duplicates += known + prepared.repeated
        stored += prepared.rows.num_rows - known
        told("events", stored + duplicates)
    if stored >= ORDERED_FROM:
        _put_in_order(platform, workspace)
    return Loaded(made, stored, duplicates)


def _put_in_order(platform: Running, workspace: Workspace) -> None:
    # A warehouse that is being made anew will be in order by itself.
    with contextlib.suppress(Unavailable):
        platform.projector.wait(platform.committer.position.last, _PATIENCE)
        platform.projector.sort(workspace.id)


def _records_job(
    platform: Running, workspace: Workspace, origin: Origin, columns: bulk_records.Columns
) -> Callable[[Connection], None]:
    return lambda connection: bulk_records.write(
        _pen(platform, workspace, origin, connection), columns
    )


def _events_job(
    platform: Running, workspace: Workspace, origin: Origin, events: bulk_events.Events
) -> Callable[[Connection], int]:
    return lambda connection: bulk_events.write(
        _pen(platform, workspace, origin, connection), events
    )


def _pen(platform: Running, workspace: Workspace, origin: Origin, connection: Connection) -> Pen:
    position, now = platform.committer.position, platform.clock.now()
    return Pen(connection, platform.ledger.dialect, workspace, position, now, origin)


def _sliced(batches: Iterable[pa.RecordBatch], most: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of at most so many."""
    for batch in batches:
        for start in range(0, batch.num_rows, most):
            yield batch.slice(start, most)
