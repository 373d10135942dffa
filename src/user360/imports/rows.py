"""Rows of a file made ready: their cells as canonical values, those that cannot be kept set apart.

All of it is done a column at a time and outside of any transaction.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from user360.imports import cells
from user360.imports.cells import Cells
from user360.imports.failures import Failed, Wrong
from user360.imports.files import Batch
from user360.imports.plan import TAGS, USER_ID, Plan


class Ready(msgspec.Struct, frozen=True):
    """Rows that can be written, in the order of the file.

    `places` are their numbers among the rows of the file, from 0; `user_ids` hold null for rows
    without one and `named` the same as JSON. `texts` are the values of each property as JSON, null
    for no value; `tags` are those of the `tags` column. `required` names what a new record lacks.
    """

    batch: Batch
    places: list[int]
    picked: list[int]  # which of the batch's rows these are
    user_ids: list[str | None]
    named: pa.StringArray
    texts: dict[str, pa.StringArray]
    required: dict[int, tuple[str, ...]]
    failed: list[tuple[int, Failed]]
    empty: list[int]

    def line(self, row: int) -> int:
        """The line of one of the rows."""
        found: int = self.batch.lines[self.picked[row]].as_py()
        return found

    def given(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """Some of the rows as the file has them."""
        return _given(self.batch, [self.picked[row] for row in rows])

    def between(self, start: int, end: int) -> range:
        """The rows whose places lie in `start <= place < end`."""
        return range(bisect_left(self.places, start), bisect_left(self.places, end))


def make_ready(batch: Batch, plan: Plan, required: Sequence[str], zone: tzinfo) -> Ready:
    """Read and check the cells of a batch; `required` are properties every new record must have."""
    read = {c.property: _cells(batch, c.column, c.type, zone) for c in plan.columns}
    named = _user_ids(batch, plan)
    columns = {c.property: c.column for c in plan.columns}
    if plan.user_id is not None:
        columns[USER_ID] = plan.user_id
    wrong = _wrong([(USER_ID, named), *read.items()], columns)
    places = _places(batch)
    blank = _blank([named, *read.values()], wrong)
    picked = _picked(len(places), wrong, blank)
    texts = {name: _taken(found.texts, picked, len(places)) for name, found in read.items()}
    ids = _taken(named.texts, picked, len(places))
    return Ready(
        batch,
        [places[row] for row in picked],
        picked,
        _bare(ids),
        ids,
        texts,
        _lacking(texts, required, len(picked)),
        _failed(batch, wrong, places),
        [places[row] for row in blank],
    )


def _cells(batch: Batch, column: str, kind: Any, zone: tzinfo) -> Cells:
    if column not in batch.rows.schema.names:  # a line of JSON may leave out what others have
        return Cells(pa.nulls(batch.rows.num_rows, pa.string()))
    return cells.of_property(batch.rows[column], kind, zone)


def _user_ids(batch: Batch, plan: Plan) -> Cells:
    if plan.user_id is None or plan.user_id not in batch.rows.schema.names:
        return Cells(pa.nulls(batch.rows.num_rows, pa.string()))
    return cells.of_user_id(batch.rows[plan.user_id])


def _places(batch: Batch) -> list[int]:
    """The number of each row in the file, unreadable ones counted too."""
    count, first = batch.rows.num_rows, batch.first_row
    if not batch.bad:
        return list(range(first, first + count))
    bad = sorted(row.line for row in batch.bad)
    return [first + i + bisect_left(bad, n) for i, n in enumerate(batch.lines.to_pylist())]


def _wrong(read: Sequence[tuple[str, Cells]], columns: Mapping[str, str]) -> dict[int, list[Wrong]]:
    found: dict[int, list[Wrong]] = {}
    for name, column in read:
        for each in column.wrong:
            told = Wrong(columns[name], name, each.code, each.message)
            found.setdefault(each.place, []).append(told)
    return found


def _blank(read: Sequence[Cells], wrong: Mapping[int, object]) -> list[int]:
    """The rows that hold nothing in any column that is imported."""
    held = pc.is_valid(read[0].texts)
    for column in read[1:]:
        held = pc.or_(held, pc.is_valid(column.texts))
    return [row for row in pc.indices_nonzero(pc.invert(held)).to_pylist() if row not in wrong]


def _picked(count: int, wrong: Mapping[int, object], blank: list[int]) -> list[int]:
    if not wrong and not blank:
        return list(range(count))
    out = {*wrong, *blank}
    return [row for row in range(count) if row not in out]


def _taken(texts: pa.StringArray, picked: list[int], count: int) -> pa.StringArray:
    return texts if len(picked) == count else texts.take(pa.array(picked, pa.int64()))


def _bare(named: pa.StringArray) -> list[str | None]:
    """Texts that JSON has in quotes, without these."""
    if pc.any(pc.match_substring(named, pattern="\\")).as_py():
        decode = msgspec.json.decode
        return [None if text is None else decode(text) for text in named.to_pylist()]
    bare: list[str | None] = pc.binary_replace_slice(
        pc.utf8_slice_codeunits(named, 1), -1, _FAR, ""
    ).to_pylist()
    return bare


_FAR = 1 << 30


def _lacking(
    texts: Mapping[str, pa.StringArray], required: Sequence[str], count: int
) -> dict[int, tuple[str, ...]]:
    """For each row the required properties it does not give."""
    found: dict[int, list[str]] = {}
    for name in required:
        column = texts.get(name)
        rows = (
            range(count) if column is None else pc.indices_nonzero(pc.is_null(column)).to_pylist()
        )
        for row in rows:
            found.setdefault(row, []).append(name)
    return {row: tuple(names) for row, names in found.items()}


def _failed(
    batch: Batch, wrong: Mapping[int, list[Wrong]], places: Sequence[int]
) -> list[tuple[int, Failed]]:
    """Rows that fail as they stand, unreadable ones among them, by their numbers in the file."""
    found: list[tuple[int, Failed]] = []
    rows = sorted(wrong)
    for row, given in zip(rows, _given(batch, rows), strict=True):
        line = batch.lines[row].as_py()
        found.append((places[row], Failed(line, given, tuple(wrong[row]))))
    if not batch.bad:
        return found
    readable = batch.lines.to_pylist()
    for number, bad in enumerate(sorted(batch.bad, key=lambda row: row.line)):
        place = batch.first_row + number + bisect_left(readable, bad.line)
        told = Wrong(None, None, bad.code, bad.message)
        found.append((place, Failed(bad.line, {}, (told,), bad.text)))
    return sorted(found, key=lambda each: each[0])


def _given(batch: Batch, rows: Sequence[int]) -> list[dict[str, Any]]:
    if not rows:
        return []
    taken: list[dict[str, Any]] = batch.rows.take(pa.array(rows, pa.int64())).to_pylist()
    return taken


def tags_of(ready: Ready, row: int) -> list[str]:
    """The tags that a row itself gives."""
    column = ready.texts.get(TAGS)
    text = None if column is None else column[row].as_py()
    return [] if text is None else msgspec.json.decode(text)
