"""What a workspace is, without its people, in another one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stories.shop import Shop
from user360.backup import copying
from user360.backup.copying import Copied
from user360.errors import Conflict, Problem
from user360.events import define as define_event
from user360.platform import Platform
from user360.records import declare
from user360.records.properties import Type
from user360.segments import define, lifetime

PUNE: dict[str, Any] = {"property": "city", "op": "is", "values": ["Pune"]}


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


@pytest.fixture
def source(platform: Platform) -> Shop:
    """A shop with everything that can be copied, and somebody who lives there."""
    shop = Shop(platform)
    shop.choose(identifier="email", time_zone="Asia/Kolkata", property_limit=17)
    shop.write("asha", city="Pune")

    def make(change: Any) -> None:
        declare.declare(change, "tier", Type.NUMBER, "how good", searchable=False)
        define_event.create(change, "Bought", "a purchase", True)
        define_event.create(change, "Seen", "", False)
        first = define.create(change, "Punekars", "who lives there", PUNE)
        inner = {"all": [{"segment": first.id}, {"property": "tier", "op": "known"}]}
        define.create(change, "Good ones", "", {"not": {"all": [inner, PUNE]}})
        define.create(change, "Friends", "by hand", None)
        lifetime.archive(change, first.id, True)

    changing(shop, make)
    return shop


def changing(shop: Shop, job: Any) -> Any:
    platform = shop.platform
    return platform.write(lambda c: job(platform.change(c, shop.workspace, "key:1")))


def copied(source: Shop, target: Shop) -> Copied:
    told: Copied = changing(target, lambda change: copying.copy(change, source.workspace))
    return told


def condition(shop: Shop, name: str) -> Any:
    (found,) = [s for s in shop.workspace.segments.values() if s.name == name]
    return json.loads(found.condition or "null"), found


def test_everything_is_there_but_the_people(source: Shop, platform: Platform) -> None:
    target = Shop(platform)
    Shop(platform)
    told = copied(source, target)
    assert told.properties == ["tier"]
    assert set(told.segments) == {"Punekars", "Good ones", "Friends"}
    assert set(told.definitions) == {"Bought", "Seen"}
    assert set(told.settings) == {"identifier", "timeZone", "propertyLimit"}
    assert target.workspace.settings == source.workspace.settings
    held = target.workspace.catalogue.by_name["tier"]
    assert (held.type, held.description, held.searchable) == (Type.NUMBER, "how good", False)
    assert target.count() == 0
    assert target.person("asha") is None


def test_segments_ask_about_the_new_ones(source: Shop, platform: Platform) -> None:
    target = Shop(platform)
    copied(source, target)
    asked, _ = condition(target, "Good ones")
    _, inner = condition(target, "Punekars")
    assert asked["not"]["all"][0]["all"][0] == {"segment": inner.id}
    assert inner.archived_at is not None
    assert condition(target, "Friends")[0] is None
    assert source.workspace.segments.keys().isdisjoint(target.workspace.segments.keys())


def test_every_name_in_the_way_is_told_and_nothing_is_copied(
    source: Shop, platform: Platform
) -> None:
    target = Shop(platform)

    def make(change: Any) -> None:
        declare.declare(change, "Tier", Type.STRING)
        define_event.create(change, "Seen", "something else", True)
        define.create(change, "punekars", "", PUNE)

    changing(target, make)
    before = target.workspace.settings
    with pytest.raises(Conflict) as refused:
        copied(source, target)
    paths = {fault.path for fault in refused.value.faults}
    assert paths == {"properties.tier", "definitions.Seen", "segments.Punekars"}
    assert target.workspace.settings == before
    assert len(target.workspace.segments) == 1


def test_what_is_there_already_just_so_stays(source: Shop, platform: Platform) -> None:
    target = Shop(platform)
    changing(target, lambda change: declare.declare(change, "tier", Type.NUMBER))
    changing(target, lambda change: define_event.create(change, "Seen", "", False))
    told = copied(source, target)
    assert told.properties == []
    assert told.definitions == ["Bought"]


def test_one_that_cannot_be_said_there_takes_the_rest_back(
    source: Shop, platform: Platform
) -> None:
    gone = changing(source, lambda change: define.create(change, "Gone", "", PUNE))
    asking = {"segment": gone.id}
    changing(source, lambda change: define.create(change, "Asking", "", asking))
    changing(source, lambda change: define.delete(change, gone.id, force=True))
    target = Shop(platform)
    with pytest.raises(Problem) as refused:
        copied(source, target)
    assert refused.value.faults[0].path.startswith("segments.Asking")
    assert not target.workspace.segments
    assert "tier" not in target.workspace.catalogue.by_name
    assert target.workspace.settings.identifier == "userId"
