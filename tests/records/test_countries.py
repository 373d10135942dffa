from __future__ import annotations

import phonenumbers
import pycountry
import pytest

from user360.records.countries import country_of_phone


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+919876543210", "IN"),
        ("919876543210", "IN"),
        (" 919876543210 ", "IN"),
        ("+14155552671", "US"),
        ("+14165550123", "CA"),
        ("+77012345678", "KZ"),
        ("+79161234567", "RU"),
        ("+24741234", "SH"),
        ("+38344123456", "XK"),
    ],
)
def test_a_number_tells_its_country(number: str, country: str) -> None:
    assert country_of_phone(number) == country


@pytest.mark.parametrize("number", ["5215512345678", "551187654321"])
def test_messengers_send_forms_the_numbering_plan_has_left_behind(number: str) -> None:
    assert country_of_phone(number) in {"MX", "BR"}


@pytest.mark.parametrize(
    "number", ["", "abc", "12", "+", "870773111632", "80012345678", "0919876543210", "9" * 40]
)
def test_what_belongs_to_no_country_has_none(number: str) -> None:
    assert country_of_phone(number) is None


def test_every_numbering_region_answers_with_an_iso_code() -> None:
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number(region)
        assert example is not None, region
        written = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        country = country_of_phone(written)
        assert country == "XK" or pycountry.countries.get(alpha_2=country), (region, country)
