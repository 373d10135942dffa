"""Every operator, one row each: name, label, types, what it takes, its SQL, its English.

Parser, compiler, sentences and the reference page all read this table, and so can a page that
builds conditions (specification: segments, "Operators by type"). A negative operator is a row
with the comparison of its positive; the compiler makes it the exact complement.
"""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable

import msgspec
from sqlglot import exp

from user360.records.properties import Type
from user360.segments.language import comparisons as compare
from user360.segments.language import periods
from user360.segments.language.comparisons import Comparison


class Takes(enum.Enum):
    """What the `values` of an operator are; the words are for people."""

    NOTHING = "nothing"
    VALUES = "one or more values, any of which may fit"
    PARTS = "one or more texts, any of which may fit"
    ALL = "one or more values, all of which must fit"
    DOMAINS = "one or more domains (`example.com`), any of which may fit"
    PAIR = "two values, the lower first, both included"
    SPANS = 'a length of time, `{"amount": 2, "unit": "days"}`'
    AHEAD = 'nothing, or `{"inNext": {"amount": 7, "unit": "days"}}`'


class Json(enum.Enum):
    """What a value within an event must be for an operator to look at it."""

    ANY = "any value"
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXTS = "array of texts"
    MOMENT = "text that is an ISO 8601 date or time"


class Operator(msgspec.Struct, frozen=True):
    """One row. `types` are those of the properties it is for, `event` the values within events.

    `english` reads after the name of the property, with `{values}` where the values go.
    """

    name: str
    label: str
    types: tuple[Type, ...]
    event: Json | None
    takes: Takes
    comparison: Comparison
    english: str
    negative: bool = False


_EVERY = tuple(Type)
_TEXT = (Type.STRING,)
_EXACT = (Type.EMAIL, Type.PHONE, Type.URL)
_EMAIL = (Type.EMAIL,)
_NUMBER = (Type.NUMBER,)
_FLAG = (Type.BOOLEAN,)
_LIST = (Type.LIST,)
_DATES = (Type.DATE, Type.DATETIME)
_TIME = (Type.TIME,)

_CONTAINS = compare.part("contains")
_WAS = compare.Moving(lambda when, span: periods.exactly(when, span, -1))
_WILL_BE = compare.Moving(lambda when, span: periods.exactly(when, span, 1))


def _row(
    name: str,
    types: tuple[Type, ...],
    event: Json | None,
    takes: Takes,
    comparison: Comparison,
    english: str,
) -> Operator:
    """A row whose label is its English without the values."""
    label = english.replace("{values}", "…").removesuffix(" …")
    return Operator(name, label, types, event, takes, comparison, english)


def _not(name: str, positive: Operator, english: str) -> Operator:
    """The row of the complement of `positive`."""
    row = _row(name, positive.types, positive.event, positive.takes, positive.comparison, english)
    return msgspec.structs.replace(row, negative=True)


def _with_not(name: str, english: str, positive: Operator) -> tuple[Operator, Operator]:
    return positive, _not(name, positive, english)


_V, _P = Takes.VALUES, Takes.PARTS

# fmt: off
TABLE: tuple[Operator, ...] = (
    *_with_not("unknown", "is unknown",
     _row("known", _EVERY, Json.ANY, Takes.NOTHING, compare.known, "is known")),

    *_with_not("isNot", "is not {values}",
     _row("is", _TEXT, Json.TEXT, _V, compare.same_text, "is {values}")),
    *_with_not("notContains", "does not contain {values}",
     _row("contains", _TEXT, Json.TEXT, _P, _CONTAINS, "contains {values}")),
    _row("startsWith", _TEXT, Json.TEXT, _P, compare.part("starts_with"), "starts with {values}"),
    _row("endsWith", _TEXT, Json.TEXT, _P, compare.part("ends_with"), "ends with {values}"),

    *_with_not("isNot", "is not {values}",
     _row("is", _EXACT, None, _V, compare.same, "is {values}")),
    _row("domainIs", _EMAIL, None, Takes.DOMAINS, compare.domain, "has the domain {values}"),

    *_with_not("isNot", "is not {values}",
     _row("is", _NUMBER, Json.NUMBER, _V, compare.same, "is {values}")),
    _row("gt", _NUMBER, Json.NUMBER, _V, compare.ordered(exp.GT), "is more than {values}"),
    _row("gte", _NUMBER, Json.NUMBER, _V, compare.ordered(exp.GTE), "is at least {values}"),
    _row("lt", _NUMBER, Json.NUMBER, _V, compare.ordered(exp.LT), "is less than {values}"),
    _row("lte", _NUMBER, Json.NUMBER, _V, compare.ordered(exp.LTE), "is at most {values}"),
    _row("between", _NUMBER, Json.NUMBER, Takes.PAIR, compare.between, "is between {values}"),

    *_with_not("isNotTrue", "is not true",
     _row("isTrue", _FLAG, Json.BOOLEAN, Takes.NOTHING, compare.flag(True), "is true")),
    *_with_not("isNotFalse", "is not false",
     _row("isFalse", _FLAG, Json.BOOLEAN, Takes.NOTHING, compare.flag(False), "is false")),
    *_with_not("isNot", "is not {values}",
     _row("is", (), Json.BOOLEAN, _V, compare.same, "is {values}")),

    *_with_not("hasNot", "does not have {values}",
     _row("has", _LIST, Json.TEXTS, _V, compare.has(every=False), "has {values}")),
    _row("hasAll", _LIST, Json.TEXTS, Takes.ALL, compare.has(every=True), "has all of {values}"),
    _not("isEmpty", _row("", _LIST, Json.TEXTS, Takes.NOTHING, compare.known, ""), "is empty"),

    _row("is", _DATES, None, _V, compare.on, "is {values}"),
    _row("isBefore", _DATES, Json.MOMENT, _V, compare.before, "is before {values}"),
    _row("isAfter", _DATES, Json.MOMENT, _V, compare.after, "is after {values}"),
    _row("between", _DATES, Json.MOMENT, Takes.PAIR, compare.from_to, "is between {values}"),
    _row("isToday", _DATES, Json.MOMENT, Takes.NOTHING, compare.today, "is today"),
    _row("inLast", _DATES, Json.MOMENT, Takes.SPANS, compare.Moving(periods.last),
         "is in the last {values}"),
    _row("inNext", _DATES, Json.MOMENT, Takes.SPANS, compare.Moving(periods.upcoming),
         "is in the next {values}"),
    _row("wasExactly", _DATES, Json.MOMENT, Takes.SPANS, _WAS, "was exactly {values} ago"),
    _row("willBeExactly", _DATES, Json.MOMENT, Takes.SPANS, _WILL_BE,
         "will be exactly {values} from now"),
    _row("anniversary", _DATES, Json.MOMENT, Takes.AHEAD, compare.anniversary,
         "has its anniversary {values}"),

    _row("is", _TIME, None, _V, compare.same, "is {values}"),
    _row("isBefore", _TIME, None, _V, compare.ordered(exp.LT), "is before {values}"),
    _row("isAfter", _TIME, None, _V, compare.ordered(exp.GT), "is after {values}"),
    _row("between", _TIME, None, Takes.PAIR, compare.between, "is between {values}"),
)
# fmt: on


class Total(msgspec.Struct, frozen=True):
    """How a count or a sum is compared. `idle` where somebody without any event can fit."""

    name: str
    label: str
    comparison: type[exp.Binary]
    fits: Callable[[float, float], bool]
    idle: bool = False


TOTALS: dict[str, Total] = {
    row.name: row
    for row in (
        Total("is", "exactly", exp.EQ, operator.eq, idle=True),
        Total("isNot", "not exactly", exp.NEQ, operator.ne, idle=True),
        Total("gt", "more than", exp.GT, operator.gt),
        Total("gte", "at least", exp.GTE, operator.ge),
        Total("lt", "less than", exp.LT, operator.lt, idle=True),
        Total("lte", "at most", exp.LTE, operator.le, idle=True),
    )
}

_BY_TYPE = {(row.name, kind): row for row in TABLE for kind in row.types}
NAMES = tuple(dict.fromkeys(row.name for row in TABLE))


def find(name: str, kind: Type) -> Operator | None:
    """The operator of this name for properties of a type, if there is one."""
    return _BY_TYPE.get((name, kind))


def names(kind: Type) -> list[str]:
    """The operators there are for properties of a type."""
    return [row.name for row in TABLE if kind in row.types]


def in_events(name: str) -> list[Operator]:
    """The operators of this name for values within events: one for each sort of value."""
    return _IN_EVENTS.get(name, [])


_IN_EVENTS: dict[str, list[Operator]] = {
    name: rows
    for name in NAMES
    if (rows := [row for row in TABLE if row.name == name and row.event is not None])
}

EVENT_NAMES = tuple(_IN_EVENTS)
