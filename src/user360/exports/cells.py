"""Values as the cells of each format, in SQL: the engine writes whole columns of them at once.

The text of a value is that of `values.text_of`, so that `values.parse` reads it back.
"""

from __future__ import annotations

from user360.exports.columns import Column, Kind
from user360.exports.harmless import FORMULA, MARK, PLAIN

# What a formula begins with: few texts do, so they are looked at more closely only then. Not `IN`,
# which the engine's planner takes a second to think about when there are many columns.
_FIRST = "'''=+-@' || chr(9) || chr(13)"
_FREE = (Kind.TEXT, Kind.LIST, Kind.JSON)


def literal(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"


def text(column: Column) -> str:
    """The value as one text."""
    value = column.sql
    if column.kind is Kind.NUMBER:
        whole = f"{value} = trunc({value}) AND abs({value}) < 1e15"
        return (
            f"CASE WHEN {whole} THEN CAST(TRY_CAST({value} AS BIGINT) AS VARCHAR)"
            f" ELSE CAST({value} AS VARCHAR) END"
        )
    if column.kind is Kind.MOMENT:
        return f"strftime({value}, '%Y-%m-%dT%H:%M:%S.%gZ')"
    if column.kind is Kind.LIST:
        plain = f"array_to_string({value}, ';')"
        odd = f"starts_with({plain}, '[') OR contains(array_to_string({value}, ''), ';')"
        return f"CASE WHEN {odd} THEN CAST(to_json({value}) AS VARCHAR) ELSE {plain} END"
    if column.kind in (Kind.BOOLEAN, Kind.DATE, Kind.TIME):
        return f"CAST({value} AS VARCHAR)"
    return value


def harmless(column: Column) -> str:
    """The text as a cell that no spreadsheet runs: what `harmless.harmless` does."""
    value = text(column)
    if column.kind not in _FREE:
        return value
    formula = (
        f"regexp_matches({value}, {literal(FORMULA)})"
        f" AND NOT regexp_full_match({value}, {literal(PLAIN)})"
    )
    return (
        f"CASE WHEN contains({_FIRST}, left({value}, 1)) AND {formula}"
        f" THEN {literal(MARK)} || {value} ELSE {value} END"
    )


def csv(column: Column) -> str:
    """A cell of CSV, in quotes where it must be; NULL where there is no value."""
    if column.kind not in _FREE:
        return text(column)
    value, cell = text(column), harmless(column)
    special = " OR ".join(f"contains({value}, {c})" for c in ("','", "'\"'", "chr(10)", "chr(13)"))
    return f"CASE WHEN {special} THEN '\"' || replace({cell}, '\"', '\"\"') || '\"' ELSE {cell} END"


def json(column: Column) -> str:
    """A JSON value; NULL where there is no value."""
    if column.kind in (Kind.NUMBER, Kind.BOOLEAN, Kind.JSON):
        return text(column)
    if column.kind in (Kind.TEXT, Kind.LIST):
        return f"CAST(to_json({column.sql}) AS VARCHAR)"
    return f"'\"' || {text(column)} || '\"'"


# In XML `&`, `<` and `>` are written otherwise; spreadsheets take `_x0041_` for a character by its
# number, and two characters cannot be written in any other way.
_ODD = r"[&<>_\x{FFFE}\x{FFFF}]"
# Control characters, which no property has, are written in that form too; tab and line feed not.
_ODDER = r"[&<>_\x{FFFE}\x{FFFF}\x{1}-\x{8}\x{B}-\x{1F}]"
_CONTROL = tuple((f"chr({n})", f"'_x{n:04X}_'") for n in (*range(1, 9), *range(11, 32)))
INLINE = '<c t="inlineStr"><is><t xml:space="preserve">'
_WRITTEN = (
    ("'&'", "'&amp;'"),
    ("'<'", "'&lt;'"),
    ("'>'", "'&gt;'"),
    ("'_x'", "'_x005F_x'"),
    ("chr(65534)", "'_xFFFE_'"),
    ("chr(65535)", "'_xFFFF_'"),
)


def xml(column: Column) -> str:
    """A cell of a spreadsheet: numbers and truths as such, all else as text that stays text."""
    value = harmless(column)
    if column.kind is Kind.NUMBER:
        held = f"'<c><v>' || {value} || '</v></c>'"
    elif column.kind is Kind.BOOLEAN:
        held = f"'<c t=\"b\"><v>' || CAST(CAST({column.sql} AS INTEGER) AS VARCHAR) || '</v></c>'"
    else:
        written = _escaped(column, value) if column.kind in _FREE else value
        start, end = literal(INLINE), literal("</t></is></c>")
        held = f"{start} || {written} || {end}"
    return f"coalesce({held}, '<c/>')"


def _escaped(column: Column, value: str) -> str:
    """A text as XML holds it; most are that as they are."""
    written = value
    for plain, form in (*_WRITTEN, *(_CONTROL if column.loose else ())):
        written = f"replace({written}, {plain}, {form})"
    odd = f"regexp_matches({text(column)}, {literal(_ODDER if column.loose else _ODD)})"
    return f"CASE WHEN {odd} THEN {written} ELSE {value} END"
