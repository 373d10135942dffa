"""What every test gets: how hard Hypothesis tries, and a clock that stands still."""

from __future__ import annotations

import contextlib
import gc
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings

from user360.clock import StillClock, to_us
from user360.storage import ledger

# A shared machine is slow now and then, which is no fault of the code: no deadlines.
# What is run each day is the same each day, so that a change is judged by what it changed; the
# thorough profile looks for what nobody has seen yet.
settings.register_profile("daily", deadline=None, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=2_000)
# What is called in tests are peers of this very machine; those who serve read it as others do.
os.environ.setdefault("USER360_CALL_NETWORKS", "127.0.0.0/8,::1")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "daily"))


@pytest.fixture
def clock() -> StillClock:
    """A clock at 05:40 on 22 November 2026, UTC."""
    return StillClock(to_us(datetime(2026, 11, 22, 5, 40, tzinfo=UTC)))


@pytest.fixture(scope="session", autouse=True)
def _schema_made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give new ledgers the schema that the migrations made of the first: it is the same each time.

    Ledgers that hold something are migrated as they always are.
    """
    upgrade = ledger._upgrade
    made = tmp_path_factory.mktemp("schema") / "ledger.db"

    def copy(url: str) -> None:
        path = Path(sa.make_url(url).database or "")
        with contextlib.closing(sqlite3.connect(path)) as new:
            if new.execute("SELECT 1 FROM sqlite_master").fetchone():
                upgrade(url)
                return
            if not made.exists():
                upgrade(f"sqlite:///{made}")
            with contextlib.closing(sqlite3.connect(made)) as ready:
                ready.backup(new)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "_upgrade", copy)
        yield


def pytest_collection_finish() -> None:
    """Look for garbage as seldom as the server does, and not among modules and tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, *gc.get_threshold()[1:])


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Call bytes by the name of what they are given for, not by what they hold.

    What they hold may differ from one collection to the next (a gzip member names the second it was
    made in), and the workers of one run must find the same tests.
    """
    return argname if isinstance(val, bytes) else None
