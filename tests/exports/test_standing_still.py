"""A file shows one position, whatever is written while it is made."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from tests.exports import world
from user360.access.workspaces import Workspace
from user360.exports import making, store
from user360.exports.asked import Asked
from user360.ingest.call import Session, Verb
from user360.platform import Platform
from user360.records import declare
from user360.records.properties import Type
from user360.segments import define
from user360.storage.ledger import Connection

ALL = ["userId", "city", "tags", "segments"]


@pytest.fixture
def in_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four records, or events, are read at once."""
    monkeypatch.setattr(store, "RECORD_BITS", 2)
    monkeypatch.setattr(store, "EVENT_BITS", 2)
    monkeypatch.setattr(store, "CELLS", 1)
    monkeypatch.setattr(store, "EVENT_BYTES", 1)


@pytest.fixture
def village(platform: Platform) -> Workspace:
    made = world.workspace(platform)
    people = [{"userId": f"user-{n}", "city": "Pune", "tags": [f"t{n}"]} for n in range(40)]
    world.write(platform, made, people)

    def name(connection: Connection) -> None:
        change = platform.change(connection, made, "test")
        where = {"property": "city", "op": "is", "values": ["Pune"]}
        define.create(change, "In Pune", "", where)

    platform.write(name)
    platform.keeper.settle()
    return made


def disturb(platform: Platform, village: Workspace) -> None:
    """Change everything that a file could show, and let the warehouse take it in."""
    world.write(platform, village, [{"userId": f"user-{n}", "city": "Delhi"} for n in range(40)])
    world.write(platform, village, [{"userId": "later", "city": "Pune"}])
    platform.settle([world.call(platform, village, verb=Verb.DELETE, user_id="user-30")])
    visit = Session("web", "passing")
    world_calls: list[dict[str, Any]] = [
        {"session": visit, "properties": {"lastName": "Rao"}},
        {"session": visit, "user_id": "user-31"},
    ]
    for given in world_calls:
        platform.settle([world.call(platform, village, **given)])
    platform.write(
        lambda c: declare.declare(platform.change(c, village, "test"), "newer", Type.NUMBER)
    )
    platform.keeper.settle()
    platform.projector.sort(village.id)


@pytest.mark.usefixtures("in_small_parts")
@pytest.mark.parametrize(
    "asked",
    [
        Asked(format="jsonl", columns=ALL),
        Asked(format="csv"),
        Asked(format="parquet"),
        Asked(format="jsonl", what="events"),
        Asked(format="jsonl", where={"property": "city", "op": "is", "values": ["Pune"]}),
    ],
    ids=["chosen", "all", "parquet", "events", "filtered"],
)
def test_what_is_written_meanwhile_is_not_in_the_file(
    platform: Platform, village: Workspace, asked: Asked
) -> None:
    before = world.file(platform, village, asked)
    last = platform.committer.position.last
    with making.begun(platform, village, asked, at_least=last) as made:
        first = next(made.parts)
        disturb(platform, village)
        assert first + b"".join(made.parts) == before
        assert made.position <= last < platform.committer.position.last
    assert world.file(platform, village, asked) != before


@pytest.mark.usefixtures("in_small_parts")
def test_the_parts_are_all_and_told_as_they_come(platform: Platform, village: Workspace) -> None:
    told: list[int] = []
    content = world.file(platform, village, Asked(format="jsonl", columns=ALL), told.append)
    rows = [json.loads(line) for line in content.splitlines()]
    assert [row["userId"] for row in rows] == [f"user-{n}" for n in range(40)]
    assert {tuple(row["segments"]) for row in rows} == {("In Pune",)}
    assert told == sorted(told)
    assert told[-1] == 40
    assert len(told) >= 10


def test_a_property_is_a_column_as_soon_as_it_is_declared(
    platform: Platform, village: Workspace
) -> None:
    for name in ("fresh0", "fresh1", "fresh2"):
        platform.write(functools.partial(_declared, platform, village, name, Type.NUMBER))
        with making.begun(platform, village, Asked(columns=["userId", name])) as made:
            assert b"".join(made.parts).startswith(b"userId,fresh")


def _declared(
    platform: Platform, village: Workspace, name: str, kind: Type, connection: Connection
) -> None:
    declare.declare(platform.change(connection, village, "test"), name, kind)


def test_a_retyped_property_shows_what_converts(platform: Platform, village: Workspace) -> None:
    people = [{"userId": "a", "a_text": "12.50"}, {"userId": "b", "a_text": "a lot"}]
    world.write(platform, village, people)
    platform.write(
        lambda c: declare.edit(platform.change(c, village, "test"), "a_text", type=Type.NUMBER)
    )
    content = world.file(platform, village, Asked(format="jsonl", columns=["userId", "a_text"]))
    assert content.endswith(b'{"userId":"a","a_text":12.5}\n{"userId":"b"}\n')
