"""Cutting people out of the log: their entries go, its positions stay.

An entry belongs to the record it was written to. Of people who stay, what the log tells of a merge
with somebody who is gone goes as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from user360.events import chunk, event

PAYLOADS = ("newPayload", "oldPayload")
TOLD = pa.array([event.USER_MERGE, event.USER_UNMERGE, event.USER_UPDATE, event.USER_DELETE])
Pairs = Set[tuple[str, str]]  # property and value as JSON
Partners = Mapping[int, Mapping[int, Pairs]]  # record -> merge that was undone -> what it brought


class Cut(msgspec.Struct):
    """What cutting came to: the chunk anew (None: nothing was to be cut), how many entries of each
    record went and how many of them were events, how many events of each name, and the entries
    that tell less: position and JSON.
    """

    body: bytes | None = None
    entries: Counter[int] = msgspec.field(default_factory=Counter)
    events: Counter[int] = msgspec.field(default_factory=Counter)
    names: Counter[str] = msgspec.field(default_factory=Counter)
    amended: list[tuple[int, str]] = msgspec.field(default_factory=list)


def records_in(body: bytes) -> tuple[pa.Table, set[int]]:
    """The entries of a chunk, and the records they were written to."""
    table = chunk.unpack([body])
    return table, set(pc.unique(table["record"]).to_pylist()) - {0}


def cut(table: pa.Table, dead: Set[int], partners: Partners, before: Set[int] = frozenset()) -> Cut:
    """A chunk's entries without those of the dead, and with what their partners may still tell.

    Of those who were deleted `before` they were erased the deletion tells nothing more.
    """
    found = Cut()
    kept = _without(table, dead, found)
    kept = _telling_less(kept, partners, before, found)
    if found.entries or found.amended:
        found.body = chunk.pack_table(kept)
    return found


def _without(table: pa.Table, dead: Set[int], found: Cut) -> pa.Table:
    theirs = pc.is_in(table["record"], pa.array(dead, pa.int64()))
    places = pc.indices_nonzero(theirs).to_pylist() if dead else []
    gone = [place for place in places if not _tells_of_deletion(table, place)]
    if not gone:
        return table
    removed = table.take(pa.array(gone, pa.int64()))
    found.entries.update(removed["record"].to_pylist())
    custom = removed.filter(pc.equal(removed["kind"], event.CUSTOM))
    found.events.update(custom["record"].to_pylist())
    found.names.update(custom["name"].to_pylist())
    left = sorted(set(range(table.num_rows)) - set(gone))
    return table.take(pa.array(left, pa.int64()))


def _tells_of_deletion(table: pa.Table, place: int) -> bool:
    """The one entry that says a person is gone; that of a merge says where the record went."""
    if table["name"][place].as_py() != event.USER_DELETE:
        return False
    return table["kind"][place].as_py() == event.SYSTEM and "mergeId" not in msgspec.json.decode(
        table["properties"][place].as_py()
    )


def _telling_less(table: pa.Table, partners: Partners, before: Set[int], found: Cut) -> pa.Table:
    """Without what merges with the dead brought to their partners."""
    numbers = pa.array({*partners, *before}, pa.int64())
    about = pc.and_(pc.is_in(table["record"], numbers), pc.is_in(table["name"], TOLD))
    places = pc.indices_nonzero(about).to_pylist() if len(numbers) else []
    properties: list[str] = table["properties"].to_pylist() if places else []
    brought: dict[tuple[int, int], Any] = {}  # what a merge told, by record and position after it
    for place in places:
        seq, record = table["seq"][place].as_py(), table["record"][place].as_py()
        told = msgspec.json.decode(properties[place])
        if record in before:
            less = {"id": told["id"], "erased": True, "recordIds": told["recordIds"]}
        else:
            less = _less(told, seq, record, partners[record], brought)
        if less != told:
            properties[place] = msgspec.json.encode(less).decode()
            found.amended.append((seq, properties[place]))
    if not found.amended:
        return table
    column = table.schema.get_field_index("properties")
    return table.set_column(column, table.field(column), pa.array(properties, pa.string()))


def _less(
    told: dict[str, Any],
    seq: int,
    record: int,
    merges: Mapping[int, Pairs],
    brought: dict[tuple[int, int], Any],
) -> dict[str, Any]:
    """What an entry may still tell. A merge is followed, two on, by the change it made."""
    new = told.get("newPayload")
    if new is None:
        return told
    merge = told.get("mergeId")
    if merge is not None and int(merge) in merges:
        brought[record, seq + 2] = new
        return {**told, "newPayload": {}, "oldPayload": {}}
    pairs = {pair for at, each in merges.items() if at <= seq for pair in each}
    whole = brought.get((record, seq)) == new
    names = [n for n in new if whole or _among(pairs, n, new[n], told["oldPayload"].get(n))]
    less = {key: {n: v for n, v in told[key].items() if n not in names} for key in PAYLOADS}
    return {**told, **less}


def _among(pairs: Pairs, name: str, *values: Any) -> bool:
    return any((name, msgspec.json.encode(v).decode()) in pairs for v in values)
