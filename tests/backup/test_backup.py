"""Everything as one file while the server goes on, and back: whole, or not at all."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stories.shop import Shop
from user360.access import vault
from user360.backup import archive, making, manifest, restoring
from user360.conversations import attachments
from user360.errors import Conflict, Invalid
from user360.ingest import doctor
from user360.ingest.call import Event
from user360.jobs import files
from user360.platform import LEDGER, WAREHOUSE, Platform
from user360.segments import define
from user360.settings import Settings

SMALL = Settings(warehouse_memory="256MB")
CITY = {"property": "city", "op": "is", "values": ["Pune"]}


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with Platform.open(tmp_path / "data", SMALL) as platform:
        yield platform


@pytest.fixture
def shop(platform: Platform) -> Shop:
    shop = Shop(platform)
    shop.settle(*[shop.call(user_id=f"u{n}", properties={"city": "Pune"}) for n in range(50)])
    buys = [shop.call(user_id=f"u{n}", event=Event("Bought", {"n": n})) for n in range(50)]
    shop.settle(*buys)
    platform.write(lambda c: define.create(platform.change(c, shop.workspace, "k"), "A", "", CITY))
    return shop


def backed_up(platform: Platform, into: Path) -> manifest.Manifest:
    made = making.prepare(platform, "key:1")
    with into.open("wb") as file:
        for piece in made.pieces():
            file.write(piece)
    assert made.manifest is not None
    return made.manifest


def test_what_is_restored_is_what_was_there(shop: Shop, tmp_path: Path) -> None:
    platform = shop.platform
    held = files.directory(platform.directory, "job1") / "people.csv"
    held.write_text("id\n1\n")
    cat = attachments.write(platform.directory, shop.workspace.id, b"a cat")
    attachments.begin(platform.directory, shop.workspace.id).write_bytes(b"half a c")
    told = backed_up(platform, tmp_path / "all.tar.zst")
    shop.write("later", city="Goa")
    assert restoring.verify(tmp_path / "all.tar.zst") == told
    assert restoring.restore(tmp_path / "all.tar.zst", tmp_path / "restored") == told
    with Platform.open(tmp_path / "restored", SMALL, start=False) as restored:
        assert doctor.examine(restored).healthy
        assert restored.committer.position.last == told.position
        again = restored.workspace(shop.workspace.name)
        assert [s.name for s in again.segments.values()] == ["A"]
        assert restored.vault.digest(1, "x") == platform.vault.digest(1, "x")
        assert restored.keys.keys() == platform.keys.keys()
    restored_cat = attachments.path_of(tmp_path / "restored", shop.workspace.id, cat)
    assert restored_cat.read_bytes() == b"a cat"
    assert [each.name for each in restored_cat.parent.iterdir()] == [cat]
    assert (tmp_path / "restored" / "files" / "job1" / "people.csv").read_text() == "id\n1\n"
    assert {f.name for f in told.files} >= {LEDGER, WAREHOUSE, vault.FILE}
    assert (tmp_path / "restored" / LEDGER).stat().st_mode & 0o77 == 0


def test_writers_go_on_meanwhile_and_the_backup_is_one_moment(shop: Shop, tmp_path: Path) -> None:
    platform, stop = shop.platform, threading.Event()
    written: list[int] = []

    def write() -> None:
        while not stop.is_set():
            written.append(shop.send(user_id=f"w{len(written)}", event="Bought").seq)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        told = [backed_up(platform, tmp_path / f"{n}.tar.zst") for n in range(3)]
    finally:
        stop.set()
        writer.join()
    for n in range(len(told)):
        restoring.restore(tmp_path / f"{n}.tar.zst", tmp_path / f"restored{n}")
        with Platform.open(tmp_path / f"restored{n}", SMALL) as restored:
            restored.wait()
            assert doctor.examine(restored).healthy
    assert doctor.examine(platform).healthy


def test_copies_are_gone_afterwards_also_those_of_one_that_was_given_up(
    shop: Shop, tmp_path: Path
) -> None:
    directory = shop.platform.directory
    backed_up(shop.platform, tmp_path / "all.tar.zst")
    pieces = making.prepare(shop.platform, "key:1").pieces()
    next(pieces)
    assert list(directory.glob(making.PARTS))
    pieces.close()
    assert not list(directory.glob(making.PARTS))
    left = directory / "backup-killed.part"
    left.mkdir()
    (left / LEDGER).write_bytes(b"half of it")
    going_on = making.prepare(shop.platform, "key:1")
    assert list(directory.glob(making.PARTS)) == [going_on.directory]
    backed_up(shop.platform, tmp_path / "two.tar.zst")
    assert going_on.directory.exists()
    going_on.close()


def test_a_directory_that_holds_something_is_left_alone(shop: Shop, tmp_path: Path) -> None:
    backed_up(shop.platform, tmp_path / "all.tar.zst")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    with pytest.raises(Conflict, match="not empty"):
        restoring.restore(tmp_path / "all.tar.zst", tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter.txt"]
    (tmp_path / "empty").mkdir()
    restoring.restore(tmp_path / "all.tar.zst", tmp_path / "empty")
    assert (tmp_path / "empty" / LEDGER).exists()


def test_a_backup_that_was_cut_or_changed_restores_nothing(shop: Shop, tmp_path: Path) -> None:
    whole = tmp_path / "all.tar.zst"
    backed_up(shop.platform, whole)
    content = whole.read_bytes()
    step = len(content) // 23
    places = range(0, len(content) - step, step)
    for cut in (content[:place] for place in places):
        (tmp_path / "bad").write_bytes(cut)
        with pytest.raises(Invalid):
            restoring.restore(tmp_path / "bad", tmp_path / "restored")
        assert not (tmp_path / "restored").exists()
        assert not (tmp_path / "restored.restoring").exists()
    refused = 0
    for place in places:
        changed = content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]
        (tmp_path / "bad").write_bytes(changed)
        try:  # a bit that means nothing may change; then every checksum holds
            restoring.restore(tmp_path / "bad", tmp_path / f"restored{place}")
        except Invalid:
            refused += 1
            assert not (tmp_path / f"restored{place}").exists()
    assert refused > len(places) // 2


def test_what_is_no_backup_is_said_to_be_none(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"".join(archive.write([("letter.txt", 4, [b"dear"])])))
    with pytest.raises(Invalid, match="no backup"):
        restoring.verify(other)
    with pytest.raises(Invalid, match="cannot be read"):
        restoring.verify(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../up", "", "a\\b"])
def test_no_file_of_a_backup_leads_out_of_the_directory(name: str, tmp_path: Path) -> None:
    told = f'{{"name":"{name}","size":1,"sha256":""}}'.replace("\\", "\\\\")
    text = f'{{"format":1,"version":"1","schema":"0001","madeAt":"","position":0,"files":[{told}]}}'
    (tmp_path / "bad").write_bytes(
        b"".join(archive.write([(manifest.NAME, len(text), [text.encode()])]))
    )
    with pytest.raises(Invalid, match="may not be in one"):
        restoring.verify(tmp_path / "bad")


def test_one_of_a_newer_version_is_left_to_that_version(shop: Shop, tmp_path: Path) -> None:
    for about in ('"format":2,"schema":"0001"', '"format":1,"schema":"9999"'):
        text = f'{{{about},"version":"9","madeAt":"","position":0,"files":[]}}'
        entry = (manifest.NAME, len(text), [text.encode()])
        (tmp_path / "new").write_bytes(b"".join(archive.write([entry])))
        with pytest.raises(Invalid, match="User 360 9"):
            restoring.verify(tmp_path / "new")
    assert shop.count() == 50


@given(st.lists(st.binary(max_size=5_000), max_size=6))
@settings(max_examples=50)
def test_whatever_is_packed_is_unpacked_again(contents: list[bytes]) -> None:
    entries = [(f"f{n}/é", len(c), [c[:7], c[7:]]) for n, c in enumerate(contents)]
    packed = io.BytesIO(b"".join(archive.write(entries)))
    found = [(name, size, b"".join(content)) for name, size, content in archive.read(packed)]
    assert found == [(name, size, b"".join(content)) for name, size, content in entries]
