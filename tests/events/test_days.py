"""The days of a zone are reckoned as its calendar has them, on whichever side of a change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from user360 import clock
from user360.clock import to_us
from user360.events import days

ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns")
FIRST, LAST = datetime(1995, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def test_the_offsets_of_a_year_change_when_the_clocks_do() -> None:
    since, until = (to_us(datetime(year, 1, 1, tzinfo=UTC)) for year in (2026, 2027))
    hour = 3_600_000_000
    assert days.offsets(ZoneInfo("Europe/Berlin"), since, until) == [
        (to_us(datetime(2026, 3, 29, 1, tzinfo=UTC)), hour),
        (to_us(datetime(2026, 10, 25, 1, tzinfo=UTC)), 2 * hour),
        (until, hour),
    ]
    assert days.offsets(ZoneInfo("UTC"), since, until) == [(until, 0)]


@given(
    zone=st.sampled_from(ZONES),
    at=st.integers(to_us(FIRST), to_us(LAST) - 1),
    span=st.integers(1, 400),
)
def test_every_moment_has_the_day_of_the_calendar(zone: str, at: int, span: int) -> None:
    local = ZoneInfo(zone)
    since = at - span * days.DAY
    offset = next(by for end, by in days.offsets(local, since, at + days.DAY) if at < end)
    day = days.FIRST + timedelta(days=(at + offset) // days.DAY)
    assert day == clock.to_datetime(at).astimezone(local).date()
