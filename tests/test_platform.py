"""The product as one object: opened in a line, its time in order, its directory its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from user360.clock import AHEAD, StillClock
from user360.errors import DirectoryInUse, NotFound
from user360.ingest.call import Call
from user360.platform import Platform

NOON = 1_760_000_000_000_000


def test_time_is_never_the_same_twice(clock: StillClock) -> None:
    with Platform.temporary(clock=clock) as platform:
        moments = [platform.now() for _ in range(1_000)]
        assert moments == sorted(set(moments))


def test_a_clock_set_back_is_followed_before_writes_look_like_the_future() -> None:
    clock = StillClock(NOON)
    with Platform.temporary(clock=clock) as platform:
        platform.now()
        clock.at = NOON - 1_000
        assert platform.now() == NOON + 1, "a little back: order is kept"

        clock.at = NOON - 2 * AHEAD
        call = Call(
            workspace=platform.default.id,
            source="api",
            ref="test",
            at=platform.now(),
            message_id="m",
            user_id="asha",
        )
        assert platform.settle([call])[0].status == "created"


def test_a_directory_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    with Platform.open(tmp_path), pytest.raises(DirectoryInUse, match="Another process holds"):
        Platform.open(tmp_path)
    with Platform.open(tmp_path) as again:
        assert again.first_key is None, "the first key is told once"


def test_a_workspace_is_found_without_regard_to_case() -> None:
    with Platform.temporary() as platform:
        assert platform.workspace("DEFAULT") is platform.default
        with pytest.raises(NotFound):
            platform.workspace("elsewhere")
