"""A file that was recognised, and the shape in which its rows come out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import ClassVar, Protocol

import msgspec
import pyarrow as pa

ROWS = 20_000
LONGEST_QUOTED = 1_000  # of a row as it is told


class Dialect(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the text of a file is written; an empty field is found out from the file.

    `newline` is what was found: `"\\n"`, `"\\r\\n"`, `"\\r"` or `"mixed"`.
    """

    encoding: str = ""
    delimiter: str = ""
    quote: str = ""
    compression: str = ""
    newline: str = ""


class Note(msgspec.Struct, frozen=True):
    """Something about a whole file that its sender should know; nothing failed."""

    code: str
    message: str


class BadRow(msgspec.Struct, frozen=True):
    """A row that cannot be read: where it begins, as it was given (cut), and why."""

    line: int
    text: str
    code: str
    message: str


class Batch(msgspec.Struct, frozen=True):
    """Some rows that follow one another.

    `first_row` counts data rows from 0, bad ones too; `lines` holds the line of each row of `rows`
    (int64; the header is line 1); `at` is the share of the file that has been read.

    A column of `rows` is of type string, int64, double, bool or list<string>, or a dense union of
    these where a file mixes them; `columns.distinct` gives its values as `values.parse` takes them.
    Null is a missing cell. Something nested comes as a list of lists, which no type accepts.
    """

    first_row: int
    rows: pa.RecordBatch
    lines: pa.Array
    bad: tuple[BadRow, ...]
    at: float

    @property
    def next_row(self) -> int:
        """What to skip in order to read on behind this batch."""
        return self.first_row + int(self.rows.num_rows) + len(self.bad)


class Opened(Protocol):
    """A file whose rows can be read, as often as wanted, each time from the file.

    `headers` are unique; `size` is in bytes; `count` is the number of rows where the file tells it.
    """

    format: ClassVar[str]
    path: Path
    size: int
    dialect: Dialect
    headers: tuple[str, ...]
    notes: tuple[Note, ...]
    count: int | None

    def batches(
        self, rows: int = ROWS, skip: int = 0, columns: Collection[str] | None = None
    ) -> Iterator[Batch]:
        """The rows, at most `rows` a batch, without the first `skip`; wide rows come in fewer.

        `columns` names those that are wanted, default all; they keep the order of the file.
        """
        ...


def told(line: int, text: str, code: str, message: str) -> BadRow:
    """A bad row, with its text cut and without what no encoding can write."""
    shown = text[:LONGEST_QUOTED].replace("\0", "�").rstrip("\r\n")
    return BadRow(line, shown.encode("utf-8", "replace").decode("utf-8"), code, message)
