"""What can be chosen in the form: operators and kinds of values, from the language's own tables."""

from __future__ import annotations

from collections.abc import Sequence

from user360.records.properties import Catalogue, Type
from user360.segments.language import operators, reading
from user360.segments.language.operators import Json, Operator, Takes

Choice = tuple[str, str]  # what is meant, and how it reads

OPERATORS_FIRST = "is"
SINGLE = (Takes.PAIR, Takes.AHEAD)  # of which nobody adds another
SPANS = (Takes.SPANS, Takes.AHEAD)
LISTS: Sequence[Choice] = (
    ("all", "all of these"),
    ("any", "any of these"),
    ("none", "none of these"),
    ("some", "not all of these"),
)
DID: Sequence[Choice] = (("yes", "did"), ("no", "did not do"))
UNITS: Sequence[Choice] = tuple(
    (unit, unit) for unit in ("minutes", "hours", "days", "weeks", "months")
)
AHEAD_UNITS = UNITS[2:]
TOTALS: Sequence[Choice] = tuple((row.name, row.label) for row in operators.TOTALS.values())
COUNTS: Sequence[Choice] = (("", "at least once"), *TOTALS)
DURING: Sequence[Choice] = (
    ("", "at any time"),
    ("last", "in the last …"),
    ("today", "today"),
    ("yesterday", "yesterday"),
    ("thisWeek", "this week"),
    ("lastWeek", "last week"),
    ("thisMonth", "this month"),
    ("lastMonth", "last month"),
    ("after", "since …"),
    ("before", "before …"),
    ("between", "from … until before …"),
    ("on", "on …"),
)
WITHIN: Sequence[Choice] = (("", "however long it takes"), ("within", "all within …"))
_KINDS = {
    Json.TEXT: "text",
    Json.TEXTS: "text",
    Json.MOMENT: "text",
    Json.NUMBER: "number",
    Json.BOOLEAN: "boolean",
}
_KIND_WORDS = {
    "text": "text",
    "number": "number",
    "boolean": "true or false",
    "empty": "empty text",
}
# How operators read where several of one name stand for different sorts of values.
_ENOUGH = {"is": "is", "isNot": "is not"}


def of_property(kind: Type) -> list[Choice]:
    """The operators for properties of a type; what is asked most comes first."""
    rows = [row for row in operators.TABLE if kind in row.types]
    rows.sort(key=lambda row: row.takes is Takes.NOTHING and row.name in ("known", "unknown"))
    return [(row.name, row.label) for row in rows]


def in_events() -> list[Choice]:
    """The operators for what an event holds."""
    names = sorted(operators.EVENT_NAMES, key=lambda name: name in ("known", "unknown"))
    return [(name, operators.in_events(name)[0].label) for name in names]


def row_of(name: str, op: str, catalogue: Catalogue) -> tuple[Operator | None, Type | None]:
    """The operator of a condition on a property, and the type of that."""
    found = reading.property_of(name, catalogue)
    if found is None:
        return None, None
    return operators.find(op, found.type), found.type


def kinds(op: str) -> list[Choice]:
    """The kinds of values that an operator for events takes."""
    rows = operators.in_events(op)
    found = list(dict.fromkeys(_KINDS[row.event] for row in rows if row.event in _KINDS))
    if any(row.event is Json.TEXT and row.takes is Takes.VALUES for row in rows):
        found.append("empty")
    if any(row.event is Json.TEXTS and row.takes in (Takes.VALUES, Takes.ALL) for row in rows):
        found.append("empty")
    words = _KIND_WORDS | ({"text": "date"} if is_moment(op) else {})
    return [(kind, words[kind]) for kind in found]


def is_moment(op: str) -> bool:
    """Whether a text for this operator, on what an event holds, is a day or a time."""
    return any(row.event is Json.MOMENT for row in operators.in_events(op))


def takes(op: str) -> Takes:
    """What an operator for events takes."""
    rows = operators.in_events(op)
    return rows[0].takes if rows else Takes.VALUES
