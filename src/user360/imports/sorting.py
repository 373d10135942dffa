"""Which way each row goes: made anew, left alone, or written one by one as any other call is.

Most rows of most files name somebody new, or say what is known already. Both are found by one
question a batch, from a snapshot; what is written looks again in its own transaction.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pyarrow.compute as pc

from user360.events.event import encode
from user360.imports import store
from user360.imports.plan import TAGS, Plan
from user360.imports.rows import Ready, tags_of
from user360.storage.ledger import Connection, Dialect


class Way(enum.Enum):
    """What is to be done with a row."""

    NEW = "new"  # nobody holds its userId, or it has none
    SAME = "same"  # its record holds all of it
    SKIP = "skip"  # its record stays as it is
    SINGLY = "singly"  # it changes a record, or has to be looked at closely


class Sorted(msgspec.Struct, frozen=True):
    """The way of each row, and the records of those that stay as they are."""

    ways: list[Way]
    records: dict[int, int]


class _Shown(msgspec.Struct, array_like=True, gc=False):
    """As much of a cell as comparing needs."""

    value: Any


_decode = msgspec.json.Decoder(dict[str, _Shown]).decode


def sort(
    connection: Connection, dialect: Dialect, workspace: int, ready: Ready, plan: Plan
) -> Sorted:
    """Look up who is known and compare."""
    named = [user_id for user_id in ready.user_ids if user_id is not None]
    distinct = set(named)
    held = store.holders(connection, dialect, workspace, list(distinct)) if named else {}
    if not held and len(distinct) == len(named):
        return Sorted([Way.NEW] * len(ready.user_ids), {})
    twice = _twice(named) if len(distinct) < len(named) else set()
    alike = _Alike(ready, plan)
    ways, records = [], {}
    for row, user_id in enumerate(ready.user_ids):
        found = None if user_id is None else held.get(user_id)
        way = Way.NEW if found is None else alike.way(row, found.cells)
        ways.append(Way.SINGLY if user_id in twice else way)
        if found is not None:
            records[row] = found.record
    return Sorted(ways, records)


def _twice(named: Sequence[str]) -> set[str]:
    """The userIds that more than one row has: these are written one after another."""
    return {user_id for user_id, count in Counter(named).items() if count > 1}


class _Alike:
    """Compares rows with the cells that their records hold."""

    def __init__(self, ready: Ready, plan: Plan) -> None:
        self.ready, self.plan = ready, plan
        # As a cell begins when it holds this value: in no other place can it stand like that.
        self.begins = [
            pc.binary_join_element_wise(f"{encode(name).decode()}:[", column, ",", "").to_pylist()
            for name, column in ready.texts.items()
            if name != TAGS
        ]
        self.tagged = bool(plan.tags) or TAGS in ready.texts

    def way(self, row: int, cells: str) -> Way:
        plan = self.plan
        if plan.on_conflict == "skip" and not (plan.merge_tags and self.tagged):
            return Way.SKIP
        if not cells or '"*":[' in cells or '"tags/' in cells:
            return Way.SINGLY
        if plan.on_conflict == "replace":
            return Way.SAME if self._exactly(row, cells) else Way.SINGLY
        if plan.on_conflict == "update" and not self._holds(row, cells):
            return Way.SINGLY
        same = not self.tagged or self._has_tags(row, _decode(cells))
        if same and plan.on_conflict == "skip":
            return Way.SKIP
        return Way.SAME if same else Way.SINGLY

    def _holds(self, row: int, cells: str) -> bool:
        """Whether every value of a row is there; most stand in the order of the file's columns."""
        place = 0
        for column in self.begins:
            begin = column[row]
            if begin is not None:
                found = cells.find(begin, place)
                if found < 0 and (found := cells.find(begin)) < 0:
                    return False
                place = found
        return True

    def _exactly(self, row: int, cells: str) -> bool:
        if not self._holds(row, cells):
            return False
        shown = _decode(cells)
        given = {n for n, column in self.ready.texts.items() if column[row].is_valid}
        held = {name for name, cell in shown.items() if cell.value is not None and "/" not in name}
        return held - {TAGS} == given - {TAGS} and self._has_tags(row, shown)

    def _has_tags(self, row: int, shown: Mapping[str, _Shown]) -> bool:
        """Whether the tags of a record are what this row makes of them."""
        cell = shown.get(TAGS)
        held = (cell.value if cell is not None else None) or []
        own = tags_of(self.ready, row)
        plan = self.plan
        if plan.merge_tags or (plan.on_conflict == "update" and not own):
            return {*own, *plan.tags} <= set(held)
        wanted = list(dict.fromkeys([*own, *plan.tags]))
        return bool(held == wanted)
