"""A few people apart: their rows and events copied aside, to be asked the same compiled questions.

Over a million people a condition is one scan; for some of them it is cheaper to fetch these first.
The relations are temporary, as one view of the warehouse shows them, and gone when it is left.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec
from pyroaring import BitMap64

from user360.access.workspaces import Workspace
from user360.segments.compiler import compile as compiler
from user360.segments.compiler import questions
from user360.storage.warehouse import Rows, Snapshot, Warehouse, schema_of

SCHEMA = "temp"
EVENT_COLUMNS = 'seq, record_id, name, "at", id, properties'
BARE_COLUMNS = 'seq, record_id, name, "at", NULL::VARCHAR AS id, NULL::VARCHAR AS properties'
# So many are named in the statement, where zone maps see them; more are joined.
_NAMED = 16


class People(msgspec.Struct, frozen=True):
    """Some people apart: `frame` to compile conditions for, `numbers` the living among them.

    `position` is how far in the log the view was. What the relations are is what `Warehouse` says
    of a workspace's, with the events' columns cut to `EVENT_COLUMNS`.
    """

    frame: compiler.Frame
    numbers: BitMap64
    position: int
    view: Snapshot

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run one statement over the relations of `frame.schema`, or over any others."""
        return self.view.query(sql, parameters)


@contextlib.contextmanager
def people(
    warehouse: Warehouse,
    workspace: Workspace,
    numbers: Collection[int],
    names: Collection[str] | None,
    now: int,
    segments: Collection[int] | None = None,
    held: Collection[str] | None = None,
) -> Iterator[People]:
    """The people behind these records, merged-away ones among them, with all that was merged in.

    Only events of these `names` and stored members of these `segments` are fetched, and what an
    event holds only for the names in `held`; None is all of them. Asked as of `now`, in
    microseconds.
    """
    whole = questions.frame(warehouse, workspace, now)
    with warehouse.snapshot() as view:
        schema = schema_of(workspace.id)
        merged = _merged(view, schema, numbers)
        away = {record for record, _ in merged}
        roots = (set(numbers) - away) | {survivor for _, survivor in merged}
        _copy(view, schema, roots, away, names, segments, held)
        living = view.query(f"SELECT id FROM {SCHEMA}.records").rows
        frame = msgspec.structs.replace(whole, schema=SCHEMA, mapped=bool(away))
        yield People(frame, BitMap64(row[0] for row in living), view.position, view)


def _merged(view: Snapshot, schema: str, numbers: Collection[int]) -> list[tuple[int, int]]:
    """The map of merges below everybody who is behind these records."""
    among = _listed(numbers) if len(numbers) <= _NAMED else "(SELECT unnest($1::BIGINT[]))"
    given = [] if len(numbers) <= _NAMED else [list(numbers)]
    rows = view.query(
        f"SELECT record_id, survivor_id FROM {schema}.merged"
        f" WHERE survivor_id IN {among} OR record_id IN {among}",
        given,
    ).rows
    found = {record: survivor for record, survivor in rows}  # noqa: C416 - for the types
    others = set(found.values()) - set(numbers)
    if others:  # somebody merged away was asked for: whoever lives on has others below, perhaps
        found |= dict(_merged(view, schema, others))
    return list(found.items())


def _copy(
    view: Snapshot,
    schema: str,
    roots: Collection[int],
    away: Collection[int],
    names: Collection[str] | None,
    segments: Collection[int] | None,
    held: Collection[str] | None,
) -> None:
    """Make the temporary relations."""
    records = _among(view, "roots", roots)
    anybody = _among(view, "anybody", {*roots, *away}) if away else records
    _table(view, "records", f"SELECT * FROM {schema}.records WHERE id IN {records}")
    _table(
        view, "merged", f"SELECT * FROM {schema}.merged WHERE survivor_id IN {records}", bool(away)
    )
    _table(
        view,
        "members",
        f"SELECT * FROM {schema}.members WHERE record_id IN {anybody}"
        f" AND {_one_of('segment_id', segments)}",
        segments is None or bool(segments),
        segments,
    )
    _copy_events(view, f"FROM {schema}.events WHERE record_id IN {anybody}", names, held)


def _copy_events(
    view: Snapshot, source: str, names: Collection[str] | None, held: Collection[str] | None
) -> None:
    """The events; what they hold is most of their bytes, and few questions look into it."""
    if names is None or held is None:
        filled = names is None or bool(names)
        select = f"SELECT {EVENT_COLUMNS} {source} AND {_one_of('name', names)}"
        _table(view, "events", select, filled, names)
        return
    bare = sorted(set(names) - set(held))
    select = f"SELECT {BARE_COLUMNS} {source} AND {_one_of('name', bare)}"
    _table(view, "events", select, bool(bare), bare)
    if whole := sorted(set(names) & set(held)):
        select = f"SELECT {EVENT_COLUMNS} {source} AND {_one_of('name', whole)}"
        view.query(f"INSERT INTO {SCHEMA}.events {select}", whole)


def _listed(numbers: Collection[int]) -> str:
    return f"({', '.join(str(int(number)) for number in numbers) or 'NULL'})"


def _among(view: Snapshot, name: str, numbers: Collection[int]) -> str:
    """What a column is compared with that holds one of these numbers: a list, or a select."""
    if len(numbers) <= _NAMED:
        return _listed(numbers)
    _table(view, name, "SELECT unnest($1::BIGINT[]) AS id", given=[list(numbers)])
    return f"(SELECT id FROM {SCHEMA}.{name})"


def _one_of(column: str, values: Collection[Any] | None) -> str:
    """The test of a column against as many parameters as there are values."""
    if values is None:
        return "true"
    marks = ", ".join(f"${i}" for i in range(1, len(values) + 1))
    return f"{column} IN ({marks})" if values else "false"


def _table(
    view: Snapshot,
    name: str,
    select: str,
    filled: bool = True,
    given: Collection[Any] | None = None,
) -> None:
    """Make a temporary relation; where it is not `filled` only its columns are looked up."""
    if filled:
        view.query(f"CREATE TEMP TABLE {name} AS {select}", list(given or ()))
    else:
        view.query(f"CREATE TEMP TABLE {name} AS {select} LIMIT 0")
