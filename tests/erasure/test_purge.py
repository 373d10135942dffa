"""What names an erased person in passing, and files that wait: cleaned in their time."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.erasure import traces
from tests.erasure.zelda import HERS, erased, finished, number, zelda_and_omar
from tests.stories.shop import Shop
from user360 import ids
from user360.access import audit
from user360.conversations.talk import Said
from user360.erasure import erase, jobs, purge
from user360.errors import Unavailable
from user360.events import store as event_store
from user360.imports import failures, undoing
from user360.imports.failures import Failed, Wrong
from user360.ingest import doctor
from user360.ingest.call import Event
from user360.jobs import files
from user360.jobs import store as jobs_store
from user360.platform import Platform
from user360.records.settle import Cell
from user360.segments import define
from user360.storage import ledger, relations
from user360.storage.ledger import Connection


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


def test_where_it_would_hold_up_writers_for_long_the_rest_waits_until_it_is_asked_for(
    platform: Platform, shop: Shop, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge, "AT_ONCE", 0)
    zelda_and_omar(shop)
    shop.write("gone", city="Deletedville")
    shop.send(user_id="gone", event=Event("Bought", {"what": "Deleted-thing"}))
    shop.identify("web:gone", "gone")
    shop.send(session="web:gone", said=Said(sender="customer", text="Deletedword is mine"))
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
    assert traces.found(directory, [*HERS, "Zelda", "Deleted-thing", "Deletedword"]) == {}


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


@pytest.mark.parametrize("step", ["warehouse", "ledger"])
def test_the_end_does_not_wait_for_a_file_that_is_being_written_anew(
    platform: Platform, shop: Shop, directory: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    begun = threading.Event()
    moment = 0.2  # seconds, in which the end comes before there is anything to be given up

    def endless(cursor: Any, _path: Path) -> None:
        begun.set()
        time.sleep(moment)
        cursor.execute("SELECT count(*) FROM range(10000000) a, range(10000000) b").fetchall()

    class Writer:
        """The ledger's writing connection, whose file is too large to be written anew."""

        def __init__(self, driver: Any) -> None:
            self.driver = driver

        def __getattr__(self, name: str) -> Any:
            return getattr(self.driver, name)

        def execute(self, sql: str, *given: Any) -> Any:
            if sql == "VACUUM":
                begun.set()
                time.sleep(moment)
                numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                self.driver.execute(f"{numbers} SELECT count(*) FROM n")
            return self.driver.execute(sql, *given)

    driver = ledger._driver
    if step == "warehouse":
        monkeypatch.setattr(relations, "copy", endless)
    else:
        monkeypatch.setattr(ledger, "_driver", lambda connection: Writer(driver(connection)))
    zelda_and_omar(shop)
    told, _ = erase.ask(platform, shop.workspace, number(shop, "zelda-7"), "key:1")
    assert begun.wait(60)
    platform.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "jobs-in"]
    monkeypatch.undo()
    with Platform.open(directory) as again:
        jobs.register(again)
        again.jobs.wait(told["id"], 60)
        receipt = erase.find(again, again.workspace(shop.workspace.name), told["id"])
        assert receipt["purged"]


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
