"""One running platform for the flows of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows.peer import Peer
from user360.platform import Platform


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer().serving() as peer:
        yield peer
