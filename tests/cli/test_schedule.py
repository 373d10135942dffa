"""Schedules from the command line, as their guide says, and on a server that keeps the time."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.cli.conftest import KEY, Run, Server
from tests.cli.test_guides import parts

PAGE = "schedule-imports.md"
TEXT = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / PAGE).read_text("utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the workspace in the server's."""
    found = tmp_path / "in" / "default"
    (found / "crm").mkdir(parents=True)
    monkeypatch.setenv("USER360_IMPORT_ROOT", str(tmp_path / "in"))
    return found


def test_the_guide_runs(at: Run, folder: Path) -> None:
    told = {part.heading: part.commands for part in parts(PAGE)}
    add, run = told["From a folder of the server"]
    (file,) = re.findall(r"^```csv\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    (folder / "crm" / "userdata_1.csv").write_text(file)
    assert at(*add).code == 0
    ran = at(*run, "--json")
    assert ran.code == 0, ran.err
    (imported,) = ran.json["imports"]
    assert (imported["status"], imported["new"]) == ("completed", 2)
    found = at("user", "get", "asha@example.com", "--json").json["properties"]
    assert (found["email"], found["city"]) == ("asha@example.com", "Pune")
    assert "Every file named" in at(*run).out

    (bucket,) = told["From a bucket"]
    assert at(*bucket).code == 0
    (sftp,) = told["From an SFTP server"]
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    made = at(*(key if word.startswith("ssh-ed25519") else word for word in sftp), "--json")
    assert made.json["secrets"] == ["password"]
    assert made.json["place"]["path"] == "/out"

    (entries,) = told["What came of it"]
    listed = at(*entries, "--json").json["entries"]
    assert [(e["file"], e["status"]) for e in listed] == [
        (None, "nothing"),
        ("userdata_1.csv", "completed"),
    ]
    pause, resume, remove = told["Changing it"]
    assert at(*pause).out == "nightly is paused\n"
    assert at("schedule", "list", "--json").json["schedules"][1]["active"] is False
    assert "next at" in at(*resume).out
    assert "stays" in at(*remove).out
    assert [s["name"] for s in at("schedule", "list", "--json").json["schedules"]] == [
        "bank",
        "shop",
    ]


@pytest.mark.parametrize(
    ("when", "calendar"),
    [
        (found, expected)
        for found, expected in zip(
            re.findall(r"^\| `([^`]+)` \| (?:at|every|as)", TEXT, re.MULTILINE),
            ["once", "daily", "weekly", "monthly", "cron"],
            strict=True,
        )
    ],
)
def test_every_time_of_the_guide_is_understood(at: Run, when: str, calendar: str) -> None:
    later = datetime.now(UTC) + timedelta(days=2)
    when = when.replace("2026-11-30", f"{later:%Y-%m-%d}")
    made = at("schedule", "add", "x", "--from", "folder:", "--when", when, "--json")
    assert made.code == 0, made.err
    assert made.json["calendar"]["repeat"] == calendar
    assert calendar in at("schedule", "show", "x").out


def test_a_bad_file_is_told_by_the_exit_code(at: Run, folder: Path) -> None:
    at("schedule", "add", "x", "--from", "folder:crm", "--when", "daily 09:30", "--user-id", "id")
    failed = at("schedule", "run", "x")
    assert failed.code == 0, "no file is not a failure"
    assert "missing" in failed.out
    (folder / "crm" / "userdata_1.csv").write_text("id,email\nasha,nonsense\n")
    assert at("schedule", "run", "x").code == 1
    (folder / "crm" / "userdata_2.csv").write_bytes(b"%PDF")
    assert at("schedule", "run", "x").code == 2
    gone = at("schedule", "add", "y", "--from", "folder:gone", "--when", "daily 09:30")
    assert gone.code == 0
    assert at("schedule", "run", "y").code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "ftp://x", "--when", "daily 09:30"], "--from must be"),
        (["--from", "sftp://u:p@h/x", "--when", "daily 09:30"], "USER360_SECRET"),
        (["--from", "sftp://u@h:x/x", "--when", "daily 09:30"], "no address"),
        (["--from", "folder:", "--when", "hourly"], "--when must begin"),
        (["--from", "folder:", "--when", "daily"], "calendar.time"),
        (["--from", "folder:", "--when", "daily 09:30", "--options", "[]"], "JSON object"),
        (["--from", "folder:", "--when", "daily 09:30", "--private-key", "/gone"], ""),
        (["--from", "sftp://u@h/", "--when", "daily 09:30", "--private-key", "/gone"], "/gone"),
    ],
)
def test_what_is_wrong_is_said(at: Run, words: list[str], said: str) -> None:
    answer = at("schedule", "add", "x", *words)
    assert (answer.code == 2) is bool(said)
    assert said in answer.err


def test_a_schedule_that_is_not_there_is_told(at: Run) -> None:
    said = at("schedule", "run", "nothing")
    assert said.code == 2
    assert "there are: none" in said.err


def test_a_server_keeps_the_time(
    start: Callable[..., Server], run: Run, tmp_path: Path, folder: Path
) -> None:
    """Made for a moment from now, a schedule imports its file by itself."""
    (folder / "crm" / "userdata_1.csv").write_text("userId,city\nasha,Pune\n")
    server = start(
        tmp_path / "served",
        "--port",
        "0",
        "--json",
        USER360_ADMIN_KEY=KEY,
        USER360_IMPORT_ROOT=str(folder.parent),
    )
    there = {"USER360_URL": server.ready()["url"], "USER360_KEY": KEY}
    for seconds in (1, 4, 16, 64):  # a slow machine may need longer to ask
        soon = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
        words = ["--from", "folder:crm", "--user-id", "userId", "--when", f"once {soon}"]
        added = run("schedule", "add", "soon", *words, **there)
        if "has passed" not in added.err:
            break
    assert added.code == 0, added.err

    def entries() -> Any:
        said = run("schedule", "entries", "soon", "--json", **there)
        return json.loads(said.out)["entries"]

    patience = time.monotonic() + 90
    while [e["status"] for e in entries()] != ["completed"]:
        assert time.monotonic() < patience
        time.sleep(0.1)
    assert run("user", "get", "asha", "--json", **there).json["properties"]["city"] == "Pune"
    ended = server.stop()
    assert (ended.code, ended.err) == (0, "")
