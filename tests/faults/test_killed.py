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

from user360.ingest import doctor
from user360.ingest.call import Call, Event
from user360.platform import Platform
from user360.settings import Settings

DRIVER = Path(__file__).parent / "driver.py"
KILLS = int(os.environ.get("USER360_KILLS", "8"))
SMALL = Settings(warehouse_memory="512MB")
START = 10.0  # seconds that opening again may take on a slow machine


@pytest.fixture(scope="module")
def random_moments() -> random.Random:
    return random.Random(360)


def killed_under_load(directory: Path, notes: Path, seed: str, after: float) -> None:
    arguments = [sys.executable, str(DRIVER), str(directory), str(notes), seed]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        assert driver.stderr is not None
        assert driver.stdout.readline() == b"loading\n"
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
        for line in path.read_text().splitlines():
            self._note(json.loads(line))

    def _note(self, note: dict[str, Any]) -> None:
        if "event" in note:
            self.events.append(note["event"])
        elif "city" in note:
            self.cities[note["user"]] = note["city"]
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
    report = doctor.examine(platform)
    assert report.findings == []
    answer_again(platform, noted)


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
        killed_under_load(directory, notes, str(number), random_moments.uniform(0.02, 0.9))
        started = time.monotonic()
        with Platform.open(directory, SMALL) as platform:
            platform.wait()
            slowest = max(slowest, time.monotonic() - started)
            check(platform, Noted(notes))
    assert len(Noted(notes).events) > 20 * KILLS
    assert slowest < START


def test_killed_while_the_warehouse_is_made_anew_it_starts_over(tmp_path: Path) -> None:
    directory, notes = tmp_path / "data", tmp_path / "notes"
    killed_under_load(directory, notes, "first", 0.8)
    for number, after in enumerate((0.0, 0.05)):
        (directory / "warehouse.duckdb").unlink(missing_ok=True)
        killed_under_load(directory, notes, f"again{number}", after)
    with Platform.open(directory, SMALL) as platform:
        check(platform, Noted(notes))
