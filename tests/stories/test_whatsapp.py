"""What a number on WhatsApp tells of the country, and what stands above it."""

from __future__ import annotations

import pytest

from tests.stories.shop import START, Shop


def test_a_whatsapp_session_tells_the_country_of_its_number(shop: Shop) -> None:
    shop.capture("whatsapp:919876543210", firstName="Asha")
    found = shop.visitor("whatsapp:919876543210")
    assert found is not None
    assert found["properties"] == {"firstName": "Asha", "country": "IN"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_anybody_says_of_the_country_stands_above_the_number(
    shop: Shop, order: tuple[int, int]
) -> None:
    made = shop.write("asha")
    shop.identify("whatsapp:919876543210", "asha")
    calls = [
        shop.call(user_id="asha", properties={"country": "DE"}, at=START),
        shop.call(session="whatsapp:919876543210", event="Wrote", properties={"city": "Pune"}),
    ]
    for n in order:
        shop.settle(calls[n])
    assert shop.record(made.record)["properties"] == {"country": "DE", "city": "Pune"}


def test_the_country_of_a_number_does_not_break_a_users_own_pair(shop: Shop) -> None:
    shop.write("asha", timezone="Europe/Berlin")
    shop.capture("whatsapp:919876543210", firstName="Asha")
    merged = shop.identify("whatsapp:919876543210", "asha", city="Berlin")
    assert merged.status == "merged"
    shop.capture("whatsapp:919876543210", language="de")
    assert "country" not in shop.known("asha")


def test_a_new_user_in_somebody_elses_whatsapp_session_begins_empty(shop: Shop) -> None:
    shop.identify("whatsapp:919876543210", "asha", firstName="Asha")
    shop.identify("whatsapp:919876543210", "ravi")
    assert shop.known("ravi") == {}
