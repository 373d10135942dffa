"""Who is in which segment by now: the compiled conditions against the stored members.

Everybody is asked when a segment is filled; those touched since, and those whose time has come,
afterwards. Both ask the same compiled condition; only the frame round it is another one. What
comes out is the difference with what is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
from pyroaring import BitMap64

from user360.access.workspaces import Workspace
from user360.segments.compiler import few, questions
from user360.segments.compiler.compile import Frame
from user360.segments.following import clock
from user360.segments.following.kept import Kept
from user360.segments.following.together import Part, Together
from user360.segments.language.nodes import Node
from user360.storage.warehouse import Snapshot, Warehouse, schema_of


class Difference(msgspec.Struct):
    """What has changed of one segment: records that entered, and that left, as of a position.

    `rows` are the stored rows that go with those who left: their own, and those of records that
    were merged into them. `size` is the number of members after it.
    """

    kept: Kept
    entered: list[int]
    left: list[int]
    rows: list[int]
    size: int
    position: int


_AT_ONCE = 500  # segments in one statement
Below = dict[int, list[int]]  # for a survivor, the records merged into it
Pairs = Iterable[Sequence[int]]  # a record that was merged away, and its survivor


def everybody(warehouse: Warehouse, workspace: Workspace, kept: Kept, given: Frame) -> Difference:
    """Ask about everybody; `given` is the frame of the whole workspace."""
    with warehouse.snapshot() as view:
        found = view.table(kept.select(given, warehouse.dialect))
        pairs = merged(view, workspace) if given.mapped else []
        below = below_of(pair for pair in pairs if pair[0] in kept.members)
        true = BitMap64(found.column(0).to_numpy())
        was = folded(kept.members, below)
        return difference(kept, list(true - was), list(was - true), len(true), below, view.position)


def some(
    people: few.People, together: Together, parts: Mapping[Kept, Part], given: Frame, below: Below
) -> list[Difference]:
    """Ask about a few people that were set apart, `given` being their frame."""
    asked = list(parts.items())
    found: list[Difference] = []
    for start in range(0, len(asked), _AT_ONCE):
        some = asked[start : start + _AT_ONCE]
        sql, names = together.statement([part for _, part in some], given)
        answers = people.view.table(sql)
        ids = answers["id"].to_numpy()
        true = {name: BitMap64(ids[answers[name].to_numpy()]) for name in dict.fromkeys(names)}
        found += [
            _compared(kept, true[name], people, below)
            for (kept, _), name in zip(some, names, strict=True)
        ]
    return found


def _compared(kept: Kept, true: BitMap64, people: few.People, below: Below) -> Difference:
    was = kept.members & people.numbers
    for survivor, records in below.items():
        if survivor in people.numbers and any(each in kept.members for each in records):
            was.add(survivor)
    entered, left = true - was, was - true
    size = kept.size + len(entered) - len(left)
    return difference(kept, list(entered), list(left), size, below, people.position)


def difference(
    kept: Kept,
    entered: Collection[int],
    left: Collection[int],
    size: int,
    below: Below,
    position: int,
) -> Difference:
    """A difference with the rows that go: whoever leaves takes those merged into them along."""
    rows = [
        row for number in left for row in (number, *below.get(number, ())) if row in kept.members
    ]
    return Difference(kept, sorted(entered), sorted(left), rows, size, position)


def measure(view: Snapshot, workspace: Workspace, found: Iterable[Difference]) -> None:
    """Count the members anew, for a merge makes one of two without anybody leaving."""
    pairs: list[tuple[int, int]] | None = None
    for each in found:
        rows = (each.kept.members | BitMap64(each.entered)) - BitMap64(each.rows)
        pairs = merged(view, workspace) if pairs is None else pairs
        within = below_of(pair for pair in pairs if pair[0] in rows)
        each.size = len(folded(rows, within))


def folded(members: BitMap64, below: Below) -> BitMap64:
    """The living members: whoever was merged away stands for the survivor."""
    away = BitMap64(record for records in below.values() for record in records)
    survivors = (s for s, records in below.items() if any(r in members for r in records))
    return (members - away) | BitMap64(survivors)


def merged(view: Snapshot, workspace: Workspace) -> list[tuple[int, int]]:
    """Everybody who was merged away, with the survivor."""
    found = view.query(f"SELECT record_id, survivor_id FROM {schema_of(workspace.id)}.merged")
    return [(record, survivor) for record, survivor in found.rows]


def below_of(pairs: Pairs) -> Below:
    """The records that were merged into each survivor."""
    found: Below = {}
    for record, survivor in pairs:
        found.setdefault(survivor, []).append(record)
    return found


def due(warehouse: Warehouse, kept: Kept, given: Frame, until: int) -> list[tuple[int, int]]:
    """Whose answer the clock may change from `given.now` up to `until`: (time, record)."""
    if not kept.windows:
        return []
    with warehouse.snapshot() as view:
        return clock.due(
            kept.windows, given, until, lambda sql: view.query(sql).rows, warehouse.dialect
        )


def stored(warehouse: Warehouse, workspace: Workspace) -> dict[int, BitMap64]:
    """The stored members of every segment, by its number."""
    with warehouse.snapshot() as view:
        table = view.table(
            "SELECT segment_id, list(record_id) AS records"
            f" FROM {schema_of(workspace.id)}.members GROUP BY segment_id"
        )
    return {
        segment: BitMap64(records.values.to_numpy())
        for segment, records in zip(table["segment_id"].to_pylist(), table["records"], strict=True)
    }


def frame(
    warehouse: Warehouse, workspace: Workspace, now: int, segments: Mapping[int, Node]
) -> Frame:
    """The frame of a whole workspace, with conditions that were read already."""
    given = questions.frame(warehouse, workspace, now)
    return msgspec.structs.replace(given, segments=segments)
