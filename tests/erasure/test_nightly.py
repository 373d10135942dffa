"""In the night after somebody was erased the files of large directories are written anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.erasure import traces
from tests.erasure.zelda import HERS, erased, zelda_and_omar
from tests.stories.shop import Shop
from tests.waiting import until
from user360.access.workspaces import WorkspaceSettings
from user360.clock import StillClock
from user360.erasure import erase, jobs, purge, store
from user360.erasure.nightly import LONGEST_SLEEP, Nightly
from user360.jobs import store as jobs_store
from user360.jobs.job import Job
from user360.platform import Platform
from user360.settings import NEVER, Settings

AFTERNOON = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> StillClock:
    return StillClock(AFTERNOON)


@pytest.fixture
def platform(
    directory: Path, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Platform]:
    """On a directory that counts as large."""
    monkeypatch.setattr(purge, "AT_ONCE", 0)
    platform = Platform.open(directory, Settings(), clock)
    jobs.register(platform)
    yield platform
    if platform.committer.running:
        platform.close()


@pytest.fixture
def nightly(platform: Platform) -> Nightly:
    return Nightly(platform)


def purges(platform: Platform) -> list[Job]:
    with platform.ledger.read() as connection:
        found = jobs_store.listed(connection, platform.default.id, kinds=[jobs.COMPACTION])
    return [platform.jobs.wait(job.id, 60) for job in found]


def test_who_was_erased_by_day_is_in_no_file_after_the_night(
    platform: Platform, nightly: Nightly, clock: StillClock, shop: Shop, directory: Path
) -> None:
    zelda_and_omar(shop)
    receipt = erased(shop, "zelda-7")
    assert not receipt["purged"]
    nightly.turn()
    clock.move(hours=12, minutes=59)
    nightly.turn()
    assert purges(platform) == [], "it is not three yet"
    clock.move(minutes=1)
    nightly.turn()
    assert [(job.status, job.actor) for job in purges(platform)] == [("completed", "nightly")]
    assert erase.find(platform, shop.workspace, receipt["id"])["purged"]
    clock.move(days=1)
    nightly.turn()
    assert len(purges(platform)) == 1, "there is nothing more to remove"
    platform.close()
    assert traces.found(directory, [*HERS, "Zelda"]) == {}


def test_it_sleeps_until_the_night_but_looks_at_the_clock_each_hour(
    nightly: Nightly, clock: StillClock
) -> None:
    assert nightly.turn() == LONGEST_SLEEP
    clock.move(hours=12, minutes=50)
    assert nightly.turn() == 600.0
    clock.move(minutes=10)
    assert nightly.turn() == LONGEST_SLEEP


def test_a_night_in_which_nobody_was_erased_holds_up_no_writer(
    platform: Platform, nightly: Nightly, clock: StillClock, shop: Shop
) -> None:
    shop.write("omar-1", city="Omartown")
    shop.delete("omar-1")
    for _ in range(30):
        clock.move(hours=1)
        nightly.turn()
    assert purges(platform) == []


def test_a_purge_that_fails_is_not_tried_again_before_the_next_night(
    platform: Platform,
    nightly: Nightly,
    clock: StillClock,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    zelda_and_omar(shop)
    erased(shop, "zelda-7")
    asked: list[str] = []
    monkeypatch.setattr(platform.jobs, "ask", lambda _w, kind, *_: asked.append(kind))
    clock.move(hours=13)
    for _ in range(23):
        nightly.turn()
        clock.move(hours=1)
    assert asked == [jobs.COMPACTION]
    clock.move(hours=2)
    nightly.turn()
    assert asked == [jobs.COMPACTION] * 2


def test_a_night_in_which_nothing_ran_is_made_up_for(
    platform: Platform, clock: StillClock, shop: Shop, directory: Path
) -> None:
    zelda_and_omar(shop)
    receipt = erased(shop, "zelda-7")
    platform.close()
    clock.move(days=3)
    with Platform.open(directory, Settings(), clock) as later:
        jobs.register(later)
        Nightly(later).turn()
        assert [job.status for job in purges(later)] == ["completed"]
        assert erase.find(later, later.workspaces[shop.workspace.id], receipt["id"])["purged"]


def test_night_is_by_the_clocks_of_the_workspace(
    platform: Platform, nightly: Nightly, clock: StillClock
) -> None:
    platform.default.apply(WorkspaceSettings(time_zone="Asia/Kolkata"))
    clock.move(hours=7, minutes=20)
    assert nightly.turn() == 600.0, "at 21:20 in UTC it is ten to three in India"


def test_whoever_wants_to_do_it_by_hand_may(
    directory: Path, clock: StillClock, shop: Shop, platform: Platform
) -> None:
    zelda_and_omar(shop)
    erased(shop, "zelda-7")
    with platform.ledger.read() as connection:
        assert store.waiting(connection, "sealed")
    platform.close()
    clock.move(days=3)
    with Platform.open(directory, Settings(purge_at=NEVER), clock) as later:
        jobs.register(later)
        nightly = Nightly(later)
        nightly.start()
        nightly.close()
        assert purges(later) == []


def test_it_does_it_by_itself_while_a_server_runs(
    platform: Platform, nightly: Nightly, clock: StillClock, shop: Shop
) -> None:
    zelda_and_omar(shop)
    receipt = erased(shop, "zelda-7")
    clock.move(hours=14)
    nightly.start()
    try:
        until(lambda: bool(erase.find(platform, shop.workspace, receipt["id"])["purged"]))
    finally:
        nightly.close()
