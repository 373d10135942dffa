"""Days, weeks, months and windows where clocks change, checked against the calendar on the wall."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360.clock import to_datetime, to_us
from user360.segments.language import periods
from user360.segments.language.periods import During, Span, When, Window

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
KOLKATA = ZoneInfo("Asia/Kolkata")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
ZONES = [BERLIN, NEW_YORK, KOLKATA, SAO_PAULO, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("UTC")]

whens = st.builds(
    lambda moment, zone: When(to_us(moment), zone),
    st.datetimes(datetime(1950, 1, 1), datetime(2190, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(ZONES),
)


def at(zone: ZoneInfo, wall: str, fold: int = 0) -> When:
    """The moment when a clock on the wall shows `wall`."""
    return When(to_us(datetime.fromisoformat(wall).replace(tzinfo=zone, fold=fold)), zone)


def on_wall(window: Window, zone: ZoneInfo) -> tuple[str, str]:
    """What clocks show at both ends of a window."""
    assert window.start is not None
    assert window.end is not None
    shown = [
        to_datetime(us).astimezone(zone).replace(tzinfo=None) for us in (window.start, window.end)
    ]
    return shown[0].isoformat(" "), shown[1].isoformat(" ")


def hours(window: Window) -> float:
    assert window.start is not None
    assert window.end is not None
    return (window.end - window.start) / 3_600_000_000


def during(**given: str) -> During:
    ((kind, name),) = given.items()
    return During(kind, name=name)


def test_the_day_clocks_go_forward_has_23_hours_and_the_day_they_go_back_25() -> None:
    assert hours(periods.day("2026-03-29", BERLIN)) == 23
    assert hours(periods.day("2026-10-25", BERLIN)) == 25
    assert hours(periods.day("2026-03-29", KOLKATA)) == 24


def test_a_day_whose_midnight_is_skipped_begins_where_the_gap_ends() -> None:
    window = periods.day("2018-11-04", SAO_PAULO)
    assert on_wall(window, SAO_PAULO) == ("2018-11-04 01:00:00", "2018-11-05 00:00:00")
    assert periods.day("2018-11-03", SAO_PAULO).end == window.start


def test_today_is_the_day_of_the_workspace_not_of_the_server() -> None:
    when = When(to_us(datetime(2026, 11, 22, 20, 0, tzinfo=UTC)), KOLKATA)
    assert on_wall(periods.today(when), KOLKATA)[0] == "2026-11-23 00:00:00"


@pytest.mark.parametrize(
    ("name", "first", "beyond"),
    [
        ("today", "2026-03-29", "2026-03-30"),
        ("yesterday", "2026-03-28", "2026-03-29"),
        ("thisWeek", "2026-03-23", "2026-03-30"),
        ("lastWeek", "2026-03-16", "2026-03-23"),
        ("thisMonth", "2026-03-01", "2026-04-01"),
        ("lastMonth", "2026-02-01", "2026-03-01"),
    ],
)
def test_named_periods_are_whole_days_with_weeks_from_monday(
    name: str, first: str, beyond: str
) -> None:
    window = periods.of(during(period=name), at(BERLIN, "2026-03-29 12:00:00"))
    assert on_wall(window, BERLIN) == (f"{first} 00:00:00", f"{beyond} 00:00:00")


def test_the_month_before_january_is_december() -> None:
    window = periods.of(during(period="lastMonth"), at(KOLKATA, "2027-01-31 23:59:59"))
    assert on_wall(window, KOLKATA) == ("2026-12-01 00:00:00", "2027-01-01 00:00:00")


def test_a_day_ago_is_the_same_time_on_the_wall_and_24_hours_ago_is_not() -> None:
    when = at(BERLIN, "2026-03-29 12:00:00")
    assert on_wall(periods.last(when, Span(1, "days")), BERLIN)[0] == "2026-03-28 12:00:00"
    assert on_wall(periods.last(when, Span(24, "hours")), BERLIN)[0] == "2026-03-28 11:00:00"


def test_a_time_that_came_twice_is_the_first_and_one_that_never_came_lies_after_the_gap() -> None:
    week_later = at(BERLIN, "2026-11-01 02:30:00")
    start = periods.last(week_later, Span(1, "weeks")).start
    assert start == to_us(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    day_later = at(BERLIN, "2026-03-30 02:30:00")
    assert on_wall(periods.last(day_later, Span(1, "days")), BERLIN)[0] == "2026-03-29 03:30:00"


def test_a_month_before_the_31st_is_the_last_day_of_february() -> None:
    when = at(KOLKATA, "2028-03-31 09:00:00")
    assert periods.shifted_day(when, Span(1, "months"), -1) == date(2028, 2, 29)
    assert periods.shifted_day(when, Span(13, "months"), -1) == date(2027, 2, 28)
    assert periods.shifted_day(when, Span(11, "months"), 1) == date(2029, 2, 28)


def test_exactly_two_days_ago_is_that_whole_day_and_two_hours_ago_that_clock_hour() -> None:
    when = at(KOLKATA, "2026-11-22 11:40:00")
    two_days = periods.exactly(when, Span(2, "days"), -1)
    assert on_wall(two_days, KOLKATA) == ("2026-11-20 00:00:00", "2026-11-21 00:00:00")
    two_hours = periods.exactly(when, Span(2, "hours"), -1)
    assert on_wall(two_hours, KOLKATA) == ("2026-11-22 09:00:00", "2026-11-22 10:00:00")
    in_a_minute = periods.exactly(when, Span(1, "minutes"), 1)
    assert on_wall(in_a_minute, KOLKATA) == ("2026-11-22 11:41:00", "2026-11-22 11:42:00")


def test_an_hour_ago_in_the_second_two_oclock_is_the_first_two_oclock() -> None:
    second = at(BERLIN, "2026-10-25 02:10:00", fold=1)
    window = periods.exactly(second, Span(1, "hours"), -1)
    assert window.start == to_us(datetime(2026, 10, 25, 0, 0, tzinfo=UTC))
    assert hours(window) == 1


def test_after_a_date_is_since_its_beginning_and_before_it_ends_there() -> None:
    when = at(BERLIN, "2026-11-22 05:40:00")
    day = periods.day("2026-11-20", BERLIN)
    assert periods.of(During("after", moments=("2026-11-20",)), when) == Window(start=day.start)
    assert periods.of(During("before", moments=("2026-11-20",)), when) == Window(end=day.start)
    assert periods.of(None, when) == Window()


@given(when=whens, amount=st.integers(0, 1_000_000), unit=st.sampled_from(periods.UNITS))
def test_a_window_always_ends_after_it_begins_and_holds_what_it_is_about(
    when: When, amount: int, unit: str
) -> None:
    span = Span(amount, unit)
    last, ahead = periods.last(when, span), periods.upcoming(when, span)
    assert last.start is not None
    assert last.start <= when.now < (last.end or 0)
    assert ahead.start == when.now
    assert (ahead.end or 0) > when.now
    for sign in (-1, 1):
        exactly = periods.exactly(when, span, sign)
        assert (exactly.start or 0) < (exactly.end or 0)


@given(when=whens)
def test_days_tile_time_without_gap_or_overlap(when: When) -> None:
    today = periods.local_date(when.now, when.zone)
    days = [periods.day((today + timedelta(days=n)).isoformat(), when.zone) for n in (-1, 0, 1)]
    assert days[0].end == days[1].start
    assert days[1].end == days[2].start
    start, end = days[1].start, days[1].end
    assert start is not None
    assert end is not None
    assert start <= when.now < end


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_the_first_and_the_last_day_there_are_can_be_asked_about(day: str, zone: ZoneInfo) -> None:
    window = periods.day(day, zone)
    assert 22 < hours(window) < 26
    ordinal = date.fromisoformat(day).toordinal()
    assert periods.dates(window, zone) == (ordinal, ordinal)
