"""One running platform for the flows of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from user360.platform import Platform


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform
