"""The demo's customers and purchases: real where they can be, made up the same way everywhere."""

from __future__ import annotations

import datetime
from collections import Counter
from hashlib import sha256
from zoneinfo import ZoneInfo

import email_validator
import msgspec
import phonenumbers
import pycountry
import pytest

from user360 import data
from user360.data.names import COUNTRIES

# Of all customers as JSON lines. Whoever changes the made-up people on purpose changes this too.
CHECKSUM = "53590a3d767d0137229fa3f326add0cea09e4d9c2093ae7e773b095dcb86f681"


@pytest.fixture(scope="module")
def customers() -> list[data.Customer]:
    return data.customers()


@pytest.fixture(scope="module")
def purchases() -> list[data.Purchase]:
    return list(data.purchases())


def test_every_purchase_of_the_data_set_is_there(purchases: list[data.Purchase]) -> None:
    assert len(purchases) == data.PURCHASES == 69_659
    assert {p.customer for p in purchases} == set(range(1, data.CUSTOMERS + 1))
    assert [p.number for p in purchases] == list(range(1, data.PURCHASES + 1))
    assert min(p.date for p in purchases) == data.FIRST_DAY
    assert max(p.date for p in purchases) == data.LAST_DAY
    assert sum(p.quantity for p in purchases) == 167_881
    assert round(sum(p.amount for p in purchases), 2) == 2_500_315.63


def test_the_first_purchases_read_as_in_the_file(purchases: list[data.Purchase]) -> None:
    assert purchases[0] == data.Purchase(1, 1, datetime.date(1997, 1, 1), 1, 11.77)
    assert purchases[0].user_id == "cdnow-00001"


def test_the_question_of_the_tutorial_has_its_answer(
    customers: list[data.Customer], purchases: list[data.Purchase]
) -> None:
    """At least three purchases in the last 90 days of the data, living in India."""
    start = data.LAST_DAY - datetime.timedelta(days=89)
    assert start == datetime.date(1998, 4, 2)
    bought = Counter(p.user_id for p in purchases if p.date >= start)
    indian = {c.user_id for c in customers if c.country == "IN"}
    assert sum(bought[user] >= 3 for user in indian) == 103
    assert "cdnow-00111" in indian
    assert bought["cdnow-00111"] == 2


def test_there_is_a_person_for_every_customer(customers: list[data.Customer]) -> None:
    assert len(customers) == data.CUSTOMERS == 23_570
    assert customers[0].user_id == "cdnow-00001"
    assert customers[-1].user_id == "cdnow-23570"


def test_the_same_people_are_made_every_time(customers: list[data.Customer]) -> None:
    lines = b"\n".join(msgspec.json.encode(c) for c in customers)
    assert sha256(lines).hexdigest() == CHECKSUM


def test_a_customer_reads_as_system_properties(customers: list[data.Customer]) -> None:
    from user360.records.properties import SYSTEM

    known = {p.name for p in SYSTEM}
    named = {name for c in customers for name in msgspec.to_builtins(c)}
    assert named <= known
    assert {"userId", "whatsAppOptin", "dob"} <= named


def test_every_telephone_number_is_valid_in_its_country(customers: list[data.Customer]) -> None:
    for customer in customers:
        if customer.phone:
            number = phonenumbers.parse(customer.phone)
            assert phonenumbers.is_valid_number(number), customer.phone
            assert phonenumbers.region_code_for_number(number) == customer.country
            assert phonenumbers.format_number(number, 0) == customer.phone  # 0 is E.164


def test_nobody_shares_a_telephone_number_or_an_address(customers: list[data.Customer]) -> None:
    phones = [c.phone for c in customers if c.phone]
    assert len(set(phones)) == len(phones) > 20_000
    assert len({c.email for c in customers}) == len(customers)


def test_every_address_is_valid_and_leads_nowhere(customers: list[data.Customer]) -> None:
    for customer in customers:
        checked = email_validator.validate_email(customer.email, check_deliverability=False)
        assert checked.normalized == customer.email
        assert checked.domain == "example.com"


def test_about_a_quarter_live_in_india(customers: list[data.Customer]) -> None:
    per_country = Counter(c.country for c in customers)
    assert sum(c.share for c in COUNTRIES) == 100
    for country in COUNTRIES:
        assert pycountry.countries.get(alpha_2=country.code)
        assert per_country[country.code] / len(customers) == pytest.approx(
            country.share / 100, abs=0.01
        )


def test_every_city_lies_in_a_real_time_zone() -> None:
    for country in COUNTRIES:
        for _, zone in country.cities:
            assert ZoneInfo(zone)


def test_everybody_was_of_age(customers: list[data.Customer]) -> None:
    birthdays = [datetime.date.fromisoformat(c.dob) for c in customers if c.dob]
    assert len(birthdays) > 15_000
    assert max(birthdays).year < 1980
