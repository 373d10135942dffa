"""A platform to import into, and who imports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.imports.importer import Importer
from user360.clock import StillClock, to_us
from user360.platform import Platform


@pytest.fixture(scope="module")
def still() -> StillClock:
    return StillClock(to_us(datetime(2026, 11, 22, 5, 40, tzinfo=UTC)))


@pytest.fixture(scope="module")
def platform(still: StillClock) -> Iterator[Platform]:
    """One for all tests of a file: each imports into a workspace of its own."""
    with Platform.temporary(clock=still) as made:
        yield made


@pytest.fixture
def importer(platform: Platform, tmp_path: Path) -> Importer:
    return Importer(platform, tmp_path, platform.add_workspace(f"w{len(platform.workspaces)}"))
