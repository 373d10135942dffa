"""Somebody asks to be forgotten: gone at once, gone from every file, and kept away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.erasure import traces
from tests.erasure.zelda import HERS, THEIRS, erased, number, zelda_and_omar
from tests.stories.shop import Shop
from user360.access import vault
from user360.channels import files
from user360.conversations import attachments
from user360.conversations.talk import Said
from user360.erasure import erase
from user360.errors import NotFound, PersonErased, StorageFailed
from user360.ingest import bulk, doctor
from user360.ingest.call import Event, Verb
from user360.platform import Platform
from user360.settings import Settings


def test_the_person_is_gone_at_once_and_the_receipt_says_from_where(shop: Shop) -> None:
    zelda_and_omar(shop)
    told, seq = erase.ask(shop.platform, shop.workspace, number(shop, "zelda-7"), "key:1")
    assert shop.person("zelda-7") is None
    shop.platform.wait(seq)
    assert shop.count() == 1 + 34
    removed = {"records": 2, "sessions": 2, "merges": 1, "lists": 0}
    assert {name: told["removed"][name] for name in removed} == removed
    assert not told["purged"]
    shop.platform.jobs.wait(told["id"], 60)
    receipt = erase.find(shop.platform, shop.workspace, told["id"])
    assert receipt["purged"]
    assert receipt["removed"]["events"] == 1 + 66 + 1
    assert receipt["removed"]["logEntries"] > receipt["removed"]["events"]


def test_no_file_holds_a_word_of_them_and_the_neighbours_are_untouched(
    platform: Platform, shop: Shop, directory: Path
) -> None:
    zelda_and_omar(shop)
    before = shop.known("omar-1"), shop.happened(number(shop, "omar-1"))
    receipt = erased(shop, "zelda-7")
    assert receipt["purged"]
    assert (shop.known("omar-1"), shop.happened(number(shop, "omar-1"))) == before
    assert doctor.examine(platform).healthy
    platform.projector.rebuild()
    assert doctor.examine(platform).healthy
    platform.close()
    assert traces.found(directory, [*HERS, "Zelda"]) == {}
    theirs = traces.found(directory, THEIRS)
    assert all({"ledger.db", "warehouse.duckdb"} & theirs[text] for text in theirs)
    assert {"omar-1", "omar@example.com", "os-web-1"} <= theirs.keys()


def test_a_late_event_a_replay_and_a_new_session_bring_nobody_back(shop: Shop) -> None:
    zelda_and_omar(shop)
    erased(shop, "zelda-7")
    codes = [
        outcome.problem.code if outcome.problem else outcome.status
        for outcome in shop.settle(
            shop.call(user_id="zelda-7", event=Event("Bought", {}, id="zelda-e1")),
            shop.call(user_id="zelda-7", event=Event("Bought", {}, id="zelda-e2")),
            shop.call(session="web:zs-phone-1", event="Looked"),
            shop.call(session="web:new", user_id="zelda-7"),
        )
    ]
    # What was stored once is a duplicate for ever, whoever it was about.
    assert codes == ["duplicate", "erased", "erased", "erased"]
    assert shop.person("zelda-7") is None


def test_where_a_property_identifies_its_value_is_kept_away_too(shop: Shop) -> None:
    shop.write("zelda-7", email="zelda@zeldamail.org")
    shop.write("omar@example.com", email="omar@example.com")
    shop.write("omar-1", email="omar@example.com")
    shop.choose(identifier="email")
    erased(shop, "zelda-7")
    erased(shop, "omar-1")
    outcomes = shop.settle(
        shop.call(session="web:n1", properties={"email": "Zelda@Zeldamail.org"}),
        shop.call(session="web:n2", properties={"email": "omar@example.com"}),
    )
    assert outcomes[0].problem is not None
    assert outcomes[0].problem.code == "erased"
    assert outcomes[1].problem is None  # somebody else goes by it


def test_whoever_is_allowed_again_begins_as_somebody_new(shop: Shop) -> None:
    zelda_and_omar(shop)
    erased(shop, "zelda-7")
    assert erase.allow(shop.platform, shop.workspace, "zelda-7", "key:1") == 1
    shop.write("zelda-7", city="Pune")
    assert shop.known("zelda-7") == {"city": "Pune"}
    shop.capture("web:zs-phone-1", city="Goa")
    with pytest.raises(NotFound):
        erase.allow(shop.platform, shop.workspace, "zelda-7", "key:1")
    with pytest.raises(NotFound):
        erase.allow(shop.platform, shop.workspace, "nobody", "key:1")


def test_a_bulk_load_brings_nobody_back_either(shop: Shop) -> None:
    zelda_and_omar(shop)
    erased(shop, "zelda-7")
    people = pa.record_batch({"user_id": ["new-1", "zelda-7"], "city": ["Pune", "Pune"]})
    event = {"user_id": ["zelda-7"], "name": ["Bought"], "at": [1], "id": ["z9"]}
    events = pa.record_batch({**event, "properties": [None]})
    for rows in (([people], []), ([], [events])):
        with pytest.raises(PersonErased) as refused:
            bulk.load(shop.platform, shop.workspace, *rows)
        assert "zelda" not in str(refused.value.faults)
    assert shop.person("new-1") is None


def test_other_workspaces_keep_a_person_of_the_same_name(platform: Platform, shop: Shop) -> None:
    other = Shop(platform)
    for each in (shop, other):
        each.write("zelda-7", city="Pune")
        each.send(user_id="zelda-7", event="Bought")
    erased(shop, "zelda-7")
    assert other.known("zelda-7") == {"city": "Pune"}
    other.write("zelda-7", city="Goa")
    assert other.happened(number(other, "zelda-7")) == ["Bought"]
    assert doctor.examine(platform).healthy


def test_whoever_was_deleted_before_is_erased_as_well(
    platform: Platform, shop: Shop, directory: Path
) -> None:
    zelda_and_omar(shop)
    shop.delete("zelda-7")
    told, _ = erase.ask_deleted(platform, shop.workspace, "zelda-7", "key:1")
    platform.jobs.wait(told["id"], 60)
    receipt = erase.find(platform, shop.workspace, told["id"])
    assert receipt["purged"]
    assert receipt["removed"]["events"] == 68
    (refused,) = shop.settle(shop.call(user_id="zelda-7", properties={"city": "Pune"}))
    assert refused.problem is not None
    with pytest.raises(NotFound):
        erase.ask_deleted(platform, shop.workspace, "zelda-7", "key:1")
    assert doctor.examine(platform).healthy
    platform.projector.rebuild()
    assert doctor.examine(platform).healthy
    platform.close()
    # Their sessions were not known any more, so what they were called is in no file.
    assert traces.found(directory, [*HERS, "Zelda"]) == {}


def test_an_erasure_reaches_back_to_those_of_the_same_user_id_who_were_deleted(
    platform: Platform, shop: Shop, directory: Path
) -> None:
    zelda_and_omar(shop)
    shop.delete("zelda-7")
    shop.write("zelda-7", city="Pune")
    erased(shop, "zelda-7")
    assert doctor.examine(platform).healthy
    platform.close()
    assert traces.found(directory, [*HERS, "Zelda"]) == {}


def test_without_the_key_that_knows_the_erased_nothing_starts(
    platform: Platform, shop: Shop, directory: Path
) -> None:
    shop.write("zelda-7", city="Pune")
    erased(shop, "zelda-7")
    platform.close()
    kept = (directory / vault.FILE).read_bytes()
    (directory / vault.FILE).unlink()
    with pytest.raises(StorageFailed, match="take it from a backup"):
        Platform.open(directory, Settings())
    (directory / vault.FILE).write_bytes(kept)
    with Platform.open(directory, Settings()) as again:
        assert again.workspace(shop.workspace.name).erased.holds("zelda-7")


def test_one_who_is_not_there_cannot_be_erased(shop: Shop) -> None:
    zelda_and_omar(shop)
    gone = number(shop, "zelda-7")
    erased(shop, "zelda-7")
    with pytest.raises(NotFound):
        erase.ask(shop.platform, shop.workspace, gone, "key:1")
    with pytest.raises(NotFound):
        erase.find(shop.platform, shop.workspace, "nothing")


def test_writes_that_come_meanwhile_are_refused_or_came_before(shop: Shop) -> None:
    zelda_and_omar(shop)
    calls = [
        shop.call(user_id="zelda-7", event=Event("Bought", {"n": n}, id=f"m{n}")) for n in range(9)
    ]
    record = number(shop, "zelda-7")
    answers: list[Any] = []
    for n, call in enumerate(calls):
        shop.platform.committer.submit([call], answers.append)
        if n == 4:
            told, _ = erase.ask(shop.platform, shop.workspace, record, "key:1")
    shop.platform.jobs.wait(told["id"], 60)
    codes = [o.problem.code if o.problem else o.status for (o,) in answers]
    assert codes == ["unchanged"] * 5 + ["erased"] * 4
    assert shop.person("zelda-7") is None
    assert doctor.examine(shop.platform).healthy


def test_a_plain_deletion_keeps_the_line_that_tells_of_it(shop: Shop) -> None:
    zelda_and_omar(shop)
    shop.send(verb=Verb.DELETE, user_id="omar-1")
    erased(shop, "zelda-7")
    shop.platform.wait()
    assert doctor.examine(shop.platform).healthy


def test_what_was_said_goes_with_them_and_stays_away_when_it_is_said_again(
    platform: Platform, shop: Shop
) -> None:
    zelda_and_omar(shop)
    said = Said(sender="customer", text="I am Zelda of Zeldaville", id="Zelda-said")
    again = shop.call(session="web:zs-web-2", said=said)
    first = shop.settle(again)[0]
    assert first.status == "duplicate"
    receipt = erased(shop, "zelda-7")
    removed = {name: receipt["removed"][name] for name in ("conversations", "messages")}
    assert removed == {"conversations": 1, "messages": 2}
    replayed = shop.settle(
        shop.call(session="web:zs-web-2", said=said),
        shop.call(conversation=first.conversation, said=Said(sender="agent", text="Hi")),
    )
    assert [o.problem.status if o.problem else None for o in replayed] == [409, 404]
    with platform.ledger.read() as connection:
        left = connection.exec_driver_sql("SELECT text FROM messages ORDER BY id").scalars().all()
    assert left == ["I am Omar of Omarville", "Hello Omar!"]


def test_the_files_they_sent_are_gone_at_once_and_those_of_others_stay(shop: Shop) -> None:
    zelda_and_omar(shop)
    sent = {}
    for name in ("zelda-7", "omar-1"):
        sent[name] = files.save(shop.platform, shop.workspace, "me.jpg", "image/jpeg", b"a face")
        said = Said(sender="customer", text="", attachments=(sent[name],))
        shop.send(session=f"chat-{name}", user_id=name, said=said)
    erase.ask(shop.platform, shop.workspace, number(shop, "zelda-7"), "key:1")
    where = (shop.platform.directory, shop.workspace.id)
    there = {name: attachments.path_of(*where, file.id).exists() for name, file in sent.items()}
    assert there == {"zelda-7": False, "omar-1": True}
