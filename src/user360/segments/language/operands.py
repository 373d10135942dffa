"""What is given as the values of an operator, read into what the compiler takes.

Every reader raises `BadValue`, which says what was expected.
"""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from user360.records import values
from user360.records.properties import Type
from user360.records.values import BadValue
from user360.segments.language.comparisons import Operand
from user360.segments.language.operators import Json, Operator, Takes
from user360.segments.language.periods import LONGEST, UNITS, Span

LONGEST_TEXT = 1000

# Times without an offset are kept as given: only the compiler knows the workspace's zone.
ANYWHERE = ZoneInfo("UTC")
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_MOMENT = "expected a day YYYY-MM-DD, a time YYYY-MM-DD hh:mm:ss, or ISO 8601 with its offset"
_SPAN = (
    f'expected a length of time, such as {{"amount": 2, "unit": "days"}}, with a whole amount from'
    f" 0 to {LONGEST} and one of the units {', '.join(UNITS)}"
)
_AHEAD = 'expected {"inNext": {"amount": 7, "unit": "days"}}, in days, weeks or months'
_DOMAIN = "expected the domain of an e-mail address, such as example.com"
_NO_VALUE = "expected a value; whether there is none is asked with unknown"


def of_property(row: Operator, kind: Type, given: object) -> Operand:
    """One value for a property of type `kind`."""
    if row.takes is Takes.SPANS:
        return span(given)
    if row.takes is Takes.AHEAD:
        return _ahead(given)
    if row.takes is Takes.DOMAINS:
        return _domain(given)
    if kind is Type.DATETIME:
        return moment(given)
    if kind is Type.LIST:
        return _item(given)
    return _value(values.parse(kind, given, ANYWHERE))


def of_event(row: Operator, given: object) -> Operand:
    """One value for what an event holds. Texts are left as they are, for so are those of events."""
    if row.takes is Takes.SPANS:
        return span(given)
    if row.takes is Takes.AHEAD:
        return _ahead(given)
    if row.event is Json.MOMENT:
        return moment(given)
    if row.event is Json.NUMBER:
        return _value(values.parse(Type.NUMBER, given, ANYWHERE))
    if row.event is Json.BOOLEAN:
        return given is True
    return _text(given, empty=row.takes is not Takes.PARTS)


def fits(row: Operator, given: object) -> bool:
    """Whether a row for values within events is the one meant, going by the JSON type given."""
    if row.takes in (Takes.SPANS, Takes.AHEAD):
        return isinstance(given, dict | Span)
    if isinstance(given, bool):
        return row.event is Json.BOOLEAN
    if isinstance(given, int | float):
        return row.event is Json.NUMBER
    return isinstance(given, str) and row.event in (Json.TEXT, Json.TEXTS, Json.MOMENT)


def span(given: object) -> Span:
    """A length of time."""
    if not isinstance(given, dict) or given.keys() != {"amount", "unit"}:
        raise BadValue(_SPAN)
    amount, unit = given["amount"], given["unit"]
    if not isinstance(amount, int) or isinstance(amount, bool) or not 0 <= amount <= LONGEST:
        raise BadValue(_SPAN)
    if unit not in UNITS:
        raise BadValue(_SPAN)
    return Span(amount, unit)


def moment(given: object) -> str:
    """A bare day, or a time as a property of type datetime takes it; the text as given."""
    try:
        read = values.parse(Type.DATE, given, ANYWHERE)
    except BadValue:
        read = _datetime(given)
    if read is None:
        raise BadValue(_MOMENT)
    return str(given).strip()


def day(given: object) -> str:
    """A bare day."""
    return str(_value(values.parse(Type.DATE, given, ANYWHERE)))


def is_unfit(text: str) -> bool:
    """Whether a text holds what no engine can be asked about: NUL, half a surrogate pair."""
    return _UNFIT.search(text) is not None


def without_unfit(text: str) -> str:
    """A text without what no engine can be asked about."""
    return _UNFIT.sub("", text)


def _datetime(given: object) -> values.Value | None:
    try:
        return values.parse(Type.DATETIME, given, ANYWHERE)
    except BadValue:
        raise BadValue(_MOMENT) from None


def _ahead(given: object) -> Span:
    if not isinstance(given, dict) or given.keys() != {"inNext"}:
        raise BadValue(_AHEAD)
    ahead = span(given["inNext"])
    if ahead.unit not in ("days", "weeks", "months"):
        raise BadValue(_AHEAD)
    return ahead


def _domain(given: object) -> str:
    if not isinstance(given, str):
        raise BadValue(_DOMAIN)
    try:
        read = values.parse(Type.EMAIL, "a@" + given.strip().removeprefix("@"), ANYWHERE)
    except BadValue:
        raise BadValue(_DOMAIN) from None
    return str(read).partition("@")[2]


def _item(given: object) -> str:
    if not isinstance(given, str):
        raise BadValue("expected a text")
    return str(_value(values.parse(Type.STRING, given, ANYWHERE)))


def _text(given: object, empty: bool) -> str:
    if not isinstance(given, str) or len(given) > LONGEST_TEXT or is_unfit(given):
        raise BadValue(f"expected a text of at most {LONGEST_TEXT} characters")
    if not given and not empty:
        raise BadValue("expected a text with something in it")
    return given


def _value(read: values.Value | None) -> str | int | float | bool:
    if read is None or isinstance(read, list):
        raise BadValue(_NO_VALUE)
    return read
