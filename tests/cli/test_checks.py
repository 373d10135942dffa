"""The doctor and the rebuilding, from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from user360.access.workspaces import Workspace
from user360.channels import files
from user360.conversations.attachments import path_of
from user360.ingest.doctor import examine
from user360.platform import WAREHOUSE, Platform
from user360.storage.warehouse import Changes


@pytest.fixture
def filled(at: Run, directory: Path) -> Path:
    """Two customers, one event."""
    at("user", "set", "asha", "city=Pune")
    at("event", "send", "Visit", "--user", "ravi")
    return directory


def lose(platform: Platform, workspace: Workspace, number: int) -> None:
    """Take a record out of the warehouse behind everybody's back."""
    warehouse = platform.wait()
    changes = Changes({number}, None, [], [], None)
    warehouse.apply({workspace.id: changes}, platform.projector.position)


def test_all_is_well(at: Run, filled: Path) -> None:
    said = at("doctor")
    assert said.code == 0
    assert said.out.startswith("All is well: 2 records and ")
    told = at("doctor", "--json").json
    assert (told["healthy"], told["records"], told["findings"]) == (True, 2, [])
    assert filled.exists()


def test_what_is_lost_is_found_and_a_rebuild_brings_it_back(at: Run, filled: Path) -> None:
    with Platform.open(filled) as platform:
        with platform.ledger.read() as connection:
            number = connection.exec_driver_sql("SELECT min(id) FROM records").scalar_one()
        lose(platform, platform.default, number)
    said = at("doctor")
    assert said.code == 1
    assert "records are missing from the warehouse" in said.out
    assert "r1" in said.out
    assert "user360 rebuild" in said.err
    assert at("doctor", "--json").json["healthy"] is False

    rebuilt = at("rebuild")
    assert rebuilt.code == 0
    assert rebuilt.out.startswith("Rebuilt: all ")
    assert at("doctor").code == 0


def test_files_that_are_missing_are_told_and_that_no_rebuild_brings_them(
    at: Run, filled: Path
) -> None:
    with Platform.open(filled) as platform:
        kept = files.save(platform, platform.default, "parcel.png", "image/png", b"png")
        path_of(filled, platform.default.id, kept.id).unlink()
    said = at("doctor")
    assert said.code == 1
    assert "files are not in the directory" in said.out
    assert kept.id in said.out
    assert "backup" in said.err
    assert "rebuild" not in said.err


def test_a_warehouse_that_is_gone_is_made(at: Run, filled: Path) -> None:
    (filled / WAREHOUSE).unlink()
    assert at("rebuild", "--json").json["position"] > 0
    assert (filled / WAREHOUSE).exists()
    assert at("segment", "count", "--where", '{"property": "city", "op": "known"}').out == "1\n"


def test_a_directory_that_is_held_or_not_there_is_said(run: Run, directory: Path) -> None:
    with Platform.open(directory):
        held = run("doctor", "--data", str(directory))
    assert held.code == 2
    assert "Another process holds" in held.err
    for command in ("doctor", "rebuild"):
        missing = run(command, "--data", str(directory / "nothing"))
        assert missing.code == 2
        assert "There is no User 360 data in" in missing.err
    assert not (directory / "nothing").exists()


def test_the_doctor_says_how_far_it_is(filled: Path) -> None:
    told: list[tuple[int, int]] = []
    with Platform.open(filled) as platform:
        examine(platform, lambda done, total: told.append((done, total)))
        last = platform.committer.position.last
    assert told
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (last + 2, last + 2), "two records, and the whole log"
