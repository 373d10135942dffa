"""Killed at any step of an erasure: afterwards the person is all there, or all gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.erasure import traces
from tests.faults.erasing import MOMENTS, WHO
from user360.erasure import erase, jobs
from user360.ingest import doctor
from user360.ingest.call import Call, Event, Outcome
from user360.platform import Platform
from user360.settings import Settings

DRIVER = Path(__file__).parent / "erasing.py"
SMALL = Settings()
HERS = (WHO, "zelda@zeldamail.org", "Zelda-thing", "Zelda")


def sent(platform: Platform, user: str, words: str, **how: object) -> Outcome:
    at = platform.now()
    call = Call(
        workspace=platform.default.id,
        source="api",
        ref="test",
        at=at,
        message_id=str(at),
        user_id=user,
        **{"event": Event("Bought", {"what": f"{words}-thing"}), **how},  # type: ignore[arg-type] # by name
    )
    (outcome,) = platform.settle([call])
    return outcome


def two_people(directory: Path) -> None:
    with Platform.open(directory, SMALL) as platform:
        for user, words in ((WHO, "Zelda"), ("omar-1", "Omar")):
            email = f"{words.lower()}@{words.lower()}mail.org"
            properties = {"firstName": words, "email": email}
            sent(platform, user, words, properties=properties)
            for _ in range(20):
                sent(platform, user, words)
        platform.wait()


def killed_at(directory: Path, moment: str) -> None:
    arguments = [sys.executable, str(DRIVER), str(directory), moment]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        assert driver.stderr is not None
        # Other lines are what it logs.
        while (line := driver.stdout.readline()) != b"now\n":
            assert line, driver.stderr.read().decode()
        driver.kill()


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_step_an_erasure_is_done_whole_or_was_not_begun(
    tmp_path: Path, moment: str
) -> None:
    directory = tmp_path / "data"
    two_people(directory)
    killed_at(directory, moment)
    with Platform.open(directory, SMALL) as platform:
        jobs.register(platform)
        found = platform.jobs.listed(platform.default.id, [erase.KIND])
        if moment == "deleting":
            assert not found
            assert sent(platform, WHO, "Zelda").problem is None
            return
        refused = sent(platform, WHO, "Zelda").problem
        assert refused is not None
        assert refused.code == "erased"
        platform.jobs.wait(found[0].id, 60)
        receipt = erase.find(platform, platform.default, found[0].id)
        assert receipt["purged"]
        assert receipt["removed"]["events"] == 21
        assert doctor.examine(platform).healthy
    assert traces.found(directory, HERS) == {}
    assert set(traces.found(directory, ["omar-1", "Omar-thing"])) == {"omar-1", "Omar-thing"}
