"""What taking back one part of an import does, found out and then written.

A record that the import made goes, unless somebody else has to do with it by now: an event, a
session, a merge, a value from elsewhere. Then, as of records that were there before, only what the
import wrote is taken back, each cell that still is the import's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from user360 import ids
from user360.events import event
from user360.identity import resolve, saving
from user360.identity import store as identity_store
from user360.imports import store
from user360.imports.undoing import Done, Replaced
from user360.ingest import facts, save
from user360.ingest.batch import Batch, Work
from user360.ingest.bulk_records import Origin, Pen
from user360.ingest.call import Call
from user360.records import settle
from user360.records.settle import Cell
from user360.storage.ledger import Connection, Dialect

# Why a record that the import made is not removed.
EVENT, SESSION, MERGED, WRITTEN = "event", "session", "merged", "written"


class Source(NamedTuple):
    """What the cells of an import are known by."""

    job: str
    at: int

    def wrote(self, cell: Cell | None) -> bool:
        """Whether a cell was written by the import."""
        return cell is not None and cell.ref == self.job and cell.source == "csv"


class Found(msgspec.Struct):
    """What becomes of the records of one part.

    `going` are to be removed, with their userIds and cells; `spared` says why others stay; `back`
    is what is put back, in the order in which it is.
    """

    going: list[tuple[int, str | None, str]]
    spared: dict[int, str]
    gone: int
    back: list[Replaced]


def find(
    connection: Connection,
    dialect: Dialect,
    source: Source,
    done: Done,
    busy: Collection[int],
) -> Found:
    """Look at the records of a part as they are; `busy` are those that have events of their own."""
    found = Found([], {}, 0, [])
    for row in store.made(connection, dialect, done.numbers):
        reason = _reason(row, source, busy)
        if reason is None:
            found.going.append((row.record, row.user_id, row.cells))
        else:
            found.spared[row.record] = reason
            own = settle.decode_cells(row.cells)
            ours: dict[str, Cell | None] = {
                key: None for key, cell in own.items() if source.wrote(cell)
            }
            found.back.append(Replaced(row.record, ours))
    found.gone = len(done.numbers) - len(found.going) - len(found.spared)
    found.back += reversed(done.replaced)
    return found


def _reason(row: store.Made, source: Source, busy: Collection[int]) -> str | None:
    if row.merged:
        return MERGED
    if row.sessions:
        return SESSION
    if row.record in busy:
        return EVENT
    # Every stored cell ends like this; no text within one can, for its quotes are escaped.
    ours = row.cells.count(f',"csv","{source.job}",null]')
    if ours != row.cells.count(",null]"):
        cells = settle.decode_cells(row.cells)
        return None if all(source.wrote(cell) for cell in cells.values()) else WRITTEN
    return None


class Came(msgspec.Struct):
    """What putting back came to: records that changed, values left for something newer is there."""

    restored: int = 0
    newer: int = 0
    roots: tuple[int, ...] = ()


def look(
    connection: Connection,
    dialect: Dialect,
    workspace: int,
    source: Source,
    back: Sequence[Replaced],
) -> Came:
    """What putting these cells back would come to."""
    forest, roots = _loaded(connection, dialect, workspace, back)
    came, _ = _put_back(forest, roots, source, back)
    return came


def write(batch: Batch, source: Source, found: Found, job: str) -> Came:
    """Remove and put back, in the batch's transaction, as the job `job`."""
    _remove(batch, found.going, job)
    where = (batch.connection, batch.dialect, batch.workspace.id)
    forest, roots = _loaded(*where, found.back)
    batch.forest = forest
    batch.places = {number: own.place for number, own in forest.items()}
    came, changed = _put_back(forest, roots, source, found.back)
    batch.dirty |= {each.record for each in found.back if each.record in forest}
    call = Call(workspace=batch.workspace.id, source="csv", ref=job, at=batch.now, message_id=job)
    for root, changes in changed.items():
        forest[root].updated_at = batch.now
        batch.dirty.add(root)
        batch.note(Work(call), event.SYSTEM, root, event.USER_UPDATE, facts.payload(changes))
    save.people(batch)
    save.log(batch)
    return came


def _loaded(
    connection: Connection, dialect: Dialect, workspace: int, back: Sequence[Replaced]
) -> tuple[dict[int, settle.Own], dict[int, int]]:
    """The records that are written to with all they show in, and which living one that is."""
    leaves = {each.record for each in back}
    if not leaves:
        return {}, {}
    known = resolve.Known(lambda: 0)
    identity_store.load_people(connection, dialect, workspace, leaves, known)
    roots = {leaf: known.root(leaf) for leaf in leaves if leaf in known.people}
    trees = {root for root in roots.values() if known.people[root].merges}
    numbers = {*roots, *roots.values()}
    return identity_store.load_forest(connection, dialect, numbers, trees), roots


def _put_back(
    forest: dict[int, settle.Own],
    roots: Mapping[int, int],
    source: Source,
    back: Sequence[Replaced],
) -> tuple[Came, dict[int, dict[str, tuple[Any, Any]]]]:
    """Put cells back where nothing newer stands; what that changes in each living record."""
    came = Came()
    before = {root: settle.view(forest, root) for root in set(roots.values())}
    for each in back:
        if each.record in forest:
            came.newer += _restored(forest[each.record].cells, each.cells, source)
    changed = {}
    for root, shown in before.items():
        if changes := settle.difference(shown, settle.view(forest, root)):
            changed[root] = changes
    came.restored, came.roots = len(changed), tuple(changed)
    return came, changed


def _restored(cells: dict[str, Cell], replaced: Mapping[str, Cell | None], source: Source) -> int:
    """Put back what these cells held; how many hold something newer and were left."""
    newer = 0
    for key, old in replaced.items():
        held = cells.get(key)
        if source.wrote(held):
            _put(cells, key, old)
        elif held is not None:
            newer += key not in settle.FIRSTS
            if key.startswith(settle.TAG) and old is None:
                cells[key] = _first_by_itself(held, source)
    for key in settle.FIRSTS:
        # What was noted since because of a value of the import, which is gone.
        if key not in replaced and source.wrote(cells.get(key)):
            del cells[key]
    return newer


def _put(cells: dict[str, Cell], key: str, old: Cell | None) -> None:
    if old is None:
        del cells[key]
    else:
        cells[key] = old


def _first_by_itself(mark: Cell, source: Source) -> Cell:
    """A tag that was added since: it was the import that had added it first, and is no more."""
    if mark.value[1:2] != [source.at]:
        return mark
    return settle.tag(mark, bool(mark.value[0]))


def _remove(batch: Batch, going: Sequence[tuple[int, str | None, str]], job: str) -> None:
    """The people are gone, and the log tells what they were."""
    if not going:
        return
    numbers = [record for record, _, _ in going]
    saving.delete_people(batch.connection, batch.dialect, numbers)
    where = (batch.connection, batch.dialect, batch.workspace, batch.position, batch.now)
    pen = Pen(*where, Origin("csv", job))
    first, count = batch.position.last + 1, len(going)
    told = {
        "record": pa.array(numbers, pa.int64()),
        "name": pa.repeat(event.USER_DELETE, count),
        "at": pa.repeat(pa.scalar(batch.now, pa.timestamp("us")), count),
        "id": pa.array([f"s{seq}" for seq in range(first, first + count)]),
        "properties": pa.array([_last_state(*each) for each in going], pa.string()),
    }
    pen.append(event.SYSTEM, told)


class _Shown(msgspec.Struct, array_like=True, gc=False):
    """As much of a cell as its record's state tells."""

    value: Any


_decode = msgspec.json.Decoder(dict[str, _Shown]).decode


def _last_state(record: int, user_id: str | None, cells: str) -> str:
    """What a deletion tells: the whole state as it was, and which records went."""
    if '"tags/' in cells or '"*":[' in cells:
        own = settle.Own(record, user_id, settle.decode_cells(cells), 0, 0)
        shown = {n: c.value for n, c in settle.view({record: own}, record).items()}
    else:
        held = {name: cell.value for name, cell in _decode(cells).items() if "/" not in name}
        shown = {name: value for name, value in held.items() if value is not None}
    public = ids.public_record_id(record)
    kept = {name: value for name, value in shown.items() if name not in facts.OURS}
    told = {"id": public, "userId": user_id, **kept, "recordIds": [public]}
    return event.encode(told).decode()
