"""The values that are suggested while somebody writes one."""

from __future__ import annotations

from typing import Any

from tests.people import call, settle
from user360.platform import Platform
from user360.records import suggested

PEOPLE: list[dict[str, Any]] = [
    {"city": "Pune", "tags": ["vip", "new"]},
    {"city": "Pune", "tags": ["vip"]},
    {"city": "Porto"},
    {"city": "100% Ürün"},
    {},
]


def test_common_values_with_what_was_typed_in_them() -> None:
    with Platform.temporary() as platform:
        workspace = platform.default
        settle(platform, *(call(platform, f"u{i}", properties=row) for i, row in enumerate(PEOPLE)))
        warehouse = platform.wait()

        def found(name: str, typed: str = "") -> list[tuple[str, int]]:
            declared = workspace.catalogue.by_name[name]
            return suggested.values(warehouse, workspace.id, declared, typed)

        assert found("city") == [("Pune", 2), ("100% Ürün", 1), ("Porto", 1)]
        assert found("city", "pu") == [("Pune", 2)]
        assert found("city", "%") == [("100% Ürün", 1)]
        assert found("city", "'") == []
        assert found("tags") == [("vip", 2), ("new", 1)]
        assert found("language") == []
