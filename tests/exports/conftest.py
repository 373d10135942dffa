"""A platform whose workspaces are exported."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from user360.platform import Platform
from user360.settings import Settings


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary(Settings()) as made:
        yield made
