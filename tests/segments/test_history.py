"""What happened to segments, read from what the log told."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from user360.access.change import Change
from user360.clock import SECOND, StillClock, to_datetime, to_us
from user360.errors import Invalid, Problem
from user360.events import event
from user360.ingest.call import Call, Event, Session, Verb
from user360.platform import Platform
from user360.segments import define, history, sizes
from user360.segments.history import Moved, Stay, Wanted
from user360.segments.store import DYNAMIC, STATIC
from user360.storage.ledger import Connection

HOUR = 3_600 * SECOND
DAY = 24 * HOUR
NUMBERS = itertools.count(1)


class Told:
    """A platform with a list, whose members move as a test says."""

    def __init__(self, platform: Platform, clock: StillClock) -> None:
        self.platform = platform
        self.clock = clock
        self.workspace = platform.default
        self.segment = self.change(lambda c: define.create(c, "VIP", "", None)).id

    def change(self, job: Callable[[Change], Any]) -> Any:
        def run(connection: Connection) -> Any:
            dialect, position = self.platform.ledger.dialect, self.platform.committer.position
            given: dict[str, Any] = {"now": self.clock.now(), "actor": "test"}
            return job(Change(connection, dialect, self.workspace, take=position.take, **given))

        return self.platform.write(run)

    def user(self, name: str) -> int:
        return self.call(user_id=name)

    def call(self, **given: Any) -> int:
        where: dict[str, Any] = {"workspace": self.workspace.id, "source": "api", "ref": "test"}
        at = self.clock.now()
        call = Call(**where, at=at, message_id=f"{next(NUMBERS)}", **given)
        (outcome,) = self.platform.settle([call])
        assert outcome.problem is None
        assert outcome.record is not None
        return outcome.record

    def moves(
        self,
        enter: Sequence[int] = (),
        exit: Sequence[int] = (),
        *,
        silent: bool = False,
        size: int | None = None,
    ) -> None:
        told: dict[str, Any] = {"enter": list(enter), "exit": list(exit), "silent": silent}
        if size is not None:
            told["size"] = size
        self.change(
            lambda c: c.tell(event.MEMBERS, segment=self.segment, at=self.clock.now(), **told)
        )

    def changes(self, limit: int = 100, cursor: str | None = None, **given: Any) -> Any:
        wanted = Wanted(self.segment, **given)
        return history.changes(
            self.platform.wait(), self.workspace, wanted, self.edits, limit, cursor
        )

    edits: Sequence[int] = ()
    kind = DYNAMIC

    def stays(self, number: int) -> list[Stay]:
        return history.stays(self.platform.wait(), self.workspace, number)

    def sizes(self, bucket: sizes.Bucket, since: int | None = None) -> list[tuple[datetime, int]]:
        segment = msgspec.structs.replace(self.workspace.segments[self.segment], kind=self.kind)
        where = (self.platform.wait(), self.workspace, segment, bucket)
        found = sizes.over_time(*where, since, self.clock.now())
        return [(to_datetime(point.at), point.size) for point in found]


@pytest.fixture
def told(clock: StillClock) -> Iterator[Told]:
    with Platform.temporary(clock=clock) as platform:
        yield Told(platform, clock)


def test_who_entered_and_left_is_told_newest_first_in_pages(told: Told) -> None:
    asha, ravi = told.user("asha"), told.user("ravi")
    told.clock.move(hours=1)
    told.moves([asha, ravi])
    entered = told.clock.now()
    told.clock.move(hours=1)
    told.moves(exit=[asha])
    left = told.clock.now()
    found, following = told.changes()
    assert following is None
    assert found == [
        Moved(asha, "asha", False, left, "clock"),
        Moved(ravi, "ravi", True, entered, "clock"),
        Moved(asha, "asha", True, entered, "clock"),
    ]
    paged, cursor = [], None
    while True:
        page, cursor = told.changes(limit=1, cursor=cursor)
        paged += page
        if cursor is None:
            break
    assert paged == found
    assert told.changes(since=left)[0] == found[:1]
    assert told.changes(until=left)[0] == found[1:]
    for bad in ("", "x", "1", "1.2.3", "-1.2", f"1.{'9' * 19}"):
        with pytest.raises(Problem):
            told.changes(cursor=bad)


def test_the_cause_is_what_was_written_last_before(told: Told) -> None:
    asha, ravi, meera = (told.user(name) for name in ("asha", "ravi", "meera"))
    told.clock.move(hours=1)
    told.call(user_id="asha", event=Event("Order Completed", {}))
    told.call(user_id="ravi", properties={"city": "Pune"})
    told.clock.move(milliseconds=200)
    told.moves([asha, ravi, meera])
    causes = {moved.user_id: moved.cause for moved in told.changes()[0]}
    assert causes == {"asha": "event", "ravi": "write", "meera": "clock"}
    told.edits = [told.clock.now()]
    assert {moved.cause for moved in told.changes()[0]} == {"edit"}
    told.edits = []
    told.clock.move(hours=1)
    told.moves(exit=[meera], silent=True)
    assert told.changes(limit=1)[0][0].cause == "edit"


def test_somebody_who_was_merged_away_is_shown_as_the_survivor(told: Told) -> None:
    asha = told.user("asha")
    visitor = told.call(session=Session("web", "v"), properties={"city": "Goa"})
    told.moves([visitor])
    since = told.clock.now()
    told.clock.move(days=1)
    told.call(session=Session("web", "v"), user_id="asha")
    told.moves([asha], silent=True)
    told.clock.move(days=1)
    (_, first) = told.changes()[0]
    assert (first.record, first.user_id) == (asha, "asha")
    assert told.stays(asha) == [Stay(told.segment, since, None)]
    told.moves(exit=[visitor, asha])
    assert told.stays(asha) == [Stay(told.segment, since, told.clock.now())]
    assert told.changes(limit=1)[0][0].cause == "clock"


def test_somebody_was_in_it_and_is_again(told: Told) -> None:
    asha = told.user("asha")
    times = []
    for move in ("enter", "exit", "enter"):
        told.clock.move(days=30)
        told.moves([asha] if move == "enter" else [], [asha] if move == "exit" else [])
        times.append(told.clock.now())
    assert told.stays(asha) == [
        Stay(told.segment, times[2], None),
        Stay(told.segment, times[0], times[1]),
    ]
    assert told.stays(told.user("ravi")) == []


def test_sizes_are_told_for_each_day_of_the_workspace(told: Told) -> None:
    kolkata = {"timeZone": "Asia/Kolkata"}
    told.workspace.apply(msgspec.convert(kolkata, type(told.workspace.settings)))
    told.clock.at = to_us(datetime(2026, 11, 19, 18, 29, 59, tzinfo=UTC))
    assert told.sizes("day") == []
    told.moves(size=4)
    told.clock.move(seconds=1)  # midnight there
    told.moves(size=7)
    told.clock.move(hours=60)
    told.moves(size=2)
    midnight = datetime(2026, 11, 18, 18, 30, tzinfo=UTC)
    days = [to_datetime(to_us(midnight) + n * DAY) for n in range(4)]
    told.clock.move(minutes=1)
    assert told.sizes("day") == list(zip(days, [4, 7, 7, 2], strict=True))
    assert told.sizes("day", to_us(days[2]) + HOUR) == [(days[2], 7), (days[3], 2)]
    assert told.sizes("day", to_us(days[0]) - DAY)[0] == (days[0], 4)
    assert [size for _, size in told.sizes("week")] == [2]
    assert len(told.sizes("hour")) == 62
    with pytest.raises(Invalid):
        told.sizes("hour", 0)


def test_an_hour_that_the_clock_skips_is_no_point(told: Told) -> None:
    berlin = {"timeZone": "Europe/Berlin"}
    told.workspace.apply(msgspec.convert(berlin, type(told.workspace.settings)))
    told.clock.at = to_us(datetime(2026, 3, 28, 23, 30, tzinfo=UTC))
    told.moves(size=1)
    told.clock.move(hours=4)
    found = told.sizes("hour")
    hours = [at.hour for at, _ in found]
    assert hours == [23, 0, 1, 2, 3]
    assert len(set(found)) == len(found)


def test_the_sizes_of_a_list_follow_from_who_moved(told: Told) -> None:
    told.kind = STATIC
    assert told.sizes("day") == []
    asha, ravi, meera = (told.user(name) for name in ("asha", "ravi", "meera"))
    told.moves([asha, ravi, meera])
    told.clock.move(days=1)
    told.moves(exit=[ravi])
    told.clock.move(days=2)
    told.moves([ravi])
    told.clock.move(seconds=1)
    assert [size for _, size in told.sizes("day")] == [3, 2, 2, 3]
    told.call(user_id="meera", verb=Verb.DELETE)
    assert [size for _, size in told.sizes("day")] == [2, 1, 1, 2]
