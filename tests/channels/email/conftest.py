"""A shop that takes mail: its listener on sockets of its own, and what came of each mail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.channels.email.post import Post
from tests.stories.shop import Shop
from user360.platform import Platform


@pytest.fixture
def post(platform: Platform, shop: Shop) -> Iterator[Post]:
    post = Post(platform, shop)
    post.put(address=f"support@{shop.workspace.name}.test", name="Our shop")
    yield post
    post.close()
