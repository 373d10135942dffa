"""Everything held about one person in one file."""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stories.shop import Shop
from user360 import ids
from user360.channels import files
from user360.conversations import attachments
from user360.conversations.talk import Attachment, Said
from user360.erasure import archive, filed
from user360.errors import NotFound
from user360.exports.harmless import restored
from user360.ingest.call import Event
from user360.jobs import store as jobs_store
from user360.jobs.job import Job
from user360.platform import Platform
from user360.segments import define

PUNE: dict[str, Any] = {"property": "city", "op": "is", "values": ["Pune"]}


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


@pytest.fixture
def shop(platform: Platform) -> Shop:
    """A shop with Asha, who came by web, was imported, bought a lot, and Omar beside her."""
    shop = Shop(platform)
    shop.capture("web:visit", city="Goa", firstName="=Asha()")
    shop.identify("web:visit", "asha")
    shop.capture("web:other", lastName="Rao")
    shop.identify("web:other", "asha")
    shop.send(user_id="asha", properties={"city": "Pune"}, source="csv", ref="import:job7")
    many = [shop.call(user_id="asha", event=Event("Bought", {"n": n})) for n in range(1_100)]
    shop.settle(*many)
    shop.write("omar", city="Omartown")
    job = Job(
        id=f"job7-{shop.workspace.id}",
        workspace=shop.workspace.id,
        kind="import",
        actor="key:1",
        created_at=1,
        status="completed",
    )

    def note(connection: Any) -> None:
        change = platform.change(connection, shop.workspace, "key:1")
        change.audit("user.look", "user:asha", why="asked")
        change.audit("user.look", "user:omar", why="asked")
        jobs_store.add(connection, job)
        define.create(change, "Punekars", "", PUNE)

    platform.write(note)
    shop.send(
        user_id="asha", properties={"dob": "1990-01-01"}, source="csv", ref=f"import:{job.id}"
    )
    return shop


def opened(shop: Shop, user: str) -> zipfile.ZipFile:
    person = shop.person(user)
    assert person is not None
    number = ids.parse_record_id(shop.workspace.id, person["id"])
    assert number is not None
    made = b"".join(archive.pieces(shop.platform, shop.workspace, number))
    return zipfile.ZipFile(io.BytesIO(made))


def table(found: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(found.read(f"{name}.csv").decode())))


def test_it_holds_everything_and_nothing_of_others(shop: Shop) -> None:
    found = opened(shop, "asha")
    assert found.testzip() is None
    read = {n: json.loads(found.read(n)) for n in found.namelist() if n.endswith(".json")}
    assert read["person.json"]["person"]["properties"]["city"] == "Pune"
    assert len(read["person.json"]["records"]) == 2
    bought = [e for e in read["events.json"] if e["name"] == "Bought"]
    assert [e["properties"]["n"] for e in bought] == list(range(1_099, -1, -1))
    assert {s["id"] for s in read["sessions.json"]} == {"visit", "other"}
    assert len(read["merges.json"]) == 1
    assert [line["target"] for line in read["audit.json"]] == ["user:asha"]
    assert [job["kind"] for job in read["imports.json"]] == ["import"]
    values = {(p["property"], str(p["value"])) for p in read["properties.json"]}
    assert {("city", "Pune"), ("firstName", "=Asha()"), ("lastName", "Rao")} <= values
    assert {"old": "Goa", "new": "Pune"} in [
        {"old": h["old"], "new": h["new"]} for h in read["history.json"]
    ]
    assert "Omartown" not in "".join(found.read(n).decode() for n in found.namelist())


def test_what_was_said_with_them_is_in_it_on_whatever_record_it_stands(shop: Shop) -> None:
    for session, text in (("visit", "=Hello()"), ("other", "It is me again"), ("omars", "Mine")):
        shop.send(session=session, said=Said(sender="customer", text=text))
    chat = shop.send(session="visit", said=Said(sender="note", text="Asha's brother?"))
    shop.send(conversation=chat.conversation, said=Said(sender="agent", text="Hello Asha"))
    found = opened(shop, "asha")
    talks, said = (json.loads(found.read(f"{n}.json")) for n in ("conversations", "messages"))
    assert {(c["session"], c["recordId"]) for c in talks} == {
        (name, shop.person("asha")["id"])  # type: ignore[index]
        for name in ("visit", "other")
    }
    wanted = ["=Hello()", "It is me again", "Asha's brother?", "Hello Asha"]
    assert [m["text"] for m in said] == wanted
    assert [m["text"] for m in table(found, "messages")] == ["'=Hello()", *wanted[1:]]


def test_tables_say_the_same_and_run_nowhere(shop: Shop) -> None:
    found = opened(shop, "asha")
    for name in ("events", "properties", "sessions", "merges", "history", "audit", "imports"):
        assert len(table(found, name)) == len(json.loads(found.read(f"{name}.json"))), name
    (first,) = [p for p in table(found, "properties") if p["property"] == "firstName"]
    assert first["value"] == "'=Asha()"
    assert restored(first["value"]) == "=Asha()"


def test_one_who_is_in_a_segment_is_told_since_when(shop: Shop) -> None:
    shop.platform.wait()
    segment = next(iter(shop.workspace.segments.values()))
    record = shop.person("asha")
    assert record is not None
    number = ids.parse_record_id(shop.workspace.id, record["id"])

    def enter(connection: Any) -> None:
        change = shop.platform.change(connection, shop.workspace, "key:1")
        told = {"segment": segment.id, "at": 5_000_000, "enter": [number], "silent": False}
        change.tell("members", **told)

    shop.platform.write(enter)
    stays = json.loads(opened(shop, "asha").read("segments.json"))
    assert ("Punekars", "1970-01-01T00:00:05.000Z") in [(s["name"], s["since"]) for s in stays]


def with_files(shop: Shop, *given: tuple[str, bytes], session: str = "visit") -> list[Attachment]:
    kept = [
        files.save(shop.platform, shop.workspace, name, "image/png", content)
        for name, content in given
    ]
    elsewhere = Attachment("bill.pdf", url="https://files.example.com/bill.pdf")
    said = Said(sender="customer", text="See", attachments=(*kept, elsewhere))
    assert shop.send(session=session, said=said).problem is None
    return kept


def test_the_files_that_were_said_are_in_it_under_names_that_harm_nowhere(shop: Shop) -> None:
    large = os.urandom(3_000_000)
    kept = with_files(
        shop, ("parcel.png", b"one"), ("parcel.png", b"two"), ("..\\a:b<c>|é.png", large)
    )
    with_files(shop, ("omars.png", b"his"), session="omars")
    found = opened(shop, "asha")
    assert found.testzip() is None
    rows = json.loads(found.read("files.json"))
    by_id = {row.get("id"): row for row in rows}
    held = [found.read(by_id[each.id]["file"]) for each in kept]
    assert held == [b"one", b"two", large]
    (said,) = [m for m in json.loads(found.read("messages.json")) if m["text"] == "See"]
    assert [a.get("file") for a in said["attachments"][:3]] == [by_id[k.id]["file"] for k in kept]
    inside = [name for name in found.namelist() if name.startswith("files/")]
    assert [name.partition("-")[2] for name in inside] == [
        *("1-parcel.png", "2-parcel.png", "3-a_b_c_é.png")
    ]
    assert [row["wrong"] for row in rows] == ["", "", "", "it is kept elsewhere"]
    assert table(found, "files")[0]["file"] == inside[0]
    assert b"his" not in [found.read(name) for name in inside]


def test_a_file_that_is_gone_or_cut_is_named_and_the_rest_is_there(shop: Shop) -> None:
    gone, cut, whole = with_files(shop, ("a.png", b"gone"), ("b.png", b"whole"), ("c.png", b"c"))
    where = (shop.platform.directory, shop.workspace.id)
    attachments.path_of(*where, gone.id).unlink()
    attachments.path_of(*where, cut.id).write_bytes(b"who")
    found = opened(shop, "asha")
    wrong = {row.get("id"): row["wrong"] for row in json.loads(found.read("files.json"))}
    assert wrong[gone.id] == "it is not there any more"
    assert wrong[cut.id] == "it has 3 bytes instead of 5"
    assert wrong[whole.id] == ""


def test_a_file_that_its_channel_still_holds_is_named(shop: Shop) -> None:
    media = {"id": "9", "name": "photo.jpg", "type": "image/jpeg"}
    said = Said(sender="customer", text="Look", detail={"media": media})
    shop.send(session="visit", said=said)
    (row,) = json.loads(opened(shop, "asha").read("files.json"))
    assert (row["file"], row["name"]) == ("", "photo.jpg")
    assert row["wrong"] == "it was not fetched from the channel"


def test_an_archive_of_large_files_is_made_a_piece_at_a_time(shop: Shop) -> None:
    with_files(shop, *((f"{n}.png", os.urandom(4_000_000)) for n in range(4)))
    person = shop.person("asha")
    assert person is not None
    number = ids.parse_record_id(shop.workspace.id, person["id"])
    assert number is not None
    sizes = [len(piece) for piece in archive.pieces(shop.platform, shop.workspace, number)]
    assert sum(sizes) > 16_000_000
    assert max(sizes) < 1_000_000


@given(st.text(max_size=300))
def test_any_name_becomes_one_that_every_system_takes(name: str) -> None:
    safe = filed.safe(name)
    assert 1 <= len(safe.encode()) <= 120
    assert not set(safe) & set('/\\:*?"<>|')
    assert safe.isprintable()
    assert not safe.endswith((" ", "."))


def test_nobody_has_no_archive(shop: Shop) -> None:
    with pytest.raises(NotFound):
        next(archive.pieces(shop.platform, shop.workspace, 1))
