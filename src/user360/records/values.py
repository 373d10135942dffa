"""What a given value becomes when it is kept as a property of some type.

The rules are the table in the specification (records, "Properties"). A kept value is at once its
JSON form and its own canonical form: reading it again gives the same, so replays settle equal.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from urllib.parse import urlsplit

import email_validator
import msgspec

from user360.records import phones
from user360.records.properties import Type

Value = str | int | float | bool | list[str]

LONGEST_TEXT = 255
LONGEST_EMAIL = 254
LONGEST_URL = 2048
LONGEST_LIST = 1000

# No number in range needs more, however many zeros it is written with.
_LONGEST_NUMERAL = 400

# Up to here a whole number is an integer; beyond, the same number may be written as one or as a
# decimal (1e20), and both are kept as a decimal.
_WHOLE = 10**15
_LARGEST, _SMALLEST = 1e300, 1e-300

_TEXT = "expected a text"
_TOO_LONG = f"expected at most {LONGEST_TEXT} characters"
_CONTROL = "expected text without control characters, such as line breaks or tabs"
_NUMBER = "expected a number, such as 12 or 12.5"
_DIGITS = "expected a number of at most 15 significant digits"
_RANGE = "expected a number between 1e-300 and 1e300 in size, or 0"
_BOOLEAN = "expected true or false"
_DATE = "expected a date of the calendar, written YYYY-MM-DD"
_DATETIME = "expected a time written YYYY-MM-DD hh:mm:ss, or ISO 8601 with its offset"
_TIME = "expected a time of day written hh:mm:ss"
_LIST = "expected a list of texts"
_LONG_LIST = f"expected a list of at most {LONGEST_LIST} values"
_EMAIL = "expected a valid e-mail address"
_PHONE = "expected a valid phone number with its country code, such as +919876543210"
_SPREADSHEET = (
    "expected a phone number with all its digits, not in the scientific or decimal notation that"
    " spreadsheets turn it into (9.19E+11)"
)
_URL = f"expected an http or https address with a host, at most {LONGEST_URL} characters long"

# Control characters, and surrogates, which no encoding can write.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

_NUMERAL = re.compile(r"[+-]?(?P<digits>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
_OFFSET = r"(?P<offset>[Zz]|[+-][0-9]{2}(?::?[0-5][0-9])?)?"
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ Tt][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?" + _OFFSET
)
_REWRITTEN = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+|[0-9]+\.0+")
_LABEL = r"\w(?:[\w-]*\w)?"
_AUTHORITY = re.compile(
    rf"(?:[^@]*@)?(?:\[[0-9A-Fa-f:.]+\]|{_LABEL}(?:\.{_LABEL})*\.?)(?::[0-9]*)?"
)

# The usual address, about which the library could say nothing else; it takes 50 µs to say so.
_USUAL_EMAIL = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}"
)
_USUAL_LENGTH = 64
RESERVED_DOMAINS = tuple(
    before + name
    for name in email_validator.SPECIAL_USE_DOMAIN_NAMES
    if name != "test"
    for before in ".@"
)


class BadValue(ValueError):
    """The value does not fit its type.

    `message` says what was expected. It never holds the value, which is somebody's.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def parse(kind: Type, given: object, zone: tzinfo) -> Value | None:
    """The value that is kept when `given` (any JSON value) is written to a property of `kind`.

    None is *no value*: null, a blank text, an empty list. `zone` is the workspace's, for times
    without an offset. Raises `BadValue` when it does not fit.
    """
    if given is None:
        return None
    if kind is Type.DATETIME:
        return _datetime(given, zone)
    return _READERS[kind](given)


def is_blank(given: object) -> bool:
    """Whether `given` is *no value* whatever the type: null, a blank text, an empty list."""
    if isinstance(given, str):
        return not given.strip()
    if isinstance(given, list | tuple):
        return all(isinstance(item, str) and not item.strip() for item in given)
    return given is None


def of_first_value(given: object) -> Type:
    """The type an undeclared property takes from the first value seen.

    Only what cannot be meant otherwise leaves text: a day `YYYY-MM-DD`, and a moment with its
    offset. Digits in a text stay text, for they may be a postal code. Raises `BadValue` for what
    no property keeps (an object, a list of anything but texts) and for no value (`is_blank`).
    """
    if is_blank(given):
        raise BadValue("expected a value to take the type from")
    if isinstance(given, bool):
        return Type.BOOLEAN
    if isinstance(given, int | float):
        return Type.NUMBER
    if isinstance(given, str):
        return _of_text(given.strip())
    if isinstance(given, list | tuple) and all(isinstance(item, str) for item in given):
        return Type.LIST
    raise BadValue("expected a text, a number, true or false, or a list of texts")


def text_of(value: Value) -> str:
    """A kept value as one text that `parse` reads back: numbers without exponent, lists with `;`.

    A list of which one item holds a `;` itself is written as JSON.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    if isinstance(value, list):
        return _joined(value)
    return value


def _joined(items: list[str]) -> str:
    """Items with `;` between; as JSON where that would be read as something else."""
    text = ";".join(items)
    if text.startswith("[") or text.count(";") >= len(items):
        return msgspec.json.encode(items).decode()
    return text


def _of_text(text: str) -> Type:
    try:
        if _DAY.fullmatch(text) and _date(text):
            return Type.DATE
        moment = _MOMENT.fullmatch(text)
        if moment and moment["offset"] and _datetime(text, UTC):
            return Type.DATETIME
    except BadValue:
        pass
    return Type.STRING


def _string(given: object) -> str | None:
    if not isinstance(given, str):
        raise BadValue(_TEXT)
    text = given.strip()
    if len(text) <= LONGEST_TEXT and text.isascii() and text.isprintable():
        return text or None
    return _unusual(text)


def _unusual(text: str) -> str:
    # Composing makes one character of four at most, so beyond that length it need not be tried.
    if len(text) > 4 * LONGEST_TEXT:
        raise BadValue(_TOO_LONG)
    if CONTROL.search(text):
        raise BadValue(_CONTROL)
    text = unicodedata.normalize("NFC", text)
    if len(text) > LONGEST_TEXT:
        raise BadValue(_TOO_LONG)
    return text


def _stripped(given: object, otherwise: str) -> str:
    if isinstance(given, str):
        return given.strip()
    raise BadValue(otherwise)


def _number(given: object) -> int | float | None:
    if isinstance(given, float):
        return _decimal(given)
    if isinstance(given, int) and not isinstance(given, bool):
        return given if -_WHOLE < given < _WHOLE else _large(given)
    text = _stripped(given, _NUMBER)
    return _written(text) if text else None


def _decimal(given: float) -> int | float:
    if not _SMALLEST <= abs(given) <= _LARGEST:
        if given == 0:
            return 0
        raise BadValue(_RANGE)
    if given.is_integer() and abs(given) < _WHOLE:
        return int(given)
    # A sign or a point is always among the 16, so there are 15 digits at most.
    if len(repr(given)) > 16 and float(f"{given:.15g}") != given:
        raise BadValue(_DIGITS)
    return given


def _large(given: int) -> float:
    if abs(given) > _LARGEST:
        raise BadValue(_RANGE)
    if len(str(abs(given)).rstrip("0")) > 15:
        raise BadValue(_DIGITS)
    return float(given)


def _written(text: str) -> int | float:
    numeral = _NUMERAL.fullmatch(text) if len(text) <= _LONGEST_NUMERAL else None
    if numeral is None:
        raise BadValue(_NUMBER)
    digits = numeral["digits"].replace(".", "").strip("0")
    if len(digits) > 15:
        raise BadValue(_DIGITS)
    value = float(text)
    if digits and not value:
        raise BadValue(_RANGE)
    return _decimal(value)


def _boolean(given: object) -> bool | None:
    if isinstance(given, bool):
        return given
    text = _stripped(given, _BOOLEAN).lower()
    if text in ("true", "false"):
        return text == "true"
    if text:
        raise BadValue(_BOOLEAN)
    return None


def _date(given: object) -> str | None:
    text = _stripped(given, _DATE)
    if not text:
        return None
    if not _DAY.fullmatch(text):
        raise BadValue(_DATE)
    try:
        date.fromisoformat(text)
    except ValueError:
        raise BadValue(_DATE) from None
    return text


def _time(given: object) -> str | None:
    text = _stripped(given, _TIME)
    if text and not _CLOCK.fullmatch(text):
        raise BadValue(_TIME)
    return text or None


def _datetime(given: object, zone: tzinfo) -> str | None:
    """In UTC with milliseconds; finer parts are cut off.

    A local time that happens twice when clocks go back is the first of the two; one that never
    happens when they go forward is read with the offset from before, so it lands after the gap.
    """
    text = _stripped(given, _DATETIME)
    if not text:
        return None
    if not _MOMENT.fullmatch(text):
        raise BadValue(_DATETIME)
    try:
        moment = datetime.fromisoformat(text.upper())
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadValue(_DATETIME) from None
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _list(given: object) -> list[str] | None:
    if isinstance(given, str):
        given = _items(given.strip())
    if not isinstance(given, list | tuple):
        raise BadValue(_LIST)
    kept: dict[str, None] = {}
    for item in given:
        text = _item(item)
        if text:
            kept[text] = None
        if len(kept) > LONGEST_LIST:
            raise BadValue(_LONG_LIST)
    return list(kept) or None


def _items(text: str) -> list[str]:
    """The items of a list that is written as one text: JSON, or with `;` between."""
    if text.startswith("["):
        with contextlib.suppress(msgspec.MsgspecError, ValueError, RecursionError):
            return msgspec.json.decode(text, type=list[str])
    return text.split(";")


def _item(item: object) -> str | None:
    if not isinstance(item, str):
        raise BadValue(_LIST)
    try:
        return _string(item)
    except BadValue as bad:
        raise BadValue(f"{_LIST}; of each, {bad.message}") from None


def _email(given: object) -> str | None:
    text = _stripped(given, _EMAIL).lower()
    if not text:
        return None
    usual = len(text) <= _USUAL_LENGTH and _USUAL_EMAIL.fullmatch(text)
    if usual and not text.endswith(RESERVED_DOMAINS):
        return text
    return _unusual_email(text)


def _unusual_email(text: str) -> str:
    if len(text) > LONGEST_EMAIL or CONTROL.search(text):
        raise BadValue(_EMAIL)
    try:
        address = email_validator.validate_email(
            unicodedata.normalize("NFC", text),
            check_deliverability=False,
            test_environment=True,
        )
    except ValueError:
        raise BadValue(_EMAIL) from None
    if "." not in address.ascii_domain:
        raise BadValue(_EMAIL)
    return unicodedata.normalize("NFC", address.normalized.lower())


def _phone(given: object) -> str | None:
    if isinstance(given, float):
        raise BadValue(_SPREADSHEET)
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given) if 0 < given < _WHOLE else "-"
    text = _stripped(given, _PHONE)
    if not text:
        return None
    if len(text) > phones.LONGEST:
        raise BadValue(_PHONE)
    if _REWRITTEN.fullmatch(text):
        raise BadValue(_SPREADSHEET)
    number = phones.e164(text)
    if number is None:
        raise BadValue(_PHONE)
    return number


def _url(given: object) -> str | None:
    text = _stripped(given, _URL)
    if not text:
        return None
    if len(text) > LONGEST_URL or CONTROL.search(text) or any(c.isspace() for c in text):
        raise BadValue(_URL)
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        raise BadValue(_URL) from None
    if not sound or not _AUTHORITY.fullmatch(parts.netloc):
        raise BadValue(_URL)
    return text


_READERS: dict[Type, Callable[[object], Value | None]] = {
    Type.STRING: _string,
    Type.NUMBER: _number,
    Type.BOOLEAN: _boolean,
    Type.DATE: _date,
    Type.TIME: _time,
    Type.LIST: _list,
    Type.EMAIL: _email,
    Type.PHONE: _phone,
    Type.URL: _url,
}
