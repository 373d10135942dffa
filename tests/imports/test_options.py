from __future__ import annotations

from typing import Any

import msgspec
import pytest

from user360.errors import Invalid
from user360.imports import options


def test_nothing_given_is_the_usual_import() -> None:
    usual = options.read({})
    assert usual.user_id is msgspec.UNSET
    assert (usual.on_conflict, usual.default_tag, usual.dry_run) == ("update", True, False)


def test_all_of_the_specification_is_read() -> None:
    given = {
        "userId": None,
        "mapping": {"City": "city"},
        "createProperties": True,
        "onConflict": "replace",
        "mergeTags": True,
        "tags": [" a ", "b", "a"],
        "defaultTag": False,
        "segment": " June ",
        "dryRun": True,
    }
    read = options.read(given)
    assert read.user_id is None
    assert read.tags == ["a", "b"]
    assert read.segment == "June"
    assert msgspec.to_builtins(read) | {"tags": 0, "segment": 0} == given | {
        "tags": 0,
        "segment": 0,
    }


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ([], [""]),
        (None, [""]),
        ({"nothing": 1}, ["nothing"]),
        ({"onConflict": "merge", "dryRun": "yes"}, ["onConflict", "dryRun"]),
        ({"tags": ["", "x" * 256, "ok"]}, ["tags.0", "tags.1"]),
        ({"tags": [str(n) for n in range(101)]}, ["tags"]),
        ({"tags": "a"}, ["tags"]),
        ({"segment": " ", "mapping": {"a": 1}}, ["mapping", "segment"]),
        ({"segment": "x" * 201}, ["segment"]),
        ({"userId": 5}, ["userId"]),
    ],
)
def test_every_bad_option_is_named(given: Any, paths: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        options.read(given)
    assert sorted(fault.path for fault in refused.value.faults) == sorted(paths)
