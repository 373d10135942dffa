"""Cells of a file as values of a property, a column at a time.

What is written the usual way is settled for the whole column at once; of the rest each distinct
value is read once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import tzinfo
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from user360.errors import Problem
from user360.events.event import encode
from user360.identity import identifier
from user360.imports.files.columns import distinct
from user360.imports.usual import usual
from user360.records import values
from user360.records.properties import Type

# What a spreadsheet makes of a long number; nobody's id is written like that.
_SCIENTIFIC = re.compile(r"[+-]?[0-9](?:[.,][0-9]+)?E\+[0-9]+")
_REWRITTEN = (
    "looks like the scientific notation that spreadsheets turn long numbers into (9.19E+11);"
    " format the column as text and export it again"
)
# Ids that are kept as they stand and cannot be taken for a placeholder.
_PLAIN_ID = r"^[A-Za-z0-9](?:[ !#%&'()*+,\-./0-9:;<=>?@A-Z^_`a-z|~]*[A-Za-z0-9])?$"
_NAMING = r"[A-Za-z1-9]"

Read = Callable[[object], object]


class Wrong(msgspec.Struct, frozen=True):
    """Why the cell of one row (counted within its batch) cannot be kept."""

    place: int
    code: str
    message: str


class Cells(msgspec.Struct, frozen=True):
    """One column: each row's canonical value as JSON text, null for no value, and what is wrong."""

    texts: pa.StringArray
    wrong: tuple[Wrong, ...] = ()


def of_property(column: pa.Array, kind: Type, zone: tzinfo) -> Cells:
    """The cells of a column as values of a property of type `kind`."""
    settled = None
    if pa.types.is_string(column.type):
        settled = usual(kind, column, zone)
    return _completed(column, settled, lambda given: values.parse(kind, given, zone))


def of_user_id(column: pa.Array) -> Cells:
    """The cells of a column as userIds; a number becomes its text, a blank is nobody's."""
    settled = None
    if pa.types.is_string(column.type):
        settled = _usual_ids(column)
    return _completed(column, settled, _user_id)


def _usual_ids(column: pa.StringArray) -> pa.StringArray:
    words = pa.array(sorted(identifier.PLACEHOLDERS | {"nil", "nan"}))
    fits = pc.and_(
        pc.match_substring_regex(column, _PLAIN_ID), pc.match_substring_regex(column, _NAMING)
    )
    fits = pc.and_(fits, pc.less_equal(pc.binary_length(column), identifier.LONGEST))
    # The few that have an `E+` in them are looked at one by one.
    odd = pc.or_(pc.is_in(pc.ascii_lower(column), words), pc.match_substring(column, pattern="E+"))
    kept = pc.if_else(pc.and_(fits, pc.invert(odd)), column, pa.scalar(None, pa.string()))
    return pc.binary_join_element_wise('"', kept, '"', "")


def _user_id(given: object) -> object:
    if values.is_blank(given):
        return None
    if isinstance(given, int | float) and not isinstance(given, bool):
        given = values.text_of(given)
    if isinstance(given, str) and _SCIENTIFIC.fullmatch(given.strip()):
        raise values.BadValue(_REWRITTEN)
    return identifier.clean_user_id(given)


def _completed(column: pa.Array, settled: pa.StringArray | None, read: Read) -> Cells:
    """What is not settled is read value by value, each distinct one once."""
    if settled is None:
        return _each(column, None, read)
    rest = pc.and_(pc.is_null(settled), pc.is_valid(column))
    if not pc.any(rest).as_py():
        return Cells(settled)
    places = pc.indices_nonzero(rest)
    found = _each(column.filter(rest), places.to_pylist(), read)
    return Cells(pc.replace_with_mask(settled, rest, found.texts), found.wrong)


def _each(column: pa.Array, places: list[int] | None, read: Read) -> Cells:
    given, which = distinct(column)
    texts: list[str | None] = []
    failed: dict[int, tuple[str, str]] = {}
    for number, value in enumerate(given):
        texts.append(None)
        try:
            kept = read(value)
        except values.BadValue as bad:
            failed[number] = ("invalidDataType", bad.message)
        except Problem as problem:
            failed[number] = (problem.code, problem.detail)
        else:
            texts[number] = None if kept is None else encode(kept).decode()
    wrong = _wrong(which.to_pylist(), places, failed) if failed else ()
    return Cells(pa.array(texts, pa.string()).take(which), wrong)


def _wrong(
    which: list[int | None], places: list[int] | None, failed: dict[int, tuple[str, str]]
) -> tuple[Wrong, ...]:
    found: list[Any] = []
    for row, number in enumerate(which):
        if number is not None and number in failed:
            found.append(Wrong(row if places is None else places[row], *failed[number]))
    return tuple(found)
