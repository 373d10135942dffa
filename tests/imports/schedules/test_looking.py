"""What schedules bring: each file once, with a reason for whatever is not imported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.imports.schedules.conftest import PASSWORD, S3Server, SftpServer
from tests.waiting import until
from user360.access.change import Change
from user360.access.workspaces import WorkspaceSettings
from user360.clock import StillClock
from user360.errors import Conflict, Invalid, NotFound
from user360.imports import jobs as imports
from user360.imports.schedules import looking, managing, store
from user360.imports.schedules.managing import Wanted
from user360.imports.schedules.schedule import Daily, Entry, Folder, Once, Place, Schedule
from user360.imports.schedules.timekeeper import Timekeeper
from user360.platform import Platform
from user360.settings import Settings
from user360.storage.ledger import text

MINUTE = 60_000_000
NIGHTLY = Daily(time="02:30")


class Office:
    """A platform with a folder for files, and what its schedules bring."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform, self.folder = platform, folder
        self.keeper = Timekeeper(platform)
        imports.register(platform)
        looking.register(platform)

    def write(self, name: str, *rows: str) -> None:
        data = "\n".join(["userId,city", *rows]) + "\n"
        (self.folder / name).write_text(data, encoding="utf-8")

    def change(self, job: Any) -> Any:
        platform = self.platform
        return platform.write(lambda c: job(platform.change(c, platform.default, "test")))

    def schedule(self, place: Place | None = None, **given: Any) -> Schedule:
        wanted = Wanted(
            **{
                "name": "nightly",
                "place": place or Folder(),
                "calendar": NIGHTLY,
                "options": {"userId": "userId"},
                **given,
            }
        )
        made: Schedule = self.change(lambda c: managing.create(c, self.platform.vault, wanted))
        return made

    def look(self, schedule: Schedule) -> list[tuple[str | None, str, str]]:
        """Look now; file, status and reason of every entry, the newest last."""
        job = looking.ask(self.platform, schedule, "test", schedule.next_at)
        assert job is not None
        ended = self.platform.jobs.wait(job.id, 60)
        assert ended.status == "completed", ended.result
        for number in ended.result["imports"]:
            self.platform.jobs.wait(number, 60)
        return self.entries(schedule)

    def entries(self, schedule: Schedule) -> list[tuple[str | None, str, str]]:
        with self.platform.ledger.read() as connection:
            found = store.entries(connection, schedule.id, None, 100)
        return [(e.file, became or e.status, e.reason) for e, became in reversed(found)]

    def cities(self) -> dict[str, str]:
        warehouse = self.platform.wait()
        column = self.platform.default.catalogue.by_name["city"].column
        rows = warehouse.query(f"SELECT user_id, {column} FROM w1.records").rows
        return {str(user): city for user, city in rows}


@pytest.fixture
def office(tmp_path: Path, clock: StillClock) -> Iterator[Office]:
    folder = tmp_path / "root" / "default"
    folder.mkdir(parents=True)
    given = Settings(import_root=str(tmp_path / "root"))
    with Platform.temporary(given, clock) as platform:
        yield Office(platform, folder)


def test_each_file_is_imported_once(office: Office) -> None:
    schedule = office.schedule()
    office.write("userdata_1.csv", "asha,Pune")
    office.write("userdata_2.csv", "asha,Goa", "ravi,Delhi")
    office.write("something.csv", "nobody,Nowhere")
    expected = [("userdata_1.csv", "completed", ""), ("userdata_2.csv", "completed", "")]
    assert office.look(schedule) == expected
    assert office.cities() == {"asha": "Goa", "ravi": "Delhi"}
    office.write("userdata_3.csv", "lena,Bern")
    expected = [*expected, ("userdata_3.csv", "completed", "")]
    assert office.look(schedule) == expected
    nothing = (None, "nothing", "Every file named userdata_*.csv was imported before")
    assert office.look(schedule) == [*expected, nothing]
    assert office.look(schedule) == [*expected, nothing], "the same again is no new entry"


def test_a_file_that_changes_is_a_new_one(office: Office) -> None:
    schedule = office.schedule()
    office.write("userdata_1.csv", "asha,Pune")
    office.look(schedule)
    office.write("userdata_1.csv", "asha,Kolkata")
    assert len(office.look(schedule)) == 2
    assert office.cities() == {"asha": "Kolkata"}


def test_a_missing_file_is_an_entry(office: Office) -> None:
    schedule = office.schedule()
    missing = (None, "missing", "There is no file named userdata_*.csv")
    assert office.look(schedule) == [missing]


def test_a_broken_file_is_an_entry_and_the_others_are_in(office: Office) -> None:
    schedule = office.schedule()
    (office.folder / "userdata_1.csv").write_bytes(b"%PDF-1.7")
    (office.folder / "userdata_2.csv").write_bytes(b"")
    office.write("userdata_3.csv", "asha,Pune")
    found = office.look(schedule)
    assert [(file, status) for file, status, _ in found] == [
        ("userdata_1.csv", "failed"),
        ("userdata_2.csv", "failed"),
        ("userdata_3.csv", "completed"),
    ]
    assert "PDF" in found[0][2]
    assert "empty" in found[1][2]
    files = office.platform.directory / "files"
    kept = {job.id for job in office.platform.jobs.listed(1, [imports.IMPORT])}
    assert {each.name for each in files.iterdir()} <= kept


def test_a_broken_file_is_tried_again_when_the_schedule_is_changed(office: Office) -> None:
    schedule = office.schedule(options={"userId": "number"})
    office.write("userdata_1.csv", "asha,Pune")
    assert office.look(schedule)[0][1] == "failed"
    assert [status for _, status, _ in office.look(schedule)] == ["failed", "nothing"]
    wanted = Wanted(name="nightly", place=Folder(), calendar=NIGHTLY, options={"userId": "userId"})
    office.change(lambda c: managing.edit(c, office.platform.vault, schedule.id, wanted))
    assert office.look(schedule)[-1] == ("userdata_1.csv", "completed", "")
    assert office.cities() == {"asha": "Pune"}


def test_a_folder_that_cannot_be_read_is_an_entry(office: Office) -> None:
    schedule = office.schedule(Folder(path="gone"))
    ((file, status, reason),) = office.look(schedule)
    assert (file, status) == (None, "failed")
    assert "no such folder" in reason


def test_another_workspaces_files_are_not_reached(office: Office) -> None:
    other = office.platform.add_workspace("other")
    (office.folder.parent / "other").mkdir()
    office.write("userdata_1.csv", "asha,Pune")
    platform = office.platform
    wanted = Wanted(name="theirs", place=Folder(), calendar=NIGHTLY, options={})
    theirs = platform.write(
        lambda c: managing.create(platform.change(c, other, "test"), platform.vault, wanted)
    )
    assert office.look(theirs) == [(None, "missing", "There is no file named userdata_*.csv")]
    with platform.ledger.read() as connection:
        with pytest.raises(NotFound):
            managing.find(connection, platform.default.id, theirs.id)
        assert store.all_of(connection, platform.default.id) == []


def test_files_come_from_a_bucket(office: Office, s3: S3Server) -> None:
    schedule = office.schedule(s3.place())
    s3.put("in/userdata_1.csv", b"userId,city\nasha,Pune\n")
    assert office.look(schedule) == [("userdata_1.csv", "completed", "")]
    assert office.cities() == {"asha": "Pune"}


def test_files_come_from_an_sftp_server(office: Office, server: SftpServer) -> None:
    schedule = office.schedule(server.place())
    (server.directory / "userdata_1.csv").write_bytes(b"userId,city\nasha,Pune\n")
    assert office.look(schedule) == [("userdata_1.csv", "completed", "")]
    assert office.cities() == {"asha": "Pune"}


def test_a_secret_is_nowhere_to_be_read(office: Office, server: SftpServer) -> None:
    office.schedule(server.place(private_key=server.user_key))
    platform = office.platform
    with platform.ledger.read() as connection:
        kept = connection.execute(text("SELECT place FROM schedules")).scalar_one()
    assert PASSWORD not in kept
    lines = server.user_key.splitlines()
    for file in platform.directory.rglob("*"):
        data = file.read_bytes() if file.is_file() else b""
        assert PASSWORD.encode() not in data
        assert lines[1].encode() not in data


def test_a_secret_is_kept_for_its_server_and_given_to_no_other(
    office: Office, server: SftpServer
) -> None:
    schedule = office.schedule(server.place())
    (server.directory / "userdata_1.csv").write_bytes(b"userId,city\nasha,Pune\n")

    def edit(place: Place) -> Schedule:
        wanted = Wanted(name="renamed", place=place, calendar=NIGHTLY, options={})
        changed: Schedule = office.change(
            lambda c: managing.edit(c, office.platform.vault, schedule.id, wanted)
        )
        return changed

    changed = edit(server.place(password=""))
    assert office.look(changed)[-1] == ("userdata_1.csv", "completed", "")
    with pytest.raises(Invalid, match="anew") as problem:
        edit(server.place(password="", host="localhost"))
    assert [fault.path for fault in problem.value.faults] == ["place.password"]


def test_a_file_that_was_taken_by_a_process_that_died_is_taken_again(office: Office) -> None:
    schedule = office.schedule()
    office.write("userdata_1.csv", "asha,Pune")
    (found,) = looking.reader(office.platform, office.platform.default, schedule).look()
    lost = (schedule.id, office.platform.now(), found.name, found.version, "lost")
    office.platform.write(lambda c: store.take(c, *lost))
    assert office.look(schedule) == [("userdata_1.csv", "completed", "")]
    assert len(office.look(schedule)) == 2, "and then not once more"


def test_only_one_look_of_a_schedule_is_under_way(office: Office) -> None:
    schedule = office.schedule()
    office.platform.jobs.register(store.LOOK, "look", lambda work: work.stopped.wait() or {})
    first = looking.ask(office.platform, schedule, "test", 5)
    assert first is not None
    assert looking.ask(office.platform, schedule, "test", 7) is None
    office.platform.jobs.cancel(schedule.workspace, first.id)
    office.platform.jobs.register(store.LOOK, "look", looking.run)


def test_idle_looks_do_not_pile_up(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = office.schedule()
    monkeypatch.setattr(store, "IDLE", 3)

    def idle(connection: Any) -> None:
        for n in range(8):
            entry = Entry(id=0, at=n, status="missing", reason=f"reason {n}")
            store.enter(connection, schedule.id, entry)

    office.platform.write(idle)
    assert [reason for _, _, reason in office.entries(schedule)] == [
        "reason 5",
        "reason 6",
        "reason 7",
    ]


def test_the_jobs_of_old_looks_are_forgotten(office: Office, clock: StillClock) -> None:
    schedule = office.schedule()
    office.look(schedule)
    clock.move(days=2)
    office.look(schedule)
    assert len(office.platform.jobs.listed(schedule.workspace, [store.LOOK])) == 1


def test_a_turn_asks_for_what_is_due(office: Office, clock: StillClock) -> None:
    schedule = office.schedule()
    assert schedule.next_at is not None
    office.write("userdata_1.csv", "asha,Pune")
    assert office.keeper.turn() == 3_600.0, "nothing is due before the night"
    assert office.entries(schedule) == []
    clock.at = schedule.next_at - 7 * 1_000_000
    assert office.keeper.turn() == 7.0
    clock.at = schedule.next_at
    office.keeper.turn()
    (look,) = office.platform.jobs.listed(schedule.workspace, [store.LOOK])
    for number in office.platform.jobs.wait(look.id, 60).result["imports"]:
        office.platform.jobs.wait(number, 60)
    assert office.entries(schedule) == [("userdata_1.csv", "completed", "")]
    office.keeper.turn()
    assert len(office.platform.jobs.listed(schedule.workspace, [store.LOOK])) == 1


def test_what_was_missed_is_made_up_for_once(office: Office, clock: StillClock) -> None:
    schedule = office.schedule()
    clock.move(days=5)
    office.keeper.turn()
    (look,) = office.platform.jobs.listed(schedule.workspace, [store.LOOK])
    office.platform.jobs.wait(look.id, 60)
    office.keeper.turn()
    assert len(office.platform.jobs.listed(schedule.workspace, [store.LOOK])) == 1
    with office.platform.ledger.read() as connection:
        later = store.next_at(connection)
    assert later is not None
    assert clock.now() < later <= clock.now() + 24 * 60 * MINUTE


def test_a_paused_schedule_and_one_that_came_once_are_not_due(
    office: Office, clock: StillClock
) -> None:
    office.schedule(name="paused", active=False)
    once = office.schedule(name="once", calendar=Once(at="2026-11-22 06:00"))
    clock.move(hours=1)
    assert office.keeper.turn() == 3_600.0
    (look,) = office.platform.jobs.listed(once.workspace, [store.LOOK])
    assert look.params == {"schedule": once.id}


def test_other_clocks_mean_other_times(office: Office) -> None:
    schedule = office.schedule()
    office.keeper.turn()
    workspace = office.platform.default
    workspace.apply(WorkspaceSettings(time_zone="Asia/Kolkata"))
    office.keeper.turn()
    with office.platform.ledger.read() as connection:
        later = store.next_at(connection)
    assert schedule.next_at is not None
    assert later == schedule.next_at - 330 * MINUTE, (
        "02:30 in India is five and a half hours earlier"
    )


def test_the_keeper_sleeps_until_it_is_woken(office: Office, clock: StillClock) -> None:
    office.keeper.start()
    try:
        schedule = office.schedule()
        office.write("userdata_1.csv", "asha,Pune")
        clock.move(days=1)
        office.keeper.wake()
        until(lambda: office.entries(schedule) == [("userdata_1.csv", "completed", "")])
    finally:
        office.keeper.close()


def test_a_name_is_taken_once_and_a_schedule_forgotten_whole(office: Office) -> None:
    schedule = office.schedule()
    with pytest.raises(Conflict, match="this name"):
        office.schedule()

    def remove(change: Change) -> None:
        managing.remove(change, schedule.id)

    office.look(schedule)
    office.change(remove)
    assert office.entries(schedule) == []
    with pytest.raises(NotFound):
        office.change(remove)
    office.schedule()
