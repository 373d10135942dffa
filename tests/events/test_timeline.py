"""How many events there were on which day, and what came in lately."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from user360.clock import to_us
from user360.events import timeline
from user360.ingest.call import Call, Event
from user360.platform import Platform

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
MOMENTS = [
    ("Viewed", datetime(2026, 3, 28, 23, 30, tzinfo=UTC)),
    ("Viewed", datetime(2026, 3, 29, 0, 30, tzinfo=UTC)),
    ("Viewed", datetime(2026, 3, 29, 22, 10, tzinfo=UTC)),
    ("Bought", datetime(2026, 3, 29, 18, 29, tzinfo=UTC)),
    ("Bought", datetime(2026, 3, 29, 18, 31, tzinfo=UTC)),
]


def send(platform: Platform) -> None:
    platform.settle(
        Call(
            workspace=platform.default.id,
            source="api",
            ref="t",
            at=to_us(at),
            message_id=str(i),
            user_id="ana",
            event=Event(name, {"place": i}),
        )
        for i, (name, at) in enumerate(MOMENTS)
    )


def test_a_day_is_one_by_the_clocks_of_the_zone_even_when_they_change() -> None:
    with Platform.temporary() as platform:
        send(platform)
        warehouse, number = platform.wait(), platform.default.id

        def told(name: str, zone: str, since: datetime = EARLY) -> dict[date, int]:
            bounds = (to_us(since), to_us(LATE))
            given = ([name], *bounds, ZoneInfo(zone))
            return timeline.per_day(warehouse, number, *given).get(name, {})

        assert told("Viewed", "UTC") == {date(2026, 3, 28): 1, date(2026, 3, 29): 2}
        assert told("Viewed", "Europe/Berlin") == {date(2026, 3, 29): 2, date(2026, 3, 30): 1}
        assert told("Bought", "Asia/Kolkata") == {date(2026, 3, 29): 1, date(2026, 3, 30): 1}
        assert told("Bought", "UTC", MOMENTS[4][1]) == {date(2026, 3, 29): 1}
        assert told("Sold", "UTC") == {}


def test_what_arrived_is_told_once_in_the_order_of_its_arrival() -> None:
    with Platform.temporary() as platform:
        number = platform.default.id
        assert timeline.arrived(platform.wait(), number, 0) == timeline.Arrived([], 0)
        send(platform)
        found = timeline.arrived(platform.wait(), number, 0, ["Viewed", "Bought"])
        assert [bytes(e["properties"]) for e in found.events] == [
            b'{"place":%d}' % i for i in (4, 3, 2, 1, 0)
        ]
        again = timeline.arrived(platform.wait(), number, found.position)
        assert again == timeline.Arrived([], found.position)
        one = timeline.arrived(platform.wait(), number, found.position - 1, limit=1)
        assert [e["name"] for e in one.events] == ["Bought"]
