"""Waiting for what another thread, process or connection brings about."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0  # seconds


def until(holds: Callable[[], object]) -> None:
    """Return once something holds; fail when it does not come about."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def early_in_a_minute(seconds: float = 5.0) -> None:
    """Return when this minute of the clock still lasts some seconds.

    Limits per minute give a little room again when the clock begins another one.
    """
    left = 60 - time.time() % 60
    if left < seconds:
        time.sleep(left)
