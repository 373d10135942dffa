from __future__ import annotations

import random

import phonenumbers
import pytest

from user360.records import numbering, phones

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
CODES = sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS)


def by_the_library(digits: str) -> str | None:
    number = phones.read(digits)
    if number is None or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def digits_of(number: phonenumbers.PhoneNumber | None) -> str:
    assert number is not None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]


def like(digits: str, draw: random.Random) -> list[str]:
    """The number itself, and others with some digits changed, added or left out."""
    found = [digits, digits[:-1], digits + "0", digits[:2] + "0" + digits[2:]]
    for _ in range(4):
        place = draw.randrange(len(digits))
        found.append(digits[:place] + draw.choice("0123456789") + digits[place + 1 :])
        found.append(digits[:-place] + "".join(draw.choices("0123456789", k=place)))
    return found


@pytest.mark.parametrize("region", REGIONS)
def test_what_a_pattern_calls_valid_the_library_calls_valid_as_it_stands(region: str) -> None:
    draw = random.Random(region)
    for kind in phonenumbers.PhoneNumberType.values():
        example = phonenumbers.example_number_for_type(region, kind)
        for digits in like(digits_of(example), draw) if example else ():
            assert not numbering.settles(digits) or by_the_library(digits) == f"+{digits}", digits


@pytest.mark.parametrize("code", CODES)
def test_numbers_of_no_country_are_settled_too(code: int) -> None:
    example = phonenumbers.example_number_for_non_geo_entity(code)
    assert numbering.settles(digits_of(example))


def test_digits_at_random_are_never_settled_against_the_library() -> None:
    draw = random.Random(4)
    for _ in range(5_000):
        digits = "".join(draw.choices("0123456789", k=draw.randint(1, 17)))
        assert not numbering.settles(digits) or by_the_library(digits) == f"+{digits}", digits


@pytest.mark.parametrize("region", ["IN", "US", "DE", "GB", "BR", "IT", "AU", "NG", "ID"])
def test_an_ordinary_mobile_number_is_settled_without_the_library(region: str) -> None:
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assert numbering.settles(digits_of(example))


@pytest.mark.parametrize("text", ["5215512345678", "", "0", "999", "٩١٩٨٧٦٥٤٣٢١٠"])
def test_what_has_to_be_written_anew_first_is_left_to_the_library(text: str) -> None:
    assert not numbering.settles(text)
