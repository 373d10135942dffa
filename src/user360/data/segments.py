"""The demo's segments: what a marketer of that CD shop would have asked, in June 1998 and now.

The shop's own time has passed, so most ask about its days by date. Some follow the clock: they are
empty until somebody buys today.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import msgspec

from user360 import data

PURCHASE = "Purchase"
# The last 90 days of the data; the end is not included.
LAST_90_DAYS = (
    (data.LAST_DAY - datetime.timedelta(days=89)).isoformat(),
    (data.LAST_DAY + datetime.timedelta(days=1)).isoformat(),
)
LATELY = {"between": list(LAST_90_DAYS)}


class Example(msgspec.Struct, frozen=True):
    """A segment that the demo makes; in `where` other examples are named by their names."""

    name: str
    description: str
    where: Mapping[str, Any]


def _bought(op: str, times: int, during: Mapping[str, Any] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"event": PURCHASE, "count": {"op": op, "value": times}}
    return found if during is None else {**found, "during": during}


def _never(during: Mapping[str, Any]) -> dict[str, Any]:
    return {"event": PURCHASE, "occurred": False, "during": during}


LOYAL = Example(
    "Loyal in India",
    "At least three purchases in the last 90 days of the data, living in India",
    {
        "all": [
            {"property": "country", "op": "is", "values": ["IN"]},
            _bought("gte", 3, LATELY),
        ]
    },
)
BIG = Example(
    "Big spenders",
    "500 dollars or more in all",
    {"event": PURCHASE, "sum": {"path": "amount", "op": "gte", "value": 500}},
)
SEGMENTS = (
    LOYAL,
    BIG,
    Example("Bought once", "One purchase, and never again", _bought("is", 1)),
    Example(
        "Lapsed, on WhatsApp",
        "Five purchases or more, none of them in 1998, and we may write to them on WhatsApp",
        {
            "all": [
                _bought("gte", 5),
                _never({"after": "1998-01-01"}),
                {"property": "whatsAppOptin", "op": "isTrue"},
                {"property": "phone", "op": "known"},
            ]
        },
    ),
    Example(
        "Back within a month",
        "Bought, and bought again within 30 days",
        {
            "sequence": [{"event": PURCHASE}, {"event": PURCHASE}],
            "within": {"amount": 30, "unit": "days"},
        },
    ),
    Example(
        "Slipping away",
        "Bought at least twice in the first quarter of 1998, and not since",
        {
            "all": [
                _bought("gte", 2, {"between": ["1998-01-01", "1998-04-01"]}),
                _never({"after": "1998-04-01"}),
            ]
        },
    ),
    Example(
        "A single large order",
        "At least one order of five discs or more",
        {"event": PURCHASE, "where": [{"path": "quantity", "op": "gte", "values": [5]}]},
    ),
    Example(
        "Reachable by e-mail",
        "An address, and the permission to use it",
        {
            "all": [
                {"property": "email", "op": "known"},
                {"property": "emailOptin", "op": "isTrue"},
            ]
        },
    ),
    Example(
        "Big spenders to win back",
        "Big spenders who may be written to and bought nothing in the last 90 days of the data",
        {
            "all": [
                {"segment": BIG.name},
                {"segment": "Reachable by e-mail"},
                _never(LATELY),
            ]
        },
    ),
    Example(
        "The best, but for India",
        "Big spenders who are not among the loyal in India",
        {"all": [{"segment": BIG.name}, {"segment": LOYAL.name, "in": False}]},
    ),
    Example(
        "Birthday this week",
        "Born on one of the next 7 days of the year: follows the clock",
        {
            "property": "dob",
            "op": "anniversary",
            "values": [{"inNext": {"amount": 7, "unit": "days"}}],
        },
    ),
    Example(
        "Bought today",
        "A purchase since midnight: empty until one comes in, and again when the day is over",
        {"event": PURCHASE, "during": {"period": "today"}},
    ),
)
