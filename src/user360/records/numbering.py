"""Which telephone numbers are valid, as one pattern a calling code.

The library asks a dozen patterns about every number, 50 µs in all. Its own rules are put together
here once a calling code; where it would first take a prefix off, or has rules beyond patterns,
`settles` says nothing and the library is asked.
"""

from __future__ import annotations

import functools
import re

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata, PhoneNumberDesc

LONGEST_CODE = 3
# Mexico's old mobile numbers are written anew before they are read.
_ODD = ("521",)
_NOWHERE = "001"  # the region of numbers of no country, such as +800
_KINDS = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
    "fixed_line",
    "mobile",
)


def settles(digits: str) -> bool:
    """Whether these digits, country code first, are their own valid E.164 number without `+`.

    False says nothing: the library is to be asked.
    """
    if digits.startswith(_ODD) or not digits.isascii():
        return False
    for length in range(1, LONGEST_CODE + 1):
        code = digits[:length]
        if code in _codes():
            return _pattern(code).fullmatch(digits, length) is not None
    return False


@functools.cache
def _codes() -> frozenset[str]:
    return frozenset(str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


@functools.cache
def _pattern(code: str) -> re.Pattern[str]:
    """The valid national numbers of a calling code that begin with no prefix to be taken off."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)]
    found = [(_metadata(code, region), len(regions) == 1) for region in regions]
    valid, passed = [], ""
    for metadata, alone in found:
        if metadata is None:
            continue
        of_region = _of_region(metadata)
        leading = None if alone else metadata.leading_digits
        # The first region whose leading digits fit is asked alone.
        valid.append(f"{passed}(?={leading}){of_region}" if leading else f"{passed}{of_region}")
        passed += f"(?!{leading})" if leading else ""
    prefix = found[0][0].national_prefix_for_parsing if found[0][0] is not None else None
    unprefixed = f"(?!{prefix})" if prefix else ""
    return re.compile(f"{unprefixed}(?:{'|'.join(valid)})")


def _metadata(code: str, region: str) -> PhoneMetadata | None:
    if region == _NOWHERE:
        return PhoneMetadata.metadata_for_nongeo_region(int(code), None)
    return PhoneMetadata.metadata_for_region(region, None)


def _of_region(metadata: PhoneMetadata) -> str:
    """A number of a region fits what is said of all of them, and what is said of one kind."""
    kinds = [_described(getattr(metadata, kind)) for kind in _KINDS]
    return f"(?={_described(metadata.general_desc)}\\Z)(?:{'|'.join(k for k in kinds if k)})"


def _described(wanted: PhoneNumberDesc | None) -> str:
    if wanted is None or not wanted.national_number_pattern:
        return ""
    lengths = "|".join(rf"\d{{{length}}}\Z" for length in wanted.possible_length or ())
    return (f"(?={lengths})" if lengths else "") + f"(?:{wanted.national_number_pattern})"
