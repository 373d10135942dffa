"""Counts per day as bars, of which a chart is drawn: how many days a bar covers, how high it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import msgspec

from user360.pages import words

MOST = 92  # bars of one chart
WHOLE = ((1, "per day"), (7, "per week"), (30, "per 30 days"), (91, "per 91 days"))


class Bar(msgspec.Struct, frozen=True):
    """What happened from one day to another, both included; `share` is of the highest bar."""

    first: date
    last: date
    count: int
    share: float

    @property
    def name(self) -> str:
        """`3 Nov 2026`, or the first and the last day."""
        if self.first == self.last:
            return _day(self.first)
        return f"{_day(self.first)} to {_day(self.last)}"


class Chart(msgspec.Struct, frozen=True):
    """Bars in the order of time, without gaps; `per` says what each covers."""

    bars: list[Bar]
    per: str
    total: int
    most: int

    @property
    def says(self) -> str:
        """The chart in a sentence, for those who do not see it."""
        if not self.total:
            return f"No events from {_day(self.bars[0].first)} to {_day(self.bars[-1].last)}"
        top = max(self.bars, key=lambda bar: bar.count)
        return (
            f"{words.plural(self.total, 'event')} from {_day(self.bars[0].first)} to"
            f" {_day(self.bars[-1].last)}; most on {top.name}: {words.number(top.count)}"
        )


def chart(counts: Mapping[date, int], first: date, last: date) -> Chart:
    """The counts of the days from `first` to `last`, both included, in at most `MOST` bars."""
    days = max((last - first).days + 1, 1)
    step, per = next((s for s in WHOLE if days / s[0] <= MOST), (-(-days // MOST), ""))
    # Counted back from the last day, so that the newest bar covers as many days as the others.
    number = -(-days // step)
    begin = last - timedelta(days=number * step - 1)
    found = [0] * number
    for day, count in counts.items():
        if begin <= day <= last:
            found[(day - begin).days // step] += count
    most = max(found)
    bars = [
        Bar(
            begin + timedelta(days=i * step),
            begin + timedelta(days=(i + 1) * step - 1),
            count,
            count / most if most else 0.0,
        )
        for i, count in enumerate(found)
    ]
    return Chart(bars, per or f"per {step} days", sum(found), most)


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
