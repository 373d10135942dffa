"""What the columns of a file are called: its header, mended, or names made up where it has none."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from user360.errors import Invalid
from user360.exports.harmless import restored
from user360.imports.files.opened import Note

LOOKED_AT = 50
MOST_COLUMNS = 20_000
LONGEST = 200

# What no column is called: an e-mail address, a day, a moment, a long or broken number.
_VALUE = re.compile(
    r"[^@\s]+@[^@\s]+\.[^@\s]+|\d{4}-\d{2}-\d{2}([ T].*)?|\d{1,2}[/.]\d{1,2}[/.]\d{4}"
    r"|[+-]?\d+\.\d+|\+?\d{7,}|true|false",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


class Headings(msgspec.Struct, frozen=True):
    """The names of the columns; `invented` says that the file has none and begins with data."""

    headers: tuple[str, ...]
    notes: tuple[Note, ...]
    invented: bool = False


def of(rows: Sequence[Sequence[str | None]]) -> Headings:
    """The names of the columns from the first rows of a file. Raises `Invalid`."""
    first = [cell or "" for cell in rows[0]]
    width = len(first)
    while width > 1 and not first[width - 1].strip() and not _used(rows, width - 1):
        width -= 1
    if is_data(first, rows[1:]):
        message = (
            "the file has no header: its first line holds values, so that the columns are called"
            " Column 1, Column 2 and so on"
        )
        made_up = tuple(f"Column {place}" for place in range(1, width + 1))
        return Headings(made_up, (Note("noHeader", message),), invented=True)
    named = mended(first[:width])
    if len(rows) > 1:
        return named
    empty = Note("headerOnly", "the file has a header and no rows")
    return Headings(named.headers, (*named.notes, empty))


def is_data(first: Sequence[str], others: Sequence[Sequence[str | None]]) -> bool:
    """Whether the first row looks like the rows below it rather than like their names."""
    cells = [cell.strip() for cell in first]
    if not any(_VALUE.fullmatch(cell) for cell in cells):
        return False
    for place, cell in enumerate(cells):
        if _NUMBER.fullmatch(cell) or _VALUE.fullmatch(cell) or not cell:
            continue
        below = [row[place] or "" for row in others if place < len(row) and row[place]]
        telling = [v for v in below if _NUMBER.fullmatch(v.strip()) or _VALUE.fullmatch(v.strip())]
        if below and len(telling) >= 0.8 * len(below):
            return False
    return True


def _used(rows: Sequence[Sequence[str | None]], place: int) -> bool:
    return any(place < len(row) and (row[place] or "").strip() for row in rows[1:])


def mended(given: Sequence[str]) -> Headings:
    """Names as columns can have them: none empty, none twice, none without end."""
    if len(given) > MOST_COLUMNS:
        raise Invalid(f"The file has {len(given):,} columns; at most {MOST_COLUMNS:,} can be read")
    names: list[str] = []
    notes: list[Note] = []
    taken: set[str] = set()
    for place, cell in enumerate(given, start=1):
        name = " ".join(restored(cell).split())[:LONGEST] or f"Column {place}"
        if name in taken:
            notes.append(Note("repeatedColumn", f"column {place} is called {name} once more"))
            name = _other(name, taken)
        taken.add(name)
        names.append(name)
    return Headings(tuple(names), tuple(notes))


def _other(name: str, taken: set[str]) -> str:
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"
