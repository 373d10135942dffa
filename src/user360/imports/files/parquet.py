"""Parquet: columns that know their types, read some rows at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from user360.errors import Invalid
from user360.imports.files import columns as forms
from user360.imports.files import headings
from user360.imports.files.batching import CELLS
from user360.imports.files.opened import ROWS, Batch, Dialect, told

# Of one value on average, unpacked; more is no table of people, and a page has to fit in memory.
LARGEST_VALUE = 1 << 20
BUFFER = 1 << 20

NOT_UTF8 = "a text of the row is not UTF-8, which Parquet's texts are"
DAMAGED = "the file is damaged from here on: {}"


class Parquet:
    """An opened Parquet file. The names of its columns being line 1, row n is line n + 1."""

    format: ClassVar[str] = "parquet"

    def __init__(self, path: Path, size: int) -> None:
        self.path, self.size = path, size
        self.dialect = Dialect()
        try:
            with self._file() as file:
                self._names: list[str] = file.schema_arrow.names
                _refuse(file.metadata)
                self.count: int | None = file.metadata.num_rows
        except (pa.ArrowException, OSError, UnicodeError) as error:
            raise Invalid(f"The file cannot be read as Parquet: {_short(error)}") from None
        if not self._names:
            raise Invalid("The file has no columns")
        named = headings.mended(self._names)
        self.headers, self.notes = named.headers, named.notes

    def batches(
        self, rows: int = ROWS, skip: int = 0, columns: Collection[str] | None = None
    ) -> Iterator[Batch]:
        """See `opened.Opened.batches`."""
        places = [i for i, h in enumerate(self.headers) if columns is None or h in columns]
        limit = max(1, min(rows, CELLS // max(1, len(places))))
        at = skip
        try:
            for found in self._from(skip, places, limit):
                yield self._batch(found, places, at)
                at += found.num_rows
        except (pa.ArrowException, OSError) as error:
            yield self._broken(places, at, _short(error))

    def _from(self, skip: int, places: list[int], limit: int) -> Iterator[pa.RecordBatch]:
        """What the file holds from row `skip` on, without opening what lies before it."""
        with self._file() as file:
            groups, before = _groups(file.metadata, skip)
            unique = len(set(self._names)) == len(self._names)
            names = [self._names[i] for i in places] if unique else None
            # One group after the other, so that a damaged one takes none before it along.
            for group in groups:
                for found in file.iter_batches(limit, [group], names, use_threads=False):
                    passed = min(max(0, skip - before), found.num_rows)
                    before += found.num_rows
                    if passed < found.num_rows:
                        yield (found if unique else found.select(places)).slice(passed)

    def _batch(self, found: pa.RecordBatch, places: list[int], at: int) -> Batch:
        end = at + found.num_rows
        table = found
        if places:
            arrays = [plain(column) for column in found.columns]
            table = pa.RecordBatch.from_arrays(arrays, [self.headers[i] for i in places])
        lines = pa.array(range(at + 2, end + 2), pa.int64())
        share = end / self.count if self.count else 1.0
        if not (broken := _broken_texts(table)):
            return Batch(at, table, lines, (), share)
        good = pa.array([place not in broken for place in range(found.num_rows)])
        bad = tuple(told(at + 2 + place, "", "encoding", NOT_UTF8) for place in sorted(broken))
        return Batch(at, table.filter(good), lines.filter(good), bad, share)

    def _broken(self, places: list[int], at: int, reason: str) -> Batch:
        names = [self.headers[i] for i in places]
        nothing = pa.RecordBatch.from_arrays([pa.array([], pa.string()) for _ in names], names)
        row = told(at + 2, "", "damaged", DAMAGED.format(reason))
        return Batch(at, nothing, pa.array([], pa.int64()), (row,), 1.0)

    def _file(self) -> Any:
        import pyarrow.parquet as pq  # only who reads Parquet waits for it

        return pq.ParquetFile(self.path, buffer_size=BUFFER, pre_buffer=False)


def plain(column: pa.Array) -> pa.Array:
    """A column of any Arrow type as one of those of `opened.Batch`."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return plain(column.dictionary_decode())
    if pa.types.is_null(kind) or pa.types.is_string(kind):
        return column.cast(pa.string())
    if pa.types.is_boolean(kind):
        return column
    if pa.types.is_integer(kind):
        return _whole(column)
    if pa.types.is_floating(kind):
        # By way of text, so that 0.1 of 32 bits does not become 0.10000000149011612.
        return column if kind == pa.float64() else column.cast(pa.string()).cast(pa.float64())
    if pa.types.is_list(kind) and pa.types.is_string(kind.value_type):
        return column
    return _written(column)


def _whole(column: pa.Array) -> pa.Array:
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column.cast(pa.float64(), safe=False)


def _written(column: pa.Array) -> pa.Array:
    """Times as ISO 8601, other scalars as their text, and what is nested as such."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        return _moments(column)
    if pa.types.is_time(kind):
        return _hours(column)
    if pa.types.is_nested(kind) and not _of_texts(kind):
        return _nested(column)
    if pa.types.is_nested(kind):
        return pa.array(column.to_pylist(), pa.list_(pa.string()))
    try:
        return column.cast(pa.string())
    except pa.ArrowException:
        return _nested(column)


def _of_texts(kind: pa.DataType) -> bool:
    lists = pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list
    inner = kind.value_type if any(is_one(kind) for is_one in lists) else None
    if inner is not None and pa.types.is_dictionary(inner):
        inner = inner.value_type
    return inner is not None and (pa.types.is_string(inner) or pa.types.is_large_string(inner))


def _moments(column: pa.Array) -> pa.Array:
    """With a zone as UTC, without one as the local time that it is."""
    fine = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    if column.type.tz is None:
        return pc.strftime(fine, format="%Y-%m-%dT%H:%M:%S")
    utc = fine.cast(pa.timestamp("us", "UTC"))
    return pc.strftime(utc, format="%Y-%m-%dT%H:%M:%SZ")


def _hours(column: pa.Array) -> pa.Array:
    """Times of day, without a fraction where there is none."""
    try:
        return column.cast(pa.time32("s")).cast(pa.string())
    except pa.ArrowInvalid:
        return column.cast(pa.string())


def _broken_texts(table: pa.RecordBatch) -> set[int]:
    """The rows with a text that cannot be read."""
    broken: set[int] = set()
    for column in table.columns:
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            broken |= {place for place, value in enumerate(column) if _text_of(value) is None}
    return broken


def _text_of(value: pa.Scalar) -> str | None:
    """A value in any writing; None when it cannot be read."""
    try:
        return str(value.as_py())
    except UnicodeDecodeError:
        return None


def _nested(column: pa.Array) -> pa.Array:
    values = [forms.nested(_text_of(value)) if value.is_valid else None for value in column]
    return pa.array(values, forms.FORMS[forms.NESTED][1])


def _refuse(metadata: Any) -> None:
    """Raise `Invalid` for values so large that one of them fills the memory."""
    for group in range(metadata.num_row_groups):
        of_group = metadata.row_group(group)
        for place in range(of_group.num_columns):
            chunk = of_group.column(place)
            if chunk.total_uncompressed_size > LARGEST_VALUE * max(64, chunk.num_values):
                raise Invalid(f"The column {chunk.path_in_schema} unpacks to more than is read")


def _groups(metadata: Any, skip: int) -> tuple[list[int], int]:
    """The row groups from the one that holds row `skip` on, and the number of rows before it."""
    before = 0
    for group in range(metadata.num_row_groups):
        held = metadata.row_group(group).num_rows
        if before + held > skip:
            return list(range(group, metadata.num_row_groups)), before
        before += held
    return [], before


def _short(error: BaseException) -> str:
    return str(error).split("\n", 1)[0][:200].rstrip(".")
