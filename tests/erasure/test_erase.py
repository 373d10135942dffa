"""Somebody asks to be forgotten: gone at once, gone from every file, and kept away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from tests.erasure import traces
from tests.stories.shop import Shop
from user360 import ids
from user360.access import audit, vault
from user360.erasure import erase, jobs, purge
from user360.errors import NotFound, PersonErased, StorageFailed, Unavailable
from user360.events import store as event_store
from user360.imports import failures, undoing
from user360.imports.failures import Failed, Wrong
from user360.ingest import bulk, doctor
from user360.ingest.call import Event, Verb
from user360.jobs import files
from user360.jobs import store as jobs_store
from user360.jobs.job import Job
from user360.platform import Platform
from user360.records.properties import Property, Type
from user360.records.settle import Cell
from user360.segments import define
from user360.settings import Settings
from user360.storage.ledger import Connection

SMALL = Settings()
# Whoever is called so is erased; whoever is called otherwise stays.
HERS = ("zelda-7", "zelda@zeldamail.org", "+919812345670", "zs-phone-1", "zs-web-2", "Zeldaville")
THEIRS = ("omar-1", "omar@example.com", "os-web-1", "Omartown")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def platform(directory: Path) -> Iterator[Platform]:
    platform = Platform.open(directory, SMALL)
    jobs.register(platform)
    yield platform
    if platform.committer.running:  # a test that looks into the files closed it
        platform.close()


@pytest.fixture
def shop(platform: Platform) -> Shop:
    shop = Shop(platform)
    shop.declare(*shop.workspace.catalogue.custom, Property(400, "nick", Type.STRING))
    return shop


def live(shop: Shop, user: str, words: str) -> None:
    """Somebody comes by phone, then on the web, signs up, buys a lot, is merged."""
    who = words.lower()
    sessions = (f"{who[0]}s-phone-1", f"{who[0]}s-web-2" if who[0] == "z" else "os-web-1")
    shop.capture(f"web:{sessions[0]}", city=f"{words}ville")
    shop.identify(f"web:{sessions[0]}", user, firstName=words)
    shop.capture(f"web:{sessions[1]}", nick=f"{words}-nick")
    shop.send(session=f"web:{sessions[1]}", event=Event("Looked", {"at": f"{words}-page"}))
    shop.identify(f"web:{sessions[1]}", user, city=f"{words}town")
    shop.send(user_id=user, properties={}, add_tags=(f"{words}-tag",))
    many = [
        shop.call(user_id=user if n % 3 else f"other-{n}", event=Event("Bought", bought(words, n)))
        for n in range(100)
    ]
    shop.settle(*many)
    shop.send(user_id=user, event=Event("Bought", {"what": f"{words}-last"}, id=f"{who}-e1"))


def bought(words: str, n: int) -> dict[str, Any]:
    return {"what": f"{words}-thing-{n}" if n % 3 else "soap", "price": n}


def zelda_and_omar(shop: Shop) -> None:
    live(shop, "zelda-7", "Zelda")
    live(shop, "omar-1", "Omar")
    shop.write("zelda-7", email="zelda@zeldamail.org", phone="+919812345670")
    shop.write("omar-1", email="omar@example.com")


def number(shop: Shop, user: str) -> int:
    person = shop.person(user)
    assert person is not None
    found = ids.parse_record_id(shop.workspace.id, person["id"])
    assert found is not None
    return found


def erased(shop: Shop, user: str) -> dict[str, Any]:
    """Erase somebody and wait until nothing is left to do."""
    told, _ = erase.ask(shop.platform, shop.workspace, number(shop, user), "key:1")
    shop.platform.jobs.wait(told["id"], 60)
    return erase.find(shop.platform, shop.workspace, told["id"])


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


def test_what_a_merge_that_was_undone_told_of_them_goes_from_their_partner(
    platform: Platform, shop: Shop, directory: Path
) -> None:
    shop.write("omar-1", city="Omartown")
    shop.capture("web:zs-1", firstName="Zelda", nick="Zelda-nick")
    visitor = shop.visitor("web:zs-1")
    assert visitor is not None
    record = ids.parse_record_id(shop.workspace.id, visitor["id"])
    merged = shop.merge("omar-1", record)
    assert shop.known("omar-1")["nick"] == "Zelda-nick"
    shop.write("omar-1", nick="Omar-nick")
    shop.undo(merged.merge)
    assert record is not None
    told, _ = erase.ask(platform, shop.workspace, record, "key:1")
    platform.jobs.wait(told["id"], 60)
    assert doctor.examine(platform).healthy
    names = [name for name, _ in shop.told(number(shop, "omar-1"))]
    assert names.count("USER_MERGE") == names.count("USER_UNMERGE") == 1
    assert shop.known("omar-1") == {"city": "Omartown", "nick": "Omar-nick"}
    platform.close()
    assert traces.found(directory, ["Zelda", "zs-1"]) == {}
    assert "Omar-nick" in traces.found(directory, ["Omar-nick"])


def test_whatever_names_them_in_passing_is_cleaned(
    platform: Platform, shop: Shop, directory: Path
) -> None:
    zelda_and_omar(shop)
    wrong = (Wrong("age", "age", "invalidDataType", "age is no number"),)
    rows = [{"id": "zelda-7", "name": "Zelda"}, {"id": "omar-1", "name": "Omar"}]
    failed = [Failed(line, row, wrong) for line, row in enumerate(rows, 2)]
    cell = Cell("Somewhere", 1, "m", 1, "csv", "import:job1")
    replaced = tuple(
        undoing.Replaced(number(shop, who), {"city": cell}) for who in ("zelda-7", "omar-1")
    )

    def name_them(connection: Connection) -> None:
        change = platform.change(connection, shop.workspace, "key:1")
        change.audit("key.create", "key:9", name="for Zelda@zeldamail.org only")
        condition = {"property": "email", "op": "is", "values": ["zelda@zeldamail.org", "a@b.co"]}
        define.create(change, "All but zelda-7", "See zelda@zeldamail.org", condition)
        jobs_store.add(connection, finished(shop, "job1", {"file": "zelda-7.csv"}))
        failures.write(connection, "job1", 0, failed)
        undoing.keep(connection, "job1", 0, undoing.Done(replaced=replaced[:1]))
        undoing.keep(connection, "job1", 1, undoing.Done(replaced=replaced[1:]))
        rejection = event_store.Rejection("sdk", "zelda-7 clicked", "invalid", "p.zelda-7", "bad")
        event_store.save_rejections(connection, shop.workspace.id, {rejection: 3}, platform.now())

    platform.write(name_them)
    (files.directory(directory, "job1") / "upload.csv").write_text("zelda-7;Zelda;Zeldaville\n")
    receipt = erased(shop, "zelda-7")
    told = ("auditLines", "jobs", "jobRows", "rejections", "segments", "files")
    assert [receipt["removed"][name] for name in told] == [1, 1, 2, 1, 1, 1]
    with platform.ledger.read() as connection:
        lines = audit.lines(connection, shop.workspace.id, None, 50)
    assert {"name": "for (erased) only"} in [line["detail"] for line in lines]
    (segment,) = shop.workspace.segments.values()
    assert segment.name == f"All but (erased) {segment.id}"
    assert "a@b.co" in str(segment.condition)
    assert doctor.examine(platform).healthy
    platform.close()
    assert traces.found(directory, [*HERS, "Zelda"]) == {}
    assert "job_parts failed" in traces.found(directory, ["omar-1"])["omar-1"]


def test_an_old_file_fails_with_the_line_alone(shop: Shop) -> None:
    wrong = (Wrong("id", "userId", "erased", "The person of this userId was erased"),)
    rows = [Failed(2, {"id": "zelda-7", "name": "Zelda"}, wrong)]

    def write(connection: Connection) -> list[Failed]:
        failures.write(connection, "job2", 0, rows)
        return list(failures.read(connection, "job2"))

    assert shop.platform.write(write) == [Failed(2, {}, wrong)]


def finished(shop: Shop, job: str, params: dict[str, Any]) -> Job:
    return Job(
        id=job,
        workspace=shop.workspace.id,
        kind="import",
        actor="key:1",
        created_at=shop.platform.now(),
        status="completed",
        params=params,
    )


def test_where_it_would_hold_up_writers_for_long_the_rest_waits_until_it_is_asked_for(
    platform: Platform, shop: Shop, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge, "AT_ONCE", 0)
    zelda_and_omar(shop)
    shop.write("gone", city="Deletedville")
    shop.send(user_id="gone", event=Event("Bought", {"what": "Deleted-thing"}))
    shop.delete("gone")
    receipt = erased(shop, "zelda-7")
    assert not receipt["purged"]
    assert receipt["removed"]["events"] == 68
    job = platform.jobs.ask(shop.workspace.id, jobs.COMPACTION, {}, "key:1")
    assert platform.jobs.wait(job.id, 60).result == {"erasures": 1}
    receipt = erase.find(platform, shop.workspace, receipt["id"])
    assert receipt["purged"]
    assert doctor.examine(platform).healthy
    platform.close()
    assert traces.found(directory, [*HERS, "Zelda", "Deleted-thing"]) == {}


def test_an_export_that_was_begun_before_is_let_finish_and_its_file_goes(
    platform: Platform, shop: Shop, directory: Path
) -> None:
    zelda_and_omar(shop)
    export = msgspec.structs.replace(finished(shop, "job9", {}), kind="export", status="running")
    waits = msgspec.structs.replace(finished(shop, "job8", {}), kind="example", status="queued")
    platform.write(lambda c: [jobs_store.add(c, job) for job in (export, waits)])
    (files.directory(directory, "job9") / "export").write_text("zelda-7")
    told, _ = erase.ask(platform, shop.workspace, number(shop, "zelda-7"), "key:1")
    with pytest.raises(Unavailable):
        platform.jobs.wait(told["id"], 1.0)
    assert not erase.find(platform, shop.workspace, told["id"])["purged"]
    platform.write(lambda c: jobs_store.finish(c, "job9", "completed", platform.now()))
    platform.jobs.wait(told["id"], 60)
    receipt = erase.find(platform, shop.workspace, told["id"])
    assert (receipt["purged"], receipt["removed"]["files"]) == (True, 1)


def test_a_file_that_was_imported_since_goes_when_it_is_asked_for(
    platform: Platform, shop: Shop, directory: Path
) -> None:
    zelda_and_omar(shop)
    erased(shop, "zelda-7")
    platform.write(lambda c: jobs_store.add(c, finished(shop, "job6", {})))
    (files.directory(directory, "job6") / "upload.csv").write_text("zelda-7")
    job = platform.jobs.ask(shop.workspace.id, jobs.COMPACTION, {}, "key:1")
    platform.jobs.wait(job.id, 60)
    assert not files.path(directory, "job6").exists()


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
        Platform.open(directory, SMALL)
    (directory / vault.FILE).write_bytes(kept)
    with Platform.open(directory, SMALL) as again:
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
