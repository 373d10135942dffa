"""Killed in the middle of an import, again and again: each row is applied once."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from user360.imports import failures, jobs
from user360.ingest import doctor
from user360.jobs import runner
from user360.platform import Platform
from user360.settings import Settings

DRIVER = Path(__file__).parent / "import_driver.py"
SMALL = Settings()
ROWS, PEOPLE, KILLS = 60_000, 45_000, 6


def people(target: Path) -> Path:
    """A file that names a third of its people twice, and has a bad date now and then."""
    with target.open("w") as file:
        file.write("userId,city,dob\n")
        for row in range(ROWS):
            born = "in May" if row % 1_000 == 7 else f"19{row % 90 + 10}-05-04"
            file.write(f"u{row % PEOPLE},City {row % 9},{born}\n")
    return target


def killed(directory: Path, file: Path, after: float) -> bool:
    """Kill a driver so long after it began; False when it had ended by itself."""
    command = [sys.executable, str(DRIVER), str(directory), str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        assert driver.stderr is not None
        assert driver.stdout.readline() == b"importing\n", driver.stderr.read().decode()
        time.sleep(after)
        under_way = driver.poll() is None
        driver.kill()
        return under_way


def test_an_import_that_is_killed_again_and_again_applies_each_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "MOST_DEATHS", 100)  # as for the driver
    directory, file = tmp_path / "data", people(tmp_path / "people.csv")
    moments = random.Random(360)
    kills = 0
    while kills < KILLS and killed(directory, file, moments.uniform(0.05, 0.7)):
        kills += 1
    assert kills > 0, "it was at work when it was killed at least once"
    with Platform.open(directory, SMALL) as platform:
        jobs.register(platform)
        (job,) = platform.jobs.listed(platform.default.id)
        done = platform.jobs.wait(job.id, 300)
        assert done.status == "completed", done.result
        # Whoever stands twice in the file stands in two bad rows, or in none.
        new, bad = PEOPLE - PEOPLE // 1_000, ROWS // 1_000
        names = ("total", "new", "conflicting", "failed")
        assert [done.result[name] for name in names] == [ROWS, new, ROWS - bad - new, bad]
        users = platform.wait().query("SELECT count(*), count(DISTINCT user_id) FROM w1.records")
        assert users.rows == [(new, new)]
        with platform.ledger.read() as connection:
            lines = [failed.line for failed in failures.read(connection, job.id)]
        assert lines == [row + 2 for row in range(ROWS) if row % 1_000 == 7]
        assert doctor.examine(platform).findings == []
        assert not jobs.upload_path(platform, job.id).exists(), "the file is not kept"
