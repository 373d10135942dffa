"""What every test gets: how hard Hypothesis tries, and a clock that stands still."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest
from hypothesis import settings

from user360.clock import StillClock, to_us

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


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Call bytes by the name of what they are given for, not by what they hold.

    What they hold may differ from one collection to the next (a gzip member names the second it was
    made in), and the workers of one run must find the same tests.
    """
    return argname if isinstance(val, bytes) else None
