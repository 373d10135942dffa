"""Saving a segment: what could never be evaluated is refused while it can still be mended."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stories.shop import Shop
from user360.access.change import Change
from user360.errors import InvalidCondition
from user360.platform import Platform
from user360.segments import define
from user360.segments.language import dependencies
from user360.storage.ledger import Connection

KNOWN = {"property": "city", "op": "known"}


def make(shop: Shop, name: str, where: dict[str, Any]) -> int:
    def job(connection: Connection) -> int:
        change: Change = shop.platform.change(connection, shop.workspace, "test")
        return define.create(change, name, "", where).id

    number: int = shop.platform.write(job)
    return number


def test_segments_within_one_another_are_refused_where_they_get_too_deep() -> None:
    with Platform.temporary() as platform:
        shop = Shop(platform)
        inner = make(shop, "0", KNOWN)
        for n in range(1, dependencies.DEEPEST):
            inner = make(shop, str(n), {"segment": inner})
        with pytest.raises(InvalidCondition, match="deep") as refused:
            make(shop, "One more", {"segment": inner})
        assert [fault.path for fault in refused.value.faults] == ["where"]
        assert "One more" not in {s.name for s in shop.workspace.segments.values()}
