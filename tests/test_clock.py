"""Times as they are told."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from user360 import clock

MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(MOMENTS)
def test_a_time_is_told_to_the_millisecond_and_reads_back(moment: datetime) -> None:
    told = clock.to_iso(clock.to_us(moment))
    assert told.endswith("Z")
    cut = moment.replace(microsecond=moment.microsecond // 1_000 * 1_000)
    assert datetime.fromisoformat(told) == cut


def test_a_time_looks_the_same_however_round_it_is() -> None:
    assert clock.to_iso(0) == "1970-01-01T00:00:00.000Z"
    assert clock.to_iso(-1) == "1969-12-31T23:59:59.999Z"
