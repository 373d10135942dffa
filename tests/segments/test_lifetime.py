"""What nobody used for long enough is archived by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from user360.access import audit
from user360.access.change import Change
from user360.clock import StillClock
from user360.platform import Platform
from user360.segments import define, lifetime
from user360.storage.ledger import Connection

KNOWN = {"property": "city", "op": "known"}


class Village:
    """A platform, and what a test does in it."""

    def __init__(self, platform: Platform, clock: StillClock) -> None:
        self.platform = platform
        self.clock = clock

    def change(self, job: Callable[[Change], Any]) -> Any:
        platform = self.platform

        def run(connection: Connection) -> Any:
            given: dict[str, Any] = {"now": self.clock.now(), "actor": "test"}
            take = platform.committer.position.take
            dialect = platform.ledger.dialect
            return job(Change(connection, dialect, platform.default, take=take, **given))

        return platform.write(run)

    def make(self, name: str, where: dict[str, Any] | None = None) -> int:
        number: int = self.change(lambda c: define.create(c, name, "", where)).id
        return number

    def archive_unused(self) -> list[str]:
        found = self.change(lambda c: lifetime.archive_unused(c, self.clock.now()))
        return [segment.name for segment in found]

    def archived(self) -> set[str]:
        segments = self.platform.default.segments.values()
        return {s.name for s in segments if s.archived_at is not None}

    def keep(self, days: int) -> None:
        settings = self.platform.default.settings
        self.platform.default.apply(msgspec.structs.replace(settings, archive_after_days=days))


@pytest.fixture
def village(clock: StillClock) -> Iterator[Village]:
    with Platform.temporary(clock=clock) as platform:
        # It would archive by itself, before the test asks or after.
        platform.keeper.close()
        yield Village(platform, clock)


def test_what_was_not_used_for_sixty_days_is_archived_once(village: Village) -> None:
    village.make("Old")
    village.clock.move(days=30)
    village.make("Newer", KNOWN)
    village.clock.move(days=30)
    assert village.archive_unused() == []
    village.clock.move(seconds=1)
    assert village.archive_unused() == ["Old"]
    assert village.archive_unused() == []
    assert village.archived() == {"Old"}
    with village.platform.ledger.read() as connection:
        (line, *_) = audit.lines(connection, village.platform.default.id, None, 5)
    assert (line["action"], line["detail"]) == ("segment.archive", {"unusedDays": 60})


def test_using_it_keeps_it_and_it_can_be_given_back(village: Village) -> None:
    used, other = village.make("Used"), village.make("Other")
    village.clock.move(days=59)
    village.change(lambda c: lifetime.touch(c, used))
    village.clock.move(days=2)
    assert village.archive_unused() == ["Other"]
    village.change(lambda c: lifetime.archive(c, other, False))
    assert village.archive_unused() == []
    assert village.archived() == set()


def test_what_an_active_segment_asks_about_is_in_use(village: Village) -> None:
    inner = village.make("Inner")
    village.clock.move(days=59)
    village.make("Outer", {"segment": inner})
    village.clock.move(days=2)
    assert village.archive_unused() == []
    village.clock.move(days=59)
    assert village.archive_unused() == ["Outer"]
    assert village.archive_unused() == ["Inner"]


def test_how_many_days_is_a_setting_and_none_is_for_ever(village: Village) -> None:
    village.make("Old")
    village.clock.move(days=8)
    village.keep(0)
    assert village.archive_unused() == []
    village.keep(7)
    assert village.archive_unused() == ["Old"]
