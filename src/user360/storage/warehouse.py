"""The warehouse: a columnar copy for questions over many people, rebuilt from the ledger at will.

`Warehouse` is what an engine has to offer; DuckDB's is in `duckdb.py`. Relations of workspace 7
live in the schema `w7`:

- `records(id, user_id, created_at, updated_at, p2, ...)`: one typed column a property
- `events(seq, record_id, name, at, received_at, id, source, channel, properties, back)`: `back` is
  which it is among the events of its record and name, the newest being 1, for those that compaction
  has put in order; 0 for the others, which may be newer or older
- `events_sorted`: the same, without those that came since the last time a run of them was sorted;
  whatever has a place stands in it
- `merged(record_id, survivor_id)`: where merged-away records live on
- `members(segment_id, record_id, since)`: stored membership; the rows of a merged-away record stay
  and count for its survivor
- `changes(seq, segment_id, record_id, at, entered, silent)`: who entered and left when
- `sizes(seq, segment_id, at, size)`: how large a segment was from then on
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa

ORDERED = "events_sorted"  # where the events stand that have a place

Columns = Mapping[str, str]  # column name -> property type, as the declarations name it

ARROW: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "email": pa.string(),
    "phone": pa.string(),
    "url": pa.string(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
    "time": pa.time64("us"),
    "list": pa.list_(pa.string()),
}
EVENTS = pa.schema(
    [
        ("seq", pa.int64()),
        ("record_id", pa.int64()),
        ("name", pa.string()),
        ("at", pa.timestamp("us")),
        ("received_at", pa.timestamp("us")),
        ("id", pa.string()),
        ("source", pa.string()),
        ("channel", pa.string()),
        ("properties", pa.string()),
    ]
)
FIXED = (
    ("id", pa.int64()),
    ("user_id", pa.string()),
    ("created_at", pa.timestamp("us")),
    ("updated_at", pa.timestamp("us")),
)


def schema_of(workspace: int) -> str:
    """The schema that holds a workspace's relations."""
    return f"w{workspace}"


class Move(NamedTuple):
    """Who entered and left one segment (arrays of int64), as one entry of the log tells it.

    `at` is in microseconds; `size`, where it is told, is the number of members from then on.
    `deleted` says that the segment itself is gone, with all that was known of its members.
    """

    seq: int
    segment: int
    at: int
    entered: pa.Array
    left: pa.Array
    silent: bool = True
    size: int | None = None
    deleted: bool = False


class Changes(NamedTuple):
    """What one round of the projector brings to one workspace.

    `touched` are all records to be taken out of `records`; `records` holds those to be put (back)
    in; `merged` rows replace those of the touched ones; `dead` lost their events too. `moves` are
    in the order of the log. `told` are the names of the entries that are no custom events.
    """

    touched: Collection[int]
    records: pa.Table | None
    merged: Sequence[tuple[int, int]]
    dead: Collection[int]
    events: pa.Table | None
    moves: Sequence[Move] = ()
    told: frozenset[str] = frozenset()


class Rows(NamedTuple):
    """A finished answer: column names and all rows."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


class Snapshot(Protocol):
    """The warehouse as it was at one moment, however it goes on.

    `position` is how far in the log it was. Temporary relations may be made beside it; they are
    seen by its statements alone and gone when it is left.
    """

    position: int

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run one statement and read its answer to the end."""
        ...

    def table(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Run one statement; its answer as columns."""
        ...

    def batches(
        self, sql: str, parameters: Sequence[Any] = (), rows: int = 8_192
    ) -> Iterator[pa.RecordBatch]:
        """Run one statement; its answer as columns, some `rows` at a time as they are found.

        It is to be read to its end, or closed, before the next statement.
        """
        ...

    def put(self, name: str, rows: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        """Make a temporary relation of these rows."""
        ...


class Damaged(Exception):
    """The warehouse file cannot be read; it is to be set aside and made anew."""


class Warehouse(Protocol):
    """What an engine offers to the projector and to the readers."""

    dialect: str
    on_damage: Callable[[], None]  # called when a reader finds the engine broken

    def position(self) -> int:
        """The position of the log this copy has reached."""
        ...

    def prepare(self, workspace: int, columns: Columns) -> list[str]:
        """Make the relations that are missing and drop the columns that are not declared.

        Returns the columns that are missing or of another type: they are made by `fill`.
        """
        ...

    def unlike(self, workspace: int, columns: Columns) -> list[str]:
        """The columns of `records` that are missing, of another type, or not among `columns`."""
        ...

    def apply(self, changes: Mapping[int, Changes], position: int) -> None:
        """Apply changes of several workspaces and the new position, all or nothing."""
        ...

    def fold(self, workspace: int, least: int) -> bool:
        """Sort the fresh events into the sorted part when there are at least so many."""
        ...

    def sort(self, workspace: int) -> None:
        """Sort all events of a workspace into one order, at once."""
        ...

    def compact(self, workspace: int, least: int) -> bool:
        """Put a slice of the sorted part in order, in a fraction of a second.

        A sweep over all slices begins when there are at least so many sorted events that are not
        in their place. False when there is nothing to do.
        """
        ...

    def uncounted(self, workspace: int) -> tuple[int, int]:
        """How many events of the sorted part are not in their place yet, and how many it has."""
        ...

    def drop_orphans(self, workspace: int) -> None:
        """Remove the events of people who are no more."""
        ...

    def amend(self, workspace: int, entries: pa.Table) -> None:
        """Let events that are there tell something else: columns `seq` and `properties`."""
        ...

    def copy(self, path: Path) -> None:
        """Write all there is into a new file, which holds nothing of what was deleted.

        It shows one moment; what is written meanwhile is not in it. Raises `Unavailable` when it
        is given up.
        """
        ...

    def give_up(self) -> None:
        """Let copies that are being written end where they are."""
        ...

    def checkpoint(self) -> None:
        """Write what is in the engine's own log into its file."""
        ...

    def mapped(self, workspace: int) -> bool:
        """Whether any record of the workspace was merged away."""
        ...

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run one statement and read its answer to the end."""
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """A view that stands still until it is left."""
        ...

    def compute(self, sql: str, **given: pa.Table) -> pa.Table:
        """Run one statement over the tables `given` by name alone; its answer as columns."""
        ...

    def fill(self, workspace: int, column: str, kind: str, rows: Iterable[pa.RecordBatch]) -> None:
        """Make one column anew and fill it from batches of (id, value), all or nothing."""
        ...

    def idle(self, patience: float) -> bool:
        """Whether a moment comes within so many seconds in which nobody asks anything."""
        ...

    def close(self) -> None: ...
