"""Whoever was erased after a backup was made is not brought back by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backup.test_backup import SMALL, backed_up
from tests.erasure.zelda import erased, number, zelda_and_omar
from tests.stories.shop import Shop
from user360.backup import since
from user360.backup.manifest import Manifest
from user360.erasure import again, erase
from user360.erasure import jobs as erasures
from user360.errors import Invalid, NotFound, StorageFailed
from user360.ingest import doctor
from user360.platform import Platform
from user360.records.properties import Property, Type
from user360.storage.warehouse import schema_of


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Platform.open(tmp_path / "data", SMALL) as platform:
        erasures.register(platform)
        shop = Shop(platform)
        shop.declare(*shop.workspace.catalogue.custom, Property(400, "nick", Type.STRING))
        yield shop


class Restored:
    """A backup of the shop, restored with what `places` know, and opened."""

    def __init__(self, tmp_path: Path) -> None:
        self.file, self.directory = tmp_path / "older.tar.zst", tmp_path / "restored"
        self.done = again.Done()

    def restore(self, *places: Path) -> Manifest:
        found, self.done = since.restore(
            self.file, self.directory, places, SMALL, lambda _done, _total: None
        )
        return found

    def opened(self) -> Platform:
        platform = Platform.open(self.directory, SMALL)
        erasures.register(platform)
        return platform


@pytest.fixture
def older(tmp_path: Path) -> Restored:
    return Restored(tmp_path)


def problems(shop: Shop, *calls: Any) -> list[str]:
    return [o.problem.code if o.problem else o.status for o in shop.settle(*calls)]


def test_who_was_erased_since_is_erased_again_under_the_same_id(
    shop: Shop, older: Restored
) -> None:
    zelda_and_omar(shop)
    backed_up(shop.platform, older.file)
    shop.identify("web:zs-new", "zelda-7")
    receipt = erased(shop, "zelda-7")
    older.restore(shop.platform.directory)  # which a server holds meanwhile
    assert older.done == again.Done(erased=1)
    with older.opened() as platform:
        there = shop.at(platform)
        assert there.person("zelda-7") is None
        assert there.person("omar-1") is not None
        platform.jobs.wait(receipt["id"], 60)
        told = erase.find(platform, there.workspace, receipt["id"])
        assert told["purged"]
        assert told["records"][0] == receipt["records"][0]
        late = [
            there.call(user_id="zelda-7", event="Looked"),
            there.call(session="web:zs-phone-1", event="Looked"),
            there.call(session="web:zs-new", event="Looked"),  # hers only after the backup
        ]
        assert problems(there, *late) == ["erased"] * 3
        assert doctor.examine(platform).healthy
        assert again.again(platform, again.known(shop.platform.directory)) == again.Done()


def test_a_newer_backup_tells_it_as_well(shop: Shop, older: Restored, tmp_path: Path) -> None:
    zelda_and_omar(shop)
    backed_up(shop.platform, older.file)
    erased(shop, "zelda-7")
    backed_up(shop.platform, tmp_path / "newer.tar.zst")
    before = sorted(tmp_path.iterdir())
    older.restore(tmp_path / "newer.tar.zst")
    assert older.done == again.Done(erased=1)
    assert sorted(tmp_path.iterdir()) == sorted([*before, older.directory])


def test_whoever_came_and_was_erased_after_the_backup_stays_away_with_the_receipt(
    shop: Shop, older: Restored
) -> None:
    shop.write("omar-1")
    backed_up(shop.platform, older.file)
    shop.write("zelda-7", email="zelda@zeldamail.org")
    receipt = erased(shop, "zelda-7")
    older.restore(shop.platform.directory)
    assert older.done == again.Done(absent=1)
    with older.opened() as platform:
        there = shop.at(platform)
        assert problems(there, there.call(user_id="zelda-7", event="Looked")) == ["erased"]
        assert erase.find(platform, there.workspace, receipt["id"]) == receipt
        erase.allow(platform, there.workspace, "zelda-7", "key:1")
        assert problems(there, there.call(user_id="zelda-7", event="Looked")) == ["created"]


def test_whoever_was_deleted_before_the_backup_is_cut_out_of_its_log(
    shop: Shop, older: Restored
) -> None:
    shop.write("zelda-7", city="Zeldaville")
    shop.delete("zelda-7")
    backed_up(shop.platform, older.file)
    told, _ = erase.ask_deleted(shop.platform, shop.workspace, "zelda-7", "key:1")
    older.restore(shop.platform.directory)
    assert older.done == again.Done(erased=1)
    with older.opened() as platform:
        platform.jobs.wait(told["id"], 60)
        assert erase.find(platform, shop.at(platform).workspace, told["id"])["purged"]
        log = f"SELECT properties FROM {schema_of(shop.workspace.id)}.events"
        assert not [row for row in platform.wait().query(log).rows if "Zeldaville" in row[0]]


def test_a_visitor_without_a_name_is_found_by_the_session(shop: Shop, older: Restored) -> None:
    shop.capture("web:hers", city="Pune")
    shop.capture("web:shared", city="Goa")
    shop.identify("web:shared", "omar-1")
    backed_up(shop.platform, older.file)
    shop.identify("web:hers", "zelda-7")
    shop.identify("web:shared", "zelda-7")  # at the same machine, which was Omar's before
    erased(shop, "zelda-7")
    older.restore(shop.platform.directory)
    assert older.done == again.Done(erased=1)
    with older.opened() as platform:
        there = shop.at(platform)
        assert there.visitor("web:hers") is None
        assert there.known("omar-1") == {"city": "Goa"}


def test_nobody_is_erased_with_whom_they_were_merged_only_for_a_while(
    shop: Shop, older: Restored
) -> None:
    shop.write("zelda-7", city="Pune")
    shop.write("omar-1", city="Goa")
    merge = shop.merge("omar-1", number(shop, "zelda-7")).merge
    backed_up(shop.platform, older.file)
    shop.undo(merge)
    erased(shop, "zelda-7")
    older.restore(shop.platform.directory)
    with older.opened() as platform:
        there = shop.at(platform)
        person = there.person("omar-1")
        assert person is not None
        assert older.done == again.Done(merged=[person["id"]])


def test_whoever_was_allowed_to_come_again_is_left_alone(shop: Shop, older: Restored) -> None:
    shop.write("zelda-7", city="Pune")
    backed_up(shop.platform, older.file)
    erased(shop, "zelda-7")
    erase.allow(shop.platform, shop.workspace, "zelda-7", "key:1")
    older.restore(shop.platform.directory)
    assert older.done == again.Done()


def test_another_installation_knows_nobody_here_and_nothing_is_restored(
    shop: Shop, older: Restored, tmp_path: Path
) -> None:
    zelda_and_omar(shop)
    backed_up(shop.platform, older.file)
    with Platform.open(tmp_path / "other", SMALL) as other:
        erasures.register(other)
        there = Shop(other)
        there.write("zelda-7")
        erased(there, "zelda-7")
    with pytest.raises(Invalid, match="another installation"):
        older.restore(tmp_path / "other")
    for nothing in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises((NotFound, Invalid)):
            older.restore(nothing)
    assert not older.directory.exists()
    assert number(shop, "zelda-7")


def test_what_was_erased_again_can_be_told_further(
    shop: Shop, older: Restored, tmp_path: Path
) -> None:
    shop.write("zelda-7", city="Pune")
    shop.identify("web:hers", "zelda-7")
    backed_up(shop.platform, older.file)
    shop.identify(
        "web:hers", "omar-1"
    )  # in the backup it is hers, and keeps her away from there on
    erased(shop, "zelda-7")
    older.restore(shop.platform.directory)
    once = Restored(tmp_path)
    once.directory = tmp_path / "deeper" / "restored"
    once.restore(older.directory)
    assert once.done == again.Done(erased=1)


def test_a_newer_backup_is_read_before_the_directory_above_is_there(
    shop: Shop, older: Restored, tmp_path: Path
) -> None:
    backed_up(shop.platform, older.file)
    older.directory = tmp_path / "not" / "there" / "restored"
    older.restore(older.file)
    assert older.done == again.Done()
    (tmp_path / "file").touch()
    older.directory = tmp_path / "file" / "restored"
    with pytest.raises(StorageFailed):
        older.restore(older.file)
