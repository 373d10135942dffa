"""Lists of userIds from files: CSV with a column `userId`, or one userId a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

from user360.errors import Malformed

COLUMN = "userid"
DELIMITERS = ",;\t"


class Line(NamedTuple):
    """A userId and the line of the file it stands on, counted from 1."""

    number: int
    user_id: str


def read(body: bytes) -> list[Line]:
    """The userIds of a file; lines that hold nothing are left out.

    The first line is a header when one of its columns, between `,`, `;` or tabs, is called userId
    in any case. Raises `Malformed` when it is not UTF-8, or has columns of which none is.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed("The file is not UTF-8") from error
    first = text.partition("\n")[0]
    for delimiter in DELIMITERS:
        header = [
            cell.strip().lower() for cell in next(csv.reader([first], delimiter=delimiter), [])
        ]
        if COLUMN in header:
            return list(_column(text, delimiter, header.index(COLUMN)))
    return [Line(i, line.strip()) for i, line in enumerate(text.splitlines(), 1) if line.strip()]


def _column(text: str, delimiter: str, place: int) -> Iterator[Line]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        next(rows)
        for row in rows:
            cell = row[place].strip() if place < len(row) else ""
            if cell:
                yield Line(rows.line_num, cell)
    except csv.Error as error:
        raise Malformed(f"Line {rows.line_num} of the file is no CSV: {error}") from error
