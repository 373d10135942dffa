"""One running platform for all tests of a module, a fresh workspace for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stories.shop import Shop
from user360.platform import Platform


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


@pytest.fixture
def shop(platform: Platform) -> Shop:
    return Shop(platform)
