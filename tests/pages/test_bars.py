"""Counts per day become bars: without gaps, few enough to be seen, none left out."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from user360.pages import bars

LAST = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("days", "number", "per"),
    [
        (1, 1, "per day"),
        (30, 30, "per day"),
        (92, 92, "per day"),
        (93, 14, "per week"),
        (365, 53, "per week"),
        (2_000, 67, "per 30 days"),
        (30_000, 92, "per 327 days"),
    ],
)
def test_every_day_is_in_one_bar(days: int, number: int, per: str) -> None:
    first = LAST - timedelta(days=days - 1)
    counts = {first + timedelta(days=i): 1 for i in range(days)}
    made = bars.chart(counts, first, LAST)
    assert (len(made.bars), made.per, made.total) == (number, per, days)
    assert made.bars[-1].last == LAST
    assert max(bar.share for bar in made.bars) == 1
    for before, after in zip(made.bars, made.bars[1:], strict=False):
        assert after.first - before.last == timedelta(days=1)


def test_it_is_told_in_a_sentence() -> None:
    first = LAST - timedelta(days=2)
    made = bars.chart({first: 1_200, LAST: 7}, first, LAST)
    assert made.says == ("1,207 events from 20 Nov 2026 to 22 Nov 2026; most on 20 Nov 2026: 1,200")
    assert bars.chart({}, first, LAST).says == "No events from 20 Nov 2026 to 22 Nov 2026"
