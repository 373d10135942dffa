"""A data directory with some purchases, and what a test does with a platform over it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from user360.clock import StillClock
from user360.errors import Unavailable
from user360.ingest import doctor
from user360.ingest.call import Call, Event, Verb
from user360.platform import Platform
from user360.settings import Settings

AT = 1_790_000_000_000_000
SMALL = Settings()


def opened(directory: Path, **how: Any) -> Platform:
    return Platform.open(directory, SMALL, StillClock(AT), **how)


def call(platform: Platform, **how: Any) -> Call:
    at = platform.now()
    number = platform.default.id
    return Call(workspace=number, source="api", ref="key:1", at=at, message_id=f"m{at}", **how)


def buy(platform: Platform, *numbers: int) -> None:
    calls = [
        call(
            platform,
            user_id=f"u{n % 5}",
            event=Event("Purchase", {"n": n}, id=f"e{n}"),
            properties={"city": f"C{n}"},
        )
        for n in numbers
    ]
    assert all(outcome.problem is None for outcome in platform.settle(calls))


def bought(platform: Platform) -> int:
    rows = platform.wait().query("SELECT count(*) FROM w1.events WHERE name = 'Purchase'").rows
    return int(rows[0][0])


def answered(platform: Platform) -> int | None:
    """As `bought`; None while it cannot be said, which a reader is told plainly."""
    try:
        return bought(platform)
    except Unavailable:
        return None


def eventually(true: Callable[[], bool], within: float = 20.0) -> None:
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def files(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed data directory with some purchases."""
    made = tmp_path_factory.mktemp("filled")
    with opened(made) as platform:
        buy(platform, *range(100))
        platform.settle([call(platform, user_id="u4", verb=Verb.DELETE)])
        platform.wait()
    return made


@pytest.fixture
def directory(filled: Path, tmp_path: Path) -> Path:
    return shutil.copytree(filled, tmp_path / "data")


@pytest.fixture
def platform(directory: Path) -> Iterator[Platform]:
    with opened(directory) as running:
        yield running


def sound(platform: Platform) -> bool:
    platform.wait()
    return doctor.examine(platform).findings == []
