"""When a schedule's turn comes, by the clocks of its workspace."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from user360.clock import to_datetime, to_us
from user360.errors import Invalid
from user360.imports.schedules.calendar import next_time
from user360.imports.schedules.schedule import Calendar, Cron, Daily, Monthly, Once, Weekly

BERLIN = ZoneInfo("Europe/Berlin")


def times(calendar: Calendar, start: str, count: int, zone: ZoneInfo = BERLIN) -> list[str]:
    """The next times, by the clocks of the zone."""
    found: list[str] = []
    at = to_us(datetime.fromisoformat(start).replace(tzinfo=zone))
    while len(found) < count and (later := next_time(calendar, at, zone)) is not None:
        at = later
        found.append(f"{to_datetime(at).astimezone(zone):%Y-%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("calendar", "expected"),
    [
        (Once(at="2026-11-22 09:30"), ["2026-11-22 09:30"]),
        (Once(at="2026-11-22T08:30:00Z"), ["2026-11-22 09:30"]),
        (Once(at="2026-11-21 09:30"), []),
        (Daily(time="09:30"), ["2026-11-22 09:30", "2026-11-23 09:30", "2026-11-24 09:30"]),
        (Daily(time="00:00"), ["2026-11-23 00:00", "2026-11-24 00:00", "2026-11-25 00:00"]),
        (Weekly(weekday="sunday", time="00:30"), ["2026-11-29 00:30", "2026-12-06 00:30"]),
        (Weekly(weekday="monday", time="09:30"), ["2026-11-23 09:30", "2026-11-30 09:30"]),
        (Monthly(day=1, time="06:00"), ["2026-12-01 06:00", "2027-01-01 06:00"]),
        (
            Monthly(day=31, time="06:00"),
            ["2026-11-30 06:00", "2026-12-31 06:00", "2027-01-31 06:00", "2027-02-28 06:00"],
        ),
        (
            Monthly(day=29, time="06:00"),
            ["2026-11-29 06:00", "2026-12-29 06:00", "2027-01-29 06:00", "2027-02-28 06:00"],
        ),
        (Cron(cron="*/20 8 * * mon-fri"), ["2026-11-23 08:00", "2026-11-23 08:20"]),
        (Cron(cron="0 0 29 2 *"), ["2028-02-29 00:00", "2032-02-29 00:00"]),
    ],
)
def test_the_next_times(calendar: Calendar, expected: list[str]) -> None:
    assert times(calendar, "2026-11-22 00:30", max(1, len(expected))) == expected


def test_in_a_leap_year_the_29th_of_february_comes_once() -> None:
    found = times(Monthly(day=29, time="06:00"), "2028-02-01", 2)
    assert found == ["2028-02-29 06:00", "2028-03-29 06:00"]


def test_when_clocks_go_forward_the_day_is_not_left_out() -> None:
    found = times(Daily(time="02:30"), "2027-03-27 12:00", 2)
    assert found == ["2027-03-28 03:00", "2027-03-29 02:30"]


def test_when_clocks_go_back_the_hour_counts_once() -> None:
    assert times(Daily(time="02:30"), "2026-10-24 12:00", 3) == [
        "2026-10-25 02:30",
        "2026-10-26 02:30",
        "2026-10-27 02:30",
    ]


@pytest.mark.parametrize(
    ("calendar", "path"),
    [
        (Once(at="tomorrow"), "at"),
        (Once(at="0001-01-01 00:00"), None),
        (Daily(time="9:30"), "time"),
        (Daily(time="24:00"), "time"),
        (Weekly(weekday="monday", time=""), "time"),
        (Monthly(day=0, time="09:30"), "day"),
        (Monthly(day=32, time="09:30"), "day"),
        (Cron(cron="* * *"), "cron"),
        (Cron(cron="* * * * * *"), "cron"),
        (Cron(cron="61 * * * *"), "cron"),
        (Cron(cron="@daily"), "cron"),
        (Cron(cron="0 0 30 2 *"), "cron"),
    ],
)
def test_what_no_calendar_means_is_named(calendar: Calendar, path: str | None) -> None:
    if path is None:
        assert next_time(calendar, to_us(datetime(2026, 11, 22, tzinfo=BERLIN)), BERLIN) is None
        return
    with pytest.raises(Invalid) as problem:
        next_time(calendar, 0, BERLIN)
    assert [fault.path for fault in problem.value.faults] == [path]


@given(
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    after=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
    zone=st.sampled_from(["Europe/Berlin", "Asia/Kolkata", "America/New_York", "Asia/Kathmandu"]),
)
@settings(max_examples=200)
def test_every_day_has_its_turn(hour: int, minute: int, after: datetime, zone: str) -> None:
    there = ZoneInfo(zone)
    at = to_us(after.replace(tzinfo=there))
    found = next_time(Daily(time=f"{hour:02}:{minute:02}"), at, there)
    assert found is not None
    assert at < found <= at + 26 * 3_600_000_000
    shown = to_datetime(found).astimezone(there)
    skipped = shown.utcoffset() != to_datetime(found - 1).astimezone(there).utcoffset()
    assert (shown.hour, shown.minute) == (hour, minute) or skipped
