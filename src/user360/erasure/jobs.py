"""The erasure's jobs."""

from __future__ import annotations

from user360.erasure import erase, purge
from user360.platform import Platform

COMPACTION = "compaction"


def register(platform: Platform) -> None:
    """Let the platform's runner do erasures and compactions."""
    platform.jobs.register(erase.KIND, "in", purge.run)
    platform.jobs.register(COMPACTION, "in", purge.compaction)
