"""A customer's year: how Asha comes and goes in a dozen segments, while days pass and things
happen, and what each of them can say of it afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.stories.segments import Segments
from user360.clock import StillClock, to_us
from user360.ingest.call import Event
from user360.platform import Platform
from user360.records.properties import Property, Type

BUYS, LOOKS, FILLS = "Order Completed", "Page Viewed", "Product Added"


def span(amount: int, unit: str) -> dict[str, Any]:
    return {"amount": amount, "unit": unit}


SEGMENTS: dict[str, dict[str, Any]] = {
    "Active": {"event": LOOKS, "during": {"last": span(7, "days")}},
    "Asleep": {
        "all": [
            {"event": LOOKS},
            {"event": LOOKS, "occurred": False, "during": {"last": span(30, "days")}},
        ]
    },
    "Onboarding": {
        "all": [
            {"property": "createdAt", "op": "inLast", "values": [span(14, "days")]},
            {"event": BUYS, "occurred": False},
        ]
    },
    "Renewal due": {"property": "renewsOn", "op": "inNext", "values": [span(30, "days")]},
    "Left in the cart": {
        "all": [
            {"event": FILLS, "during": {"last": span(2, "days")}},
            {
                "sequence": [{"event": FILLS}, {"event": BUYS}],
                "within": span(24, "hours"),
                "completed": False,
                "during": {"last": span(2, "days")},
            },
        ]
    },
    "Birthday today": {"property": "dob", "op": "anniversary"},
    "Customers": {"event": BUYS},
    "Regulars": {"event": BUYS, "count": {"op": "gte", "value": 3}},
    "Big spenders": {"event": BUYS, "sum": {"path": "total", "op": "gte", "value": 500}},
    "Bought this month": {"event": BUYS, "during": {"period": "thisMonth"}},
}
NESTED = {
    "May be written to": {"property": "emailOptin", "op": "isNotFalse"},
    "Regulars we may write to": {"all": ["Regulars", "May be written to"]},
}


class Year:
    """The shop from 1 January 2026 on, in Kolkata."""

    def __init__(self, shop: Segments, clock: StillClock) -> None:
        self.shop = shop
        self.clock = clock
        shop.choose(time_zone="Asia/Kolkata")
        shop.declare(Property(id=100, name="renewsOn", type=Type.DATE))
        self.numbers = {name: shop.make(name, where) for name, where in SEGMENTS.items()}
        self.numbers["May be written to"] = shop.make(
            "May be written to", NESTED["May be written to"]
        )
        inner = [{"segment": self.numbers[n]} for n in ("Regulars", "May be written to")]
        self.numbers["Regulars we may write to"] = shop.make(
            "Regulars we may write to", {"all": inner}
        )

    def on(self, *days: str) -> None:
        """Look in at one in the afternoon of these days, and stay on the last one."""
        for day in days:
            self.clock.at = to_us(datetime.fromisoformat(f"{day}T13:00:00+05:30"))
            self.shop.platform.keeper.settle()

    def does(self, name: str, **properties: Any) -> None:
        self.shop.send(user_id="asha", event=Event(name, properties), at=self.clock.at)
        self.shop.platform.keeper.settle()

    def becomes(self, **properties: Any) -> None:
        self.shop.send(user_id="asha", properties=properties, at=self.clock.at)
        self.shop.platform.keeper.settle()

    def told(self) -> list[str]:
        return [f"{day} {how} {name}" for day, how, name in self.shop.journey("asha")]


@pytest.fixture(scope="module")
def year() -> Iterator[Year]:
    clock = StillClock(to_us(datetime(2026, 1, 1, 6, 30, tzinfo=UTC)))
    with Platform.temporary(clock=clock) as platform:
        year = Year(Segments(platform), clock)
        live(year)
        yield year


def live(year: Year) -> None:
    year.on("2026-01-05")
    year.becomes(firstName="Asha", dob="1990-06-15", renewsOn="2026-12-20")
    year.does(LOOKS)
    year.on("2026-01-11", "2026-01-13", "2026-01-18", "2026-01-20")  # and bought nothing
    year.on("2026-02-03", "2026-02-05", "2026-02-10")
    year.does(LOOKS)
    year.does(FILLS)
    year.on("2026-02-11", "2026-02-13")  # the cart is forgotten
    year.on("2026-02-16", "2026-02-18", "2026-03-03")
    year.does(FILLS)
    year.does(BUYS, total=120)
    year.on("2026-03-11", "2026-03-13", "2026-03-20")
    year.does(BUYS, total=80.5)
    year.on("2026-03-31", "2026-04-01")  # a month is over
    year.on("2026-06-14", "2026-06-15", "2026-06-16", "2026-06-20")  # her birthday passes
    year.does(BUYS, total=299.5)
    year.on("2026-06-30", "2026-07-01", "2026-07-02")
    year.becomes(emailOptin=False)
    year.on("2026-11-19", "2026-11-20", "2026-11-30")  # the renewal comes near
    year.becomes(renewsOn="2027-12-20")
    year.on("2026-12-31")


def test_her_year_is_told_once_and_in_order(year: Year) -> None:
    assert sorted(year.told()) == sorted(
        [
            "2026-01-05 enters Onboarding",
            "2026-01-05 enters May be written to",
            "2026-01-05 enters Active",
            "2026-01-13 leaves Active",
            "2026-01-20 leaves Onboarding",
            "2026-02-05 enters Asleep",
            "2026-02-10 leaves Asleep",
            "2026-02-10 enters Active",
            "2026-02-10 enters Left in the cart",
            "2026-02-13 leaves Left in the cart",
            "2026-02-18 leaves Active",
            "2026-03-03 enters Left in the cart",
            "2026-03-03 leaves Left in the cart",
            "2026-03-03 enters Customers",
            "2026-03-03 enters Bought this month",
            "2026-03-13 enters Asleep",
            "2026-04-01 leaves Bought this month",
            "2026-06-15 enters Birthday today",
            "2026-06-16 leaves Birthday today",
            "2026-06-20 enters Regulars",
            "2026-06-20 enters Regulars we may write to",
            "2026-06-20 enters Big spenders",
            "2026-06-20 enters Bought this month",
            "2026-07-01 leaves Bought this month",
            "2026-07-02 leaves May be written to",
            "2026-07-02 leaves Regulars we may write to",
            "2026-11-20 enters Renewal due",
            "2026-11-30 leaves Renewal due",
        ]
    )


def test_at_its_end_she_is_where_her_year_has_led_her(year: Year) -> None:
    inside = {name for name, number in year.numbers.items() if year.shop.members(number)}
    assert inside == {"Asleep", "Customers", "Regulars", "Big spenders"}
