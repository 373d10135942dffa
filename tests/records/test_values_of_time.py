from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.reading import KOLKATA, NEW_YORK, UTC, parse, refusal
from user360.records.properties import Type

MOMENTS = st.datetimes(timezones=st.just(UTC)).filter(lambda moment: 2 < moment.year < 9998)


@pytest.mark.parametrize("given", ["1990-05-01", "2024-02-29", "0001-01-01", "9999-12-31"])
def test_a_date_is_kept_as_written(given: str) -> None:
    assert parse(Type.DATE, f" {given} ") == given


@pytest.mark.parametrize(
    "given",
    [
        "2023-02-29",
        "2026-13-01",
        "0000-01-01",
        "1990-5-1",
        "19900501",
        "2026-W01-1",
        "01/05/1990",
        "1990-05-01T00:00:00Z",
        "１９９０-05-01",
        19900501,
        "-990-05-01",
        "10000-01-01",
    ],
)
def test_what_is_no_day_of_the_calendar_is_refused(given: object) -> None:
    assert "YYYY-MM-DD" in refusal(Type.DATE, given)


def test_a_time_of_day_is_kept_as_written() -> None:
    assert parse(Type.TIME, " 00:00:00 ") == "00:00:00"
    assert parse(Type.TIME, "23:59:59") == "23:59:59"


@pytest.mark.parametrize("given", ["24:00:00", "12:60:00", "12:00:60", "12:00", "1:00:00", 120000])
def test_what_is_no_time_of_day_is_refused(given: object) -> None:
    assert "hh:mm:ss" in refusal(Type.TIME, given)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-11-22 11:10:00", "2026-11-22T05:40:00.000Z"),
        ("2026-11-22T11:10:00", "2026-11-22T05:40:00.000Z"),
        ("2026-11-22T11:10", "2026-11-22T05:40:00.000Z"),
        ("2026-11-22T05:40:00Z", "2026-11-22T05:40:00.000Z"),
        ("2026-11-22 05:40:00z", "2026-11-22T05:40:00.000Z"),
        ("2026-11-22t05:40:00.5z", "2026-11-22T05:40:00.500Z"),
        ("2026-11-22T05:40:00,25Z", "2026-11-22T05:40:00.250Z"),
        ("2026-11-22T05:40:00.999999999Z", "2026-11-22T05:40:00.999Z"),
        ("2026-11-22T05:40:00-0330", "2026-11-22T09:10:00.000Z"),
        ("2026-11-22T05:40:00+05", "2026-11-22T00:40:00.000Z"),
        ("1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_a_moment_is_kept_in_utc_and_local_times_are_the_workspaces(given: str, kept: str) -> None:
    assert parse(Type.DATETIME, given, KOLKATA) == kept


@pytest.mark.parametrize(
    "given",
    [
        "2026-11-22",
        "2026-02-30 00:00:00",
        "2026-11-22 24:00:00",
        "2026-11-22T05:40:60Z",
        1795325000,
        "2026-11-22T05:40:00+24:00",
        "2026-11-22T05:40:00+05:60",
        "2026-11-22  05:40:00",
        "20261122T054000Z",
        "2026-W47-7T05:40:00Z",
        "22.11.2026 05:40",
        "0000-01-01T00:00:00Z",
        "0001-01-01 00:00:00",
        "9999-12-31T23:59:59-01:00",
        "2026-11-22T05:40:00 Z",
    ],
)
def test_what_is_no_moment_is_refused(given: object) -> None:
    assert "ISO 8601" in refusal(Type.DATETIME, given, KOLKATA)


def test_when_clocks_go_back_the_first_of_the_two_times_is_meant() -> None:
    kept = parse(Type.DATETIME, "2026-11-01 01:30:00", NEW_YORK)
    assert kept == "2026-11-01T05:30:00.000Z"


def test_a_time_that_clocks_skip_lands_after_the_gap() -> None:
    kept = parse(Type.DATETIME, "2026-03-08 02:30:00", NEW_YORK)
    assert kept == "2026-03-08T07:30:00.000Z"
    assert isinstance(kept, str)
    local = datetime.fromisoformat(kept).astimezone(NEW_YORK)
    assert local.strftime("%H:%M") == "03:30"


@given(
    MOMENTS,
    st.timedeltas(timedelta(hours=-23), timedelta(hours=23)),
)
def test_a_moment_is_the_same_whichever_offset_it_is_written_in(
    moment: datetime, offset: timedelta
) -> None:
    offset -= offset % timedelta(minutes=1)
    sign = "-" if offset < timedelta() else "+"
    minutes = abs(offset) // timedelta(minutes=1)
    local = (moment + offset).replace(tzinfo=None)
    written = f"{local.isoformat()}{sign}{minutes // 60:02}:{minutes % 60:02}"
    kept = parse(Type.DATETIME, written, KOLKATA)
    assert kept == moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
