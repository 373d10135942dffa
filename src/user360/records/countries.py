"""Which country a person is in, told by their telephone number."""

from __future__ import annotations

import functools
import re

import phonenumbers

from user360.records import phones

# Numbering plans tell these apart; ISO 3166-1 counts both to Saint Helena (SH). Kosovo's XK is
# kept: ISO sets it aside for such use, and everybody uses it.
_ISO = {"AC": "SH", "TA": "SH"}
_NO_COUNTRY = frozenset({"001", "ZZ"})
_DIGITS = re.compile(r"\+?([1-9][0-9]{5,14})")


def country_of_phone(e164: str) -> str | None:
    """The ISO 3166-1 alpha-2 code (`IN`) of a number in E.164, with or without its `+`.

    None when it is no such number, or one that belongs to no country (satellites, +800).
    Messengers give their users' numbers as session ids, some in a form the numbering plan has
    since left behind; there the country code alone decides, if one country has it to itself.
    """
    match = _DIGITS.fullmatch(e164.strip())
    return _country(match[1]) if match else None


@functools.lru_cache(maxsize=16_384)
def _country(digits: str) -> str | None:
    number = phones.read(digits)
    if number is None or not phonenumbers.is_possible_number(number):
        return None
    region = phonenumbers.region_code_for_number(number)
    if region is None or region in _NO_COUNTRY:
        return None
    return _ISO.get(region, region)
