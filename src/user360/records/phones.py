"""Telephone numbers in their one written form: E.164 with `+`."""

from __future__ import annotations

import functools
import re

import phonenumbers

from user360.records import numbering

# What people put between digits. Letters are left out: they would be an extension or a vanity
# number, and E.164 keeps neither.
_SHAPE = re.compile(r"(?P<plus>[+＋])?[\d\s()./‐-―−-]+")
_BETWEEN = re.compile(r"[^\d]+")

# Address books and messengers wrap copied numbers in marks of direction, which nobody sees.
_INVISIBLE = dict.fromkeys(
    [0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
)
LONGEST = 64

# Mexico gave up the 1 before its mobile numbers in 2019; WhatsApp goes on sending it.
_MEXICAN = re.compile(r"521(?=[0-9]{10}\Z)")


def e164(text: str) -> str | None:
    """The number written `+919876543210`, or None when it is no valid international number.

    The country code is required; `+` or `00` before it, spaces, dashes, dots, slashes and
    parentheses are not.
    """
    if len(text) > LONGEST:
        return None
    if not text.isascii():
        text = text.translate(_INVISIBLE).strip()
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return None
    digits = _BETWEEN.sub("", text)
    if not shape["plus"]:
        digits = digits.removeprefix("00")
    return _settled(digits)


def read(digits: str) -> phonenumbers.PhoneNumber | None:
    """The number that these digits, country code first, make up, valid or not."""
    try:
        return phonenumbers.parse(f"+{_MEXICAN.sub('52', digits)}")
    except phonenumbers.NumberParseException:
        return None


@functools.lru_cache(maxsize=16_384)
def _settled(digits: str) -> str | None:
    """E.164 of country code and number; kept, for the same person writes again and again."""
    if numbering.settles(digits):
        return f"+{digits}"
    number = read(digits)
    if number is None or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
