"""A shop over a data directory whose files a test looks into."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import Shop
from user360.erasure import jobs
from user360.platform import Platform
from user360.records.properties import Property, Type
from user360.settings import Settings


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def platform(directory: Path) -> Iterator[Platform]:
    platform = Platform.open(directory, Settings())
    jobs.register(platform)
    yield platform
    if platform.committer.running:  # a test that looks into the files closed it
        platform.close()


@pytest.fixture
def shop(platform: Platform) -> Shop:
    shop = Shop(platform)
    shop.declare(*shop.workspace.catalogue.custom, Property(400, "nick", Type.STRING))
    return shop
