"""Killed at any moment under load: what was answered is there, once, and both stores agree.

`USER360_KILLS` sets how often (a hundred takes some minutes).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from user360.identity import store as identity_store
from user360.ingest import doctor
from user360.ingest.call import Call, Event
from user360.platform import Platform
from user360.segments import conditions, stored
from user360.segments.compiler import questions
from user360.settings import Settings

DRIVER = Path(__file__).parent / "driver.py"
KILLS = int(os.environ.get("USER360_KILLS", "8"))
SMALL = Settings()
START = 10.0  # seconds that opening again may take on a slow machine


@pytest.fixture(scope="module")
def random_moments() -> random.Random:
    return random.Random(360)


def killed_under_load(
    directory: Path, notes: Path, seed: str, after: float, answers: int = 0
) -> None:
    """Kill a driver so many seconds after it began and had noted so many more answers."""
    before = len(notes.read_bytes().splitlines()) if notes.exists() else 0
    arguments = [sys.executable, str(DRIVER), str(directory), str(notes), seed]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        assert driver.stderr is not None
        assert driver.stdout.readline() == b"loading\n"
        while answers and len(notes.read_bytes().splitlines()) < before + answers:
            assert driver.poll() is None, driver.stderr.read().decode()
            time.sleep(0.01)
        time.sleep(after)
        gone = driver.poll()
        driver.kill()
        assert gone is None, driver.stderr.read().decode()


class Noted:
    """What the clients were answered, over all rounds."""

    def __init__(self, path: Path) -> None:
        self.events: list[str] = []
        self.cities: dict[str, str] = {}
        self.sessions: dict[str, str] = {}
        self.deleted: list[str] = []
        self.messages: dict[str, str] = {}
        for line in path.read_text().splitlines():
            self._note(json.loads(line))

    def _note(self, note: dict[str, Any]) -> None:
        if "event" in note:
            self.events.append(note["event"])
        elif "city" in note:
            self.cities[note["user"]] = note["city"]
        elif "message" in note:
            self.messages[note["message"]] = note["talk"]
        elif "session" in note:
            self.sessions[note["session"]] = note["user_of"]
        else:
            self.deleted.append(note["deleted"])


def check(platform: Platform, noted: Noted) -> None:
    warehouse = platform.wait()
    counts = dict(
        warehouse.query("SELECT id, count(*) FROM w1.events WHERE name = 'Bought' GROUP BY 1").rows
    )
    assert [name for name in noted.events if name not in counts] == [], "answered and lost"
    assert [name for name, count in counts.items() if count > 1] == [], "stored twice"
    cities = dict(warehouse.query("SELECT user_id, p6 FROM w1.records").rows)
    assert [u for u, city in noted.cities.items() if (cities.get(u) or "") < city] == []
    assert [user for user in noted.deleted if user in cities or f"gone-{user}" in counts] == []
    assert users_of_sessions(platform, noted) == noted.sessions
    check_segments(platform)
    check_conversations(platform, noted)
    report = doctor.examine(platform)
    assert report.findings == []
    answer_again(platform, noted)


def check_segments(platform: Platform) -> None:
    """Members are those the condition is true of, and each change was told once."""
    platform.keeper.settle()
    for number, segment in platform.default.segments.items():
        # The clock goes on: asked as of when it was last looked at.
        fresh = platform.keeper.freshness(platform.default.id, number)
        assert fresh is not None
        node = conditions.node_of(segment, platform.default)
        warehouse = platform.wait()
        if segment.name != "Just now":
            true = questions.numbers(warehouse, platform.default, node, fresh.as_of)
            assert stored.counts(warehouse, platform.default, [number]).get(number, 0) == len(true)
            assert stored.since(warehouse, platform.default, number, true).keys() == set(true)
        moves = "SELECT record_id, {} FROM w1.{} WHERE {} ORDER BY seq"
        changes = warehouse.query(moves.format("entered", "changes", f"segment_id = {number}")).rows
        inside: set[int] = set()
        for record, entered in changes:
            assert (record in inside) != entered, "told twice"
            (inside.add if entered else inside.remove)(record)
        loud = moves.format("1", "changes", f"segment_id = {number} AND entered AND NOT silent")
        said = moves.format(
            "1",
            "events",
            "name = 'SEGMENT_ENTER'"
            f" AND CAST(json_extract(properties, '$.segmentId') AS BIGINT) = {number}",
        )
        assert sorted(warehouse.query(loud).rows) == sorted(warehouse.query(said).rows)


def check_conversations(platform: Platform, noted: Noted) -> None:
    """Each message once, in its session, in the order it was said, on whoever the session is."""
    query = sa.text(
        "SELECT m.text, c.session_id, c.record_id, s.record_id AS mapped FROM messages m"
        " JOIN conversations c ON c.id = m.conversation_id"
        " JOIN sessions s ON s.channel = c.channel AND s.session_id = c.session_id ORDER BY m.id"
    )
    with platform.ledger.read() as connection:
        rows = connection.execute(query).all()
        held = {row.text: row.session_id for row in rows}
        assert len(held) == len(rows), "said twice"
        assert noted.messages.items() <= held.items(), "answered and lost"
        said: dict[str, list[str]] = {}
        for row in rows:
            said.setdefault(row.session_id, []).append(row.text)
        assert all(texts == sorted(texts) for texts in said.values())
        dialect = platform.ledger.dialect
        for on, mapped in {(row.record_id, row.mapped) for row in rows}:
            roots = [identity_store.roots_of(connection, dialect, [each]) for each in (on, mapped)]
            assert roots[0] == roots[1]


def users_of_sessions(platform: Platform, noted: Noted) -> dict[str, str]:
    query = sa.text(
        "SELECT s.session_id, coalesce(survivor.user_id, r.user_id) AS user_id FROM sessions s"
        " JOIN records r ON r.id = s.record_id"
        " LEFT JOIN records survivor ON survivor.id = r.merged_into"
    )
    with platform.ledger.read() as connection:
        rows = connection.execute(query).all()
    return {row.session_id: row.user_id for row in rows if row.session_id in noted.sessions}


def answer_again(platform: Platform, noted: Noted) -> None:
    """A client that did not hear the answer sends again: nothing is stored a second time."""
    calls = [
        Call(
            workspace=platform.default.id,
            source="api",
            ref="load",
            at=platform.now(),
            message_id=name,
            user_id="u-1",
            event=Event("Bought", {}, id=name),
        )
        for name in noted.events[-20:]
    ]
    assert {outcome.status for outcome in platform.settle(calls)} <= {"duplicate"}


def test_killed_again_and_again_nothing_answered_is_lost_or_doubled(
    tmp_path: Path, random_moments: random.Random
) -> None:
    directory, notes = tmp_path / "data", tmp_path / "notes"
    slowest = 0.0
    for number in range(KILLS):
        # Some while they are still starting, most in the middle of their work.
        answers = 0 if number % 4 == 3 else 40
        after = random_moments.uniform(0.02, 0.9)
        killed_under_load(directory, notes, str(number), after, answers)
        started = time.monotonic()
        with Platform.open(directory, SMALL) as platform:
            platform.wait()
            slowest = max(slowest, time.monotonic() - started)
            check(platform, Noted(notes))
    noted = Noted(notes)
    assert len(noted.events) > 15 * KILLS
    assert len(noted.messages) > KILLS
    assert slowest < START


def test_killed_while_the_warehouse_is_made_anew_it_starts_over(tmp_path: Path) -> None:
    directory, notes = tmp_path / "data", tmp_path / "notes"
    killed_under_load(directory, notes, "first", 0.8)
    for number, after in enumerate((0.0, 0.05)):
        (directory / "warehouse.duckdb").unlink(missing_ok=True)
        killed_under_load(directory, notes, f"again{number}", after)
    with Platform.open(directory, SMALL) as platform:
        check(platform, Noted(notes))
