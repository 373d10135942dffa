"""Backing up, restoring, copying a workspace and answering a person's request, as commands."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.cli.conftest import Run


def test_a_directory_is_backed_up_restored_and_proved(
    at: Run, run: Run, directory: Path, tmp_path: Path
) -> None:
    at("user", "set", "asha", "city=Pune")
    file = tmp_path / "all.tar.zst"
    told = run("backup", str(file), "--data", str(directory), "--json")
    assert told.code == 0, told.err
    assert file.stat().st_mode & 0o77 == 0
    assert run("backup", str(file), "--data", str(directory)).code == 2
    restored = tmp_path / "restored"
    said = run("restore", str(file), "--data", str(restored))
    assert said.code == 0, said.err
    assert "Restored into" in said.out
    assert run("doctor", "--data", str(restored)).code == 0
    assert "Pune" in run("user", "get", "asha", "--data", str(restored)).out
    again = run("restore", str(file), "--data", str(restored))
    assert again.code == 2
    assert "not empty" in again.err


def test_a_restore_erases_again_who_was_erased_since(
    at: Run, run: Run, directory: Path, tmp_path: Path
) -> None:
    at("user", "set", "asha", "city=Pune")
    file, restored = tmp_path / "all.tar.zst", tmp_path / "restored"
    assert run("backup", str(file), "--data", str(directory)).code == 0
    assert "see --erased" in run("restore", str(file), "--data", str(restored)).err
    assert "Pune" in run("user", "get", "asha", "--data", str(restored)).out
    assert at("user", "erase", "asha", "--yes").code == 0
    more = ["--data", str(tmp_path / "again"), "--erased", str(directory)]
    said = run("restore", str(file), *more, "--json")
    assert said.code == 0, said.err
    found = {name: said.json[name] for name in ("erasedAgain", "keptAway", "mergedWithOthers")}
    assert found == {"erasedAgain": 1, "keptAway": 0, "mergedWithOthers": []}
    assert run("user", "get", "asha", "--data", str(tmp_path / "again")).code == 2
    more = ["--data", str(tmp_path / "third"), "--erased", str(tmp_path / "nowhere")]
    said = run("restore", str(file), *more)
    assert said.code == 2
    assert "nowhere" in said.err
    assert not (tmp_path / "third").exists()


def test_half_a_backup_restores_nothing(at: Run, run: Run, directory: Path, tmp_path: Path) -> None:
    at("user", "set", "asha", "city=Pune")
    file = tmp_path / "all.tar.zst"
    run("backup", str(file), "--data", str(directory))
    file.write_bytes(file.read_bytes()[:-3000])
    said = run("restore", str(file), "--data", str(tmp_path / "restored"))
    assert said.code == 2
    assert "damaged or not whole" in said.err
    assert not (tmp_path / "restored").exists()


def test_a_workspace_is_copied(at: Run, run: Run, directory: Path) -> None:
    run("workspace", "create", "acme", "--data", str(directory))
    at("property", "add", "tier", "number")
    said = at("workspace", "copy", "default", "acme")
    assert said.code == 0, said.err
    assert "acme got 1 properties" in said.out
    said = at("workspace", "copy", "default", "nowhere")
    assert said.code == 2
    assert "target" in said.err


def test_a_persons_request_is_answered(at: Run, directory: Path, tmp_path: Path) -> None:
    at("user", "set", "asha@example.com", "city=Pune")
    at("event", "send", "Purchase", "--user", "asha@example.com")
    file = tmp_path / "asha.zip"
    assert at("user", "archive", "asha@example.com", str(file)).code == 0
    with zipfile.ZipFile(file) as archive:
        assert "Purchase" in archive.read("events.csv").decode()
    erased = at("user", "erase", "asha@example.com", "--yes", "--json")
    assert erased.code == 0, erased.err
    told = at("user", "receipt", erased.json["id"], "--json").json
    assert told["removed"]["records"] == 1
    assert at("user", "get", "asha@example.com").code == 2
    refused = at("user", "set", "asha@example.com", "city=Pune")
    assert refused.code == 2
    assert "erased" in refused.err
    assert at("user", "allow", "asha@example.com").code == 0
    assert at("user", "set", "asha@example.com", "city=Pune").code == 0
    assert at("user", "purge").code == 0
    assert directory.exists()
