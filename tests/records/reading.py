"""A value as a property of its type keeps it, and why one is refused."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from user360.records import values
from user360.records.properties import Type
from user360.records.values import BadValue, Value

UTC = ZoneInfo("UTC")
KOLKATA = ZoneInfo("Asia/Kolkata")
NEW_YORK = ZoneInfo("America/New_York")


def parse(kind: Type, given: object, zone: ZoneInfo = UTC) -> Value | None:
    return values.parse(kind, given, zone)


def refusal(kind: Type, given: object, zone: ZoneInfo = UTC) -> str:
    with pytest.raises(BadValue) as caught:
        parse(kind, given, zone)
    assert str(caught.value) == caught.value.message
    assert caught.value.message.startswith("expected ")
    return caught.value.message
