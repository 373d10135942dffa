"""What a warehouse that is made anew brings is looked at like anything else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stories.segments import Segments
from user360.clock import StillClock
from user360.platform import Platform

TWICE = {"event": "Ordered", "count": {"op": "gte", "value": 2}}


@pytest.fixture
def platform(clock: StillClock) -> Iterator[Platform]:
    with Platform.temporary(clock=clock) as platform:
        yield platform


def test_nothing_is_missed_that_only_the_rebuilding_projected(platform: Platform) -> None:
    shop = Segments(platform)
    segment = shop.make("Twice", TWICE)
    shop.ordered("asha")
    assert shop.members(segment) == set()
    with platform.projector._round:  # the projector's own thread comes too late
        shop.ordered("asha")
        platform.projector.rebuild()
    assert shop.members(segment) == {"asha"}
    assert shop.moves(segment) == [("ENTER", "asha")]
    platform.projector.rebuild()
    assert shop.moves(segment) == [("ENTER", "asha")]
