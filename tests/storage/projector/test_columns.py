"""Properties come, go and change their type: their columns follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.storage.projector.conftest import AT, call, opened, sound
from user360.errors import StorageFailed
from user360.ingest.call import Session
from user360.platform import Platform
from user360.records import store as record_store
from user360.records.properties import Catalogue, Property, Type

NICKNAME = Property(101, "nickname", Type.STRING)


def declare(platform: Platform, *declared: Property) -> None:
    def job(connection: sa.Connection) -> None:
        for each in declared:
            record_store.save_property(connection, platform.default.id, each, AT)
        platform.default.catalogue = Catalogue(declared, platform.default.catalogue.version + 1)

    platform.write(job)
    platform.projector.prepare()


def drop(platform: Platform, *, back: bool = False) -> None:
    def job(connection: sa.Connection) -> None:
        gone = None if back else AT
        record_store.delete_property(connection, platform.default.id, NICKNAME.id, gone)
        others = [p for p in platform.default.catalogue if p.id != NICKNAME.id]
        platform.default.catalogue = Catalogue([NICKNAME, *others] if back else others)

    platform.write(job)
    platform.projector.prepare()


def nicknames(platform: Platform) -> list[Any]:
    sql = "SELECT p101 FROM w1.records WHERE p101 IS NOT NULL ORDER BY 1"
    return [value for (value,) in platform.wait().query(sql).rows]


def test_a_new_property_does_not_read_the_records(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("a million records would be read")

    monkeypatch.setattr("user360.records.store.values_of", never)
    declare(platform, NICKNAME)
    platform.settle([call(platform, user_id="u1", properties={"nickname": "Kim"})])
    assert nicknames(platform) == ["Kim"]


def test_a_property_given_back_shows_what_was_written_before_and_since(
    platform: Platform,
) -> None:
    declare(platform, NICKNAME)
    calls = [call(platform, user_id=f"u{n}", properties={"nickname": f"N{n}"}) for n in (1, 2)]
    platform.settle(calls)
    assert nicknames(platform) == ["N1", "N2"]
    drop(platform)
    platform.settle([call(platform, user_id="u1", properties={"city": "Pune"})])
    assert sound(platform)
    drop(platform, back=True)
    assert nicknames(platform) == ["N1", "N2"]
    assert sound(platform)


def test_a_property_given_back_is_settled_for_those_who_do_not_stand_alone(
    platform: Platform,
) -> None:
    declare(platform, NICKNAME, Property(102, "site", Type.URL))

    def write(user: str | None = None, **known: Any) -> None:
        (outcome,) = platform.settle([call(platform, user_id=user, **known)])
        assert outcome.problem is None, outcome.problem

    write("alone", properties={"nickname": 'Al "*" '})
    write("with an address", properties={"nickname": "Ad", "site": "https://example.com/a"})
    write("tagged", properties={"nickname": "Ta"}, add_tags=("vip",))
    write("cleared", properties={"nickname": "Cl"})
    write("cleared", properties={"nickname": None})
    write("anew", properties={"nickname": "An"})
    write("anew", properties={"site": "https://example.com/b"}, if_exists="replace")
    write("merged")
    visitor = Session("web", "hers")
    write(session=visitor, properties={"nickname": "Me"})
    write("merged", session=visitor)
    before = nicknames(platform)
    assert before == ["Ad", 'Al "*"', "Me", "Ta"]
    drop(platform)
    drop(platform, back=True)
    assert nicknames(platform) == before
    assert sound(platform)


def test_a_name_used_again_shows_what_is_held_under_it(platform: Platform) -> None:
    declare(platform, NICKNAME)
    platform.settle([call(platform, user_id="u1", properties={"nickname": "Kim"})])
    drop(platform)
    declare(platform, Property(102, "nickname", Type.STRING))
    rows = platform.wait().query("SELECT p102 FROM w1.records WHERE user_id = 'u1'").rows
    assert rows == [("Kim",)]
    assert sound(platform)


def test_a_column_lost_between_its_making_and_its_filling_is_filled_at_the_next_start(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(directory) as platform:
        declare(platform, NICKNAME)
        platform.settle([call(platform, user_id="u1", properties={"nickname": "7"})])
        assert nicknames(platform) == ["7"]

    def dying(*_: Any) -> Any:
        raise StorageFailed("the power went")

    retyped = Property(101, "nickname", Type.NUMBER, retyped=True)
    with opened(directory) as platform:
        monkeypatch.setattr("user360.records.store.values_of", dying)
        with pytest.raises(StorageFailed):
            declare(platform, retyped)
        monkeypatch.undo()
    with opened(directory) as platform:
        assert nicknames(platform) == [7.0]
        assert sound(platform)
