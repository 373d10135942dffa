from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from user360.access.change import Change
from user360.clock import StillClock
from user360.conversations import attachments, store
from user360.conversations.talk import Attachment, Said
from user360.events import chunk
from user360.ingest import compare, doctor
from user360.ingest.call import Call, Event, Session, Verb
from user360.platform import Platform
from user360.segments import define
from user360.settings import Settings

AT = 1_790_000_000_000_000
SMALL = Settings()


def call(platform: Platform, **how: Any) -> Call:
    at = platform.now()
    number = platform.default.id
    return Call(workspace=number, source="api", ref="key:1", at=at, message_id=f"m{at}", **how)


def bought(platform: Platform, user_id: str, number: int) -> Call:
    return call(platform, user_id=user_id, event=Event("Purchase", {"n": number}, id=f"e{number}"))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with some people: one merged, one deleted, two in a static segment."""
    directory = tmp_path_factory.mktemp("filled")
    with Platform.open(directory, SMALL, StillClock(AT)) as platform:
        fill(platform)
        platform.wait()
    return directory


@pytest.fixture
def platform(filled: Path, tmp_path: Path) -> Iterator[Platform]:
    directory = shutil.copytree(filled, tmp_path / "data")
    with Platform.open(directory, SMALL, StillClock(AT)) as running:
        yield running


def fill(platform: Platform) -> None:
    calls = [bought(platform, f"u{n % 5}", n) for n in range(100)]
    calls += [call(platform, user_id=f"u{n}", properties={"city": f"C{n}"}) for n in range(5)]
    web = Session("web", "s1")
    calls.append(call(platform, session=web, properties={"city": "Pune", "email": "a@b.com"}))
    calls.append(call(platform, session=web, user_id="u0"))
    calls.append(call(platform, user_id="u4", verb=Verb.DELETE))
    calls += [
        call(platform, session=web, said=Said(sender=sender, text="Hello", attachments=files))
        for sender, files in (("customer", (_attached(platform),)), ("note", ()), ("agent", ()))
    ]
    assert all(outcome.problem is None for outcome in platform.settle(calls))
    platform.write(lambda connection: _segment(platform, connection))
    platform.write(_to_bring)


def _attached(platform: Platform) -> Attachment:
    kept = Attachment(name="cat.png", size=3)
    name = attachments.write(platform.directory, platform.default.id, b"cat")
    now = platform.now()
    return platform.write(lambda c: attachments.keep(c, platform.default.id, name, kept, now))


def _to_bring(connection: sa.Connection) -> None:
    said = connection.execute(sa.text("SELECT conversation_id, id FROM messages LIMIT 1")).one()
    store.to_bring(connection, 1, [(said[0], said[1], "email")], 0)


def _segment(platform: Platform, connection: sa.Connection) -> None:
    change = Change(
        connection,
        platform.ledger.dialect,
        platform.default,
        now=1,
        actor="",
        take=platform.committer.position.take,
    )
    people = [n for (n,) in connection.execute(sa.text("SELECT id FROM records LIMIT 2"))]
    define.create(change, "VIP", "", None, people)


def found(platform: Platform) -> set[tuple[str, str, int]]:
    return {(f.part, f.what, f.count) for f in doctor.examine(platform).findings}


def in_warehouse(platform: Platform, sql: str) -> None:
    platform.wait().query(sql)


def in_ledger(platform: Platform, sql: str, **given: Any) -> None:
    platform.write(lambda connection: connection.execute(sa.text(sql), given))


def test_a_sound_directory_has_no_findings(platform: Platform) -> None:
    report = doctor.examine(platform)
    assert report.findings == []
    assert report.healthy
    assert report.position == platform.committer.position.last
    assert report.records == 4
    assert report.events > 80


def test_a_list_is_sound_after_one_of_its_members_was_deleted(platform: Platform) -> None:
    platform.settle([call(platform, user_id=f"u{n}", verb=Verb.DELETE) for n in range(2)])
    assert doctor.examine(platform).findings == []


def test_an_empty_directory_is_sound(clock: StillClock) -> None:
    with Platform.temporary(clock=clock) as platform:
        assert doctor.examine(platform) == doctor.Report(0, 0, 0, [])


def files(platform: Platform) -> list[Path]:
    return sorted((platform.directory / "attachments" / str(platform.default.id)).iterdir())


def found_in_files(platform: Platform) -> set[tuple[str, int]]:
    found = [f for f in doctor.examine(platform).findings if f.part == doctor.FILES]
    return {(f.what, f.count) for f in found}


def test_a_file_that_is_missing_and_one_of_another_size_are_told(platform: Platform) -> None:
    (held,) = files(platform)
    held.write_bytes(b"ca")
    assert found_in_files(platform) == {("have another size than was kept", 1)}
    held.unlink()
    assert found_in_files(platform) == {("are not in the directory", 1)}


def test_a_file_that_nobody_knows_is_told_once_the_sweep_should_have_had_it(
    platform: Platform,
) -> None:
    where = (platform.directory, platform.default.id)
    whole = attachments.path_of(*where, attachments.write(*where, b"left"))
    part = attachments.begin(*where)
    part.write_bytes(b"hal")
    assert found_in_files(platform) == set()
    for path, hours in ((whole, 1.1), (part, 1.1)):
        os.utime(path, (0, path.stat().st_mtime - hours * attachments.HOUR))
    nobody = "are in the directory and nobody knows them"
    assert found_in_files(platform) == {(nobody, 1)}
    os.utime(part, (0, 0))
    assert found_in_files(platform) == {(nobody, 2)}


MISSING = "are missing from the warehouse"
EXTRA = "are only in the warehouse"
TWICE = "stand in the warehouse more than once"
RECORD = "(SELECT min(id) FROM w1.records)"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (f"DELETE FROM w1.records WHERE id = {RECORD}", ("records", MISSING, 1)),
        ("INSERT INTO w1.records (id) VALUES (1)", ("records", EXTRA, 1)),
        (
            "INSERT INTO w1.records (id) SELECT max(id) + 70 FROM w1.records",
            ("records", EXTRA, 1),
        ),
        (
            f"INSERT INTO w1.records SELECT * FROM w1.records WHERE id = {RECORD}",
            ("records", TWICE, 1),
        ),
        ("UPDATE w1.records SET p6 = 'x'", ("records", "differ in city", 4)),
        (
            f"UPDATE w1.records SET user_id = NULL WHERE id = {RECORD}",
            ("records", "differ in userId", 1),
        ),
        ("DELETE FROM w1.merged", ("merged", MISSING, 1)),
        ("UPDATE w1.merged SET survivor_id = survivor_id + 1", ("merged", EXTRA, 1)),
        ("DELETE FROM w1.members_moved", ("members", MISSING, 2)),
        ("INSERT INTO w1.members_kept VALUES (7, 7, NULL)", ("members", EXTRA, 1)),
        ("DELETE FROM w1.events_fresh WHERE id IN ('e1', 'e2')", ("events", MISSING, 2)),
        (
            "UPDATE w1.events_fresh SET properties = '{}' WHERE id = 'e7'",
            ("events", "differ in properties", 1),
        ),
        (
            'UPDATE w1.events_fresh SET "at" = "at" + INTERVAL 1 SECOND WHERE id = \'e7\'',
            ("events", "differ in at", 1),
        ),
        (
            "INSERT INTO w1.events_fresh SELECT * FROM w1.events_fresh WHERE id = 'e7'",
            ("events", TWICE, 1),
        ),
        (
            "INSERT INTO w1.events_fresh SELECT * REPLACE (seq + 1000000 AS seq)"
            " FROM w1.events_fresh WHERE id = 'e7'",
            ("events", EXTRA, 1),
        ),
        ("ALTER TABLE w1.records DROP COLUMN p7", ("columns", "are not as declared", 1)),
        ("ALTER TABLE w1.records ADD COLUMN p999 DATE", ("columns", "are not as declared", 1)),
        (
            "ALTER TABLE w1.records ALTER p7 TYPE DATE USING NULL",
            ("columns", "are not as declared", 1),
        ),
    ],
)
def test_each_difference_of_the_warehouse_is_told(
    platform: Platform, sql: str, expected: tuple[str, str, int]
) -> None:
    in_warehouse(platform, sql)
    assert expected in found(platform)


@pytest.mark.parametrize(
    ("sql", "part"),
    [
        ("DELETE FROM sessions", "ok"),
        ("UPDATE sessions SET record_id = record_id + 900", "sessions"),
        ("UPDATE records SET merged_into = merged_into + 900", "merges"),
        ("UPDATE records SET merged_into = id WHERE merged_into IS NOT NULL", "merges"),
        ("DELETE FROM merges", "merges"),
        ("UPDATE merges SET undone_at = 5", "merges"),
        ("UPDATE records SET merged_into = NULL, merge_id = NULL", "merges"),
        ("UPDATE segment_members SET record_id = record_id + 900", "members"),
        ("UPDATE segments SET deleted_at = 1", "members"),
        ("UPDATE log SET last = last + 5 WHERE first = 1", "log"),
        ("UPDATE log SET last = last - 1 WHERE first = 1", "log"),
        ("UPDATE log SET body = x'4105' WHERE first = 1", "log"),
        ("UPDATE log SET body = x'5b05' WHERE first = 1", "log"),
        ("UPDATE log SET workspace_id = 9 WHERE first = 1", "log"),
        ("UPDATE definitions SET volume = volume + 1", "definitions"),
        ("DELETE FROM definitions", "definitions"),
        ("UPDATE workspaces SET next_record = 2", "records"),
        ("UPDATE records SET cells = '{}' WHERE user_id = 'u1'", "records"),
        ("UPDATE conversations SET record_id = record_id + 900", "conversations"),
        ("UPDATE workspaces SET next_conversation = 1", "conversations"),
        ("UPDATE conversation_counts SET count = count + 1", "conversations"),
        ("DELETE FROM conversation_counts", "conversations"),
        ("UPDATE workspaces SET next_message = 1", "messages"),
        ("UPDATE messages SET conversation_id = conversation_id + 900", "messages"),
        ("UPDATE conversations SET messages = messages + 1", "messages"),
        ("UPDATE conversations SET last_message = 7", "messages"),
        ("INSERT INTO words (rowid, text) VALUES (900, 'x')", "messages"),
        ("INSERT INTO words (words) VALUES ('delete-all')", "messages"),
        ("UPDATE attachments SET message_id = 900", "attachments"),
        ("UPDATE deliveries SET message_id = 900", "deliveries"),
    ],
)
def test_each_break_within_the_ledger_is_told(platform: Platform, sql: str, part: str) -> None:
    platform.wait()
    in_ledger(platform, sql)
    parts = {p for p, _, _ in found(platform)}
    assert (part in parts) or (part == "ok" and not parts)


def test_findings_name_records_and_properties_and_nobodys_values(platform: Platform) -> None:
    in_warehouse(platform, "UPDATE w1.records SET p6 = 'Pune' WHERE user_id = 'u1'")
    (finding,) = doctor.examine(platform).findings
    assert finding == doctor.Finding("default", "records", "differ in city", 1, ("r2",))


def test_differences_far_apart_are_found_by_stretch(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "BUCKET", 4)
    monkeypatch.setattr(compare, "DETAILED", 2)
    monkeypatch.setattr(compare, "CHECKSUM", compare.CHECKSUM.replace(">> 17", ">> 4"))
    in_warehouse(platform, "DELETE FROM w1.events_fresh WHERE id IN ('e1', 'e40', 'e41', 'e80')")
    assert ("events", "differ in further stretches of 16 positions", 1) in found(platform)


def test_writers_go_on_while_it_is_examined(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    original: Callable[..., None] = compare.records

    def slow(*arguments: Any) -> None:
        platform.settle([bought(platform, "later", 1_000), bought(platform, "u1", 1_001)])
        platform.wait()
        original(*arguments)

    monkeypatch.setattr(compare, "records", slow)
    report = doctor.examine(platform)
    assert report.findings == []
    assert report.position < platform.committer.position.last
    assert doctor.examine(platform).records == report.records + 1


def test_chunks_of_columns_are_examined_like_rows(clock: StillClock) -> None:
    with Platform.temporary(clock=clock) as platform:
        platform.settle([bought(platform, f"u{n % 9}", n) for n in range(5 * chunk.MANY)])
        platform.settle([call(platform, user_id="u3", verb=Verb.DELETE)])
        assert doctor.examine(platform).findings == []
        in_warehouse(platform, "DELETE FROM w1.events_fresh WHERE id = 'e100'")
        assert found(platform) == {("events", MISSING, 1)}


def test_while_the_warehouse_is_rebuilt_the_ledger_is_still_checked(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform.projector, "_warehouse", None)
    in_ledger(platform, "DELETE FROM merges")
    parts = {part for part, _, _ in found(platform)}
    assert parts == {"warehouse", "merges"}
