"""Stored membership follows the data and the clock, and tells each change once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.stories.segments import Segments
from user360.clock import StillClock, to_us
from user360.errors import StorageFailed
from user360.platform import Platform
from user360.records.properties import Property, Type
from user360.segments import define, statics
from user360.segments.following import telling
from user360.storage import projector

NOON = to_us(datetime(2026, 11, 22, 12, tzinfo=UTC))
ORDERED = {"event": "Ordered"}
TWICE = {"event": "Ordered", "count": {"op": "gte", "value": 2}}
LATELY = {"event": "Ordered", "during": {"last": {"amount": 7, "unit": "days"}}}
IN_PUNE = {"property": "city", "op": "is", "values": ["Pune"]}


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary(clock=StillClock(NOON)) as platform:
        yield platform


@pytest.fixture
def clock(platform: Platform) -> StillClock:
    assert isinstance(platform.clock, StillClock)
    return platform.clock


@pytest.fixture
def shop(platform: Platform) -> Segments:
    return Segments(platform)


def test_a_new_segment_fills_without_telling_anybody(shop: Segments) -> None:
    shop.ordered("asha")
    segment = shop.make("Buyers", ORDERED)
    assert shop.members(segment) == {"asha"}
    assert shop.moves(segment) == []
    assert shop.sizes(segment) == [1]


def test_a_new_segment_tells_of_those_it_fills_with_when_asked_to(shop: Segments) -> None:
    shop.ordered("asha")
    segment = shop.make("Buyers", ORDERED, announce=True)
    assert shop.moves(segment) == [("ENTER", "asha")]


def test_whoever_comes_to_fit_enters_once(shop: Segments) -> None:
    segment = shop.make("Twice", TWICE)
    shop.ordered("asha")
    assert shop.members(segment) == set()
    shop.ordered("asha")
    shop.ordered("asha")
    assert shop.members(segment) == {"asha"}
    shop.ordered("asha")
    assert shop.moves(segment) == [("ENTER", "asha")]
    assert shop.sizes(segment) == [0, 1]


def test_whoever_fits_no_longer_leaves(shop: Segments) -> None:
    segment = shop.make("Pune", IN_PUNE)
    shop.write("asha", city="Pune")
    shop.members(segment)
    shop.write("asha", city="Delhi")
    assert shop.members(segment) == set()
    assert shop.moves(segment) == [("ENTER", "asha"), ("EXIT", "asha")]


def test_a_round_takes_in_what_the_projector_would_leave_for_later(
    shop: Segments, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.make("Buyers", ORDERED)
    for pause in ("GATHER", "LONGEST_GATHER"):
        monkeypatch.setattr(projector, pause, 600)
    shop.ordered("asha")  # brought at once, and the next round of the projector is far away
    position = shop.ordered("vikram").seq
    end = time.monotonic() + 60
    while shop.platform.projector.position < position and time.monotonic() < end:
        time.sleep(0.01)
    assert shop.platform.projector.position >= position


def test_the_clock_alone_lets_people_leave(shop: Segments, clock: StillClock) -> None:
    segment = shop.make("Lately", LATELY)
    shop.ordered("asha")
    assert shop.members(segment) == {"asha"}
    clock.move(days=6, hours=23, minutes=59)
    assert shop.members(segment) == {"asha"}
    boundary = shop.fresh(segment).next_boundary
    assert boundary is not None
    clock.at = boundary
    assert shop.members(segment) == set()
    assert shop.moves(segment) == [("ENTER", "asha"), ("EXIT", "asha")]


def test_a_day_ends_at_midnight_of_the_workspace(shop: Segments, clock: StillClock) -> None:
    shop.choose(time_zone="Asia/Kolkata")
    segment = shop.make("Today", {"event": "Ordered", "during": {"period": "today"}})
    clock.at = to_us(datetime(2026, 12, 1, 18, 20, tzinfo=UTC))
    shop.ordered("asha")
    assert shop.members(segment) == {"asha"}
    clock.at = to_us(datetime(2026, 12, 1, 18, 29, 59, tzinfo=UTC))
    assert shop.members(segment) == {"asha"}
    assert shop.fresh(segment).next_boundary == clock.at + 1_000_000
    clock.at += 1_000_000
    assert shop.members(segment) == set()


def test_an_anniversary_comes_and_goes(shop: Segments, clock: StillClock) -> None:
    shop.declare(Property(id=100, name="born", type=Type.DATE))
    segment = shop.make("Birthdays", {"property": "born", "op": "anniversary"})
    clock.at = to_us(datetime(2026, 12, 23, 23, 59, 30, tzinfo=UTC))
    shop.write("asha", born="1990-12-24")
    assert shop.members(segment) == set()
    clock.move(seconds=30)
    assert shop.members(segment) == {"asha"}
    clock.move(hours=24)
    assert shop.members(segment) == set()


def test_a_merge_moves_membership_and_its_undoing_moves_it_back(shop: Segments) -> None:
    segment = shop.make("Buyers", ORDERED)
    shop.ordered("asha")
    other = shop.ordered("rao").record
    assert shop.members(segment) == {"asha", "rao"}
    merge = shop.merge("asha", other).merge
    assert shop.members(segment) == {"asha"}
    assert shop.sizes(segment)[-1] == 1
    shop.undo(merge)
    assert shop.members(segment) == {"asha", "rao"}
    assert shop.sizes(segment)[-1] == 2
    assert shop.moves(segment) == [("ENTER", "asha"), ("ENTER", "rao")]


def test_what_two_did_counts_for_one_once_they_are_merged(shop: Segments) -> None:
    segment = shop.make("Twice", TWICE)
    shop.ordered("asha")
    other = shop.ordered("rao").record
    assert shop.members(segment) == set()
    merge = shop.merge("asha", other).merge
    assert shop.members(segment) == {"asha"}
    shop.undo(merge)
    assert shop.members(segment) == set()
    assert shop.moves(segment) == [("ENTER", "asha"), ("EXIT", "asha")]


def test_whoever_was_merged_into_somebody_who_does_not_fit_leaves_with_the_row(
    shop: Segments,
) -> None:
    segment = shop.make("Never ordered", {"event": "Ordered", "occurred": False})
    shop.ordered("asha")
    other = shop.write("rao", city="Pune").record
    assert shop.members(segment) == {"rao"}
    merge = shop.merge("asha", other).merge
    assert shop.members(segment) == set()
    shop.undo(merge)
    assert shop.members(segment) == {"rao"}


def test_the_deleted_are_gone_from_every_segment(shop: Segments) -> None:
    segment = shop.make("Buyers", ORDERED)
    shop.ordered("asha")
    shop.ordered("rao")
    shop.members(segment)
    shop.delete("asha")
    assert shop.members(segment) == {"rao"}
    assert shop.sizes(segment)[-1] == shop.fresh(segment).size == 1


def test_a_segment_within_a_segment_moves_with_it(shop: Segments) -> None:
    inner = shop.make("Pune", IN_PUNE)
    outer = shop.make("Buyers elsewhere", {"all": [ORDERED, {"segment": inner, "in": False}]})
    shop.ordered("asha")
    assert shop.members(outer) == {"asha"}
    shop.write("asha", city="Pune")
    assert (shop.members(inner), shop.members(outer)) == ({"asha"}, set())


def test_members_set_by_hand_count_within_a_condition(shop: Segments) -> None:
    number = shop.ordered("asha").record
    listed = shop.make("Listed", None)
    outer = shop.make("Others", {"all": [ORDERED, {"segment": listed, "in": False}]})
    assert shop.members(outer) == {"asha"}
    shop.change(lambda change: statics.put_in(change, listed, [number]))
    assert (shop.members(listed), shop.members(outer)) == ({"asha"}, set())


def test_an_edited_segment_fills_anew_without_telling(shop: Segments) -> None:
    shop.ordered("asha")
    shop.write("rao", city="Pune")
    segment = shop.make("Some", ORDERED)
    assert shop.members(segment) == {"asha"}
    shop.change(lambda change: define.edit(change, segment, condition=IN_PUNE))
    assert shop.members(segment) == {"rao"}
    assert shop.moves(segment) == []


def test_a_segment_that_cannot_be_evaluated_says_so_keeps_its_members_and_recovers(
    shop: Segments,
) -> None:
    kept = Property(id=100, name="plan", type=Type.STRING)
    shop.declare(kept)
    segment = shop.make("Gold", {"property": "plan", "op": "is", "values": ["gold"]})
    shop.write("asha", plan="gold")
    assert shop.members(segment) == {"asha"}
    shop.declare()
    assert shop.members(segment) == {"asha"}
    assert "there is none called plan" in shop.fresh(segment).error
    later = shop.fresh(segment).retry_at
    shop.platform.keeper.retry(shop.workspace.id, segment)
    assert shop.members(segment) == {"asha"}
    assert shop.fresh(segment).retry_at > later
    shop.declare(kept)
    assert shop.members(segment) == {"asha"}
    assert shop.fresh(segment).error is None
    assert shop.moves(segment) == [("ENTER", "asha")]


def test_everybody_is_counted_after_a_start_and_what_changed_meanwhile_is_told(
    tmp_path: Any,
) -> None:
    clock = StillClock(NOON)
    with Platform.open(tmp_path, clock=clock) as platform:
        shop = Segments(platform)
        segment = shop.make("Lately", LATELY)
        shop.ordered("asha")
        clock.move(hours=1)
        shop.ordered("rao")
        assert shop.members(segment) == {"asha", "rao"}
    clock.move(days=6, hours=23, minutes=1)
    with Platform.open(tmp_path, clock=clock) as platform:
        shop = shop.at(platform)
        assert shop.members(segment) == {"rao"}
        assert shop.moves(segment) == [("ENTER", "asha"), ("ENTER", "rao"), ("EXIT", "asha")]


def test_a_segment_nobody_uses_is_archived_by_itself_and_goes_on(
    shop: Segments, clock: StillClock
) -> None:
    segment = shop.make("Buyers", ORDERED)
    clock.move(days=59, hours=23)
    shop.platform.keeper.settle()
    assert shop.workspace.segments[segment].archived_at is None
    clock.move(hours=2)
    shop.platform.keeper.settle()
    assert shop.workspace.segments[segment].archived_at is not None
    shop.ordered("asha")
    assert shop.members(segment) == {"asha"}
    assert shop.moves(segment) == [("ENTER", "asha")]


def test_a_round_that_fails_is_said_and_tried_again(
    shop: Segments, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = shop.make("Buyers", ORDERED)
    keeper = shop.platform.keeper

    def broken(*_: Any) -> None:
        raise StorageFailed("The disk is full")

    monkeypatch.setattr(telling, "tell", broken)
    shop.ordered("asha")
    while keeper.error is None:
        time.sleep(0.01)
    assert keeper.error == "The disk is full"
    monkeypatch.undo()
    assert shop.members(segment) == {"asha"}
    assert shop.moves(segment) == [("ENTER", "asha")]
    assert keeper.error is None


def test_whoever_was_written_before_is_in_a_new_segment_from_its_beginning(
    shop: Segments,
) -> None:
    projector = shop.platform.projector
    with projector._round:  # the warehouse is behind
        shop.ordered("asha")
        made = shop.change(lambda change: define.create(change, "Buyers", "", ORDERED))
        while not projector._waiting and not shop.workspace.segments[made.id].filled:
            time.sleep(0.01)
    assert shop.members(made.id) == {"asha"}
    assert shop.moves(made.id) == []
