"""What records have of each property, told in one pass."""

from __future__ import annotations

from typing import Any

from tests.people import call, settle
from user360.platform import Platform
from user360.records import declare, summary
from user360.records.properties import Type

PEOPLE: list[dict[str, Any]] = [
    {"firstName": "Ana", "dob": "1990-05-01", "points": 3, "tags": ["vip", "new"]},
    {"firstName": "Ana", "points": 4.5, "tags": ["vip"]},
    {"firstName": "Bo", "tags": []},
    {},
]


def test_counts_examples_and_common_values() -> None:
    with Platform.temporary() as platform:
        workspace = platform.default
        platform.write(
            lambda c: declare.declare(platform.change(c, workspace, "t"), "points", Type.NUMBER)
        )
        settle(platform, *(call(platform, f"u{i}", properties=row) for i, row in enumerate(PEOPLE)))
        warehouse, catalogue = platform.wait(), workspace.catalogue
        held = summary.held(warehouse, workspace.id, catalogue)
        assert held.records == 4
        assert [held.of[n] for n in ("userId", "dob", "points", "tags", "city")] == [4, 1, 2, 2, 0]
        few = summary.examples(warehouse, workspace.id, catalogue)
        assert few["firstName"][0] == "Ana"
        assert few["dob"] == ["1990-05-01"]
        assert sorted(few["points"]) == [3, 4.5]
        assert few["tags"] == ["new", "vip"]
        assert few["city"] == []
        for name, common in (("firstName", ("Ana", 2)), ("tags", ("vip", 2))):
            found = summary.values(warehouse, workspace.id, catalogue.by_name[name])
            assert found.common[0] == common
            assert found.different == 2
        nothing = summary.values(warehouse, workspace.id, catalogue.by_name["city"])
        assert nothing == summary.Values([], 0)
