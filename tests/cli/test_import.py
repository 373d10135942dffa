"""`user360 import`: a summary that adds up and an exit code that a script can trust."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from user360.cli import import_
from user360.cli.api import Api
from user360.imports import engine
from user360.jobs.work import Work

GOOD = "userId,First Name,Phone No.\nasha,Asha,+919190000001\nravi,Ravi,+919190000002\n"
BAD = "userId,email\nasha,asha@example.com\nravi,nowhere\n\nasha,\n"


@pytest.fixture
def good(tmp_path: Path) -> str:
    (tmp_path / "good.csv").write_text(GOOD)
    return str(tmp_path / "good.csv")


@pytest.fixture
def bad(tmp_path: Path) -> str:
    (tmp_path / "bad.csv").write_text(BAD)
    return str(tmp_path / "bad.csv")


def test_every_row_is_in_and_the_code_is_0(at: Run, good: str) -> None:
    said = at("import", good, "--tag", "fair", "--no-default-tag", "--segment", "Fair")
    assert said.code == 0, said.err
    first, *rest = said.out.splitlines()
    assert first == "2 rows: 2 new"
    assert "Tagged: fair" in rest
    assert "Segment 1: Fair" in rest
    assert json.loads(at("user", "get", "asha", "--json").out)["properties"]["firstName"] == "Asha"


def test_nobody_is_said_to_be_tagged_when_nothing_changed(at: Run, good: str) -> None:
    at("import", good, "--tag", "fair", "--no-default-tag")
    again = at("import", good, "--tag", "fair", "--no-default-tag")
    assert again.out.splitlines()[0] == "2 rows: 2 known"
    assert "Tagged" not in again.out


def test_some_rows_failed_and_the_code_is_1(at: Run, bad: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    said = at("import", bad, "--report", str(report), "--json")
    assert said.code == 1
    told = said.json
    counts = [told[n] for n in ("new", "conflicting", "failed", "empty", "skipped")]
    assert sum(counts) == told["total"]
    assert told["failed"] == 1
    assert f"Written: {report}" in said.err
    assert [row["line"] for row in json.loads(report.read_text())["failed"]] == [3]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--user-id", "Mail"], "options.userId"),
        (["--map", "Mail=email"], "options.mapping.Mail"),
        (["--map", "Mail"], "Mail is not NAME=VALUE"),
        (["--on-conflict", "merge"], "options.onConflict"),
        (["--report", "report.pdf"], "must end in one of .csv, .xlsx, .json"),
        (["--frobnicate"], "No such option"),
    ],
)
def test_what_cannot_be_done_is_said_and_the_code_is_2(
    at: Run, good: str, words: list[str], why: str
) -> None:
    said = at("import", good, *words)
    assert said.code == 2
    assert why in said.err
    assert at("import", "list", "--json").json == {"imports": []}


def test_a_file_that_is_not_there_or_is_none_is_said(at: Run, tmp_path: Path) -> None:
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n")
    for name in ("nowhere.csv", "picture.csv"):
        said = at("import", str(tmp_path / name))
        assert said.code == 2
        assert said.err.startswith("Error: ")


def test_a_mapping_names_what_is_imported(at: Run, good: str) -> None:
    assert at("import", good, "--user-id", "userId", "--map", "First Name=city").code == 0
    asha = at("user", "get", "asha", "--json").json
    assert asha["properties"]["city"] == "Asha"
    assert "phone" not in asha["properties"]


def test_a_preview_shows_what_columns_become_and_changes_nothing(at: Run, good: str) -> None:
    said = at("import", good, "--preview")
    assert said.code == 0
    assert "CSV" in said.out.splitlines()[0]
    assert "firstName" in said.out
    assert at("import", "list", "--json").json == {"imports": []}


def test_of_a_long_file_the_beginning_is_looked_into(
    at: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_, "BEGINNING", 1_000)
    (tmp_path / "long.csv").write_text("userId,city\n" + "abcd,Zürich\n" * 5_000)
    told = at("import", str(tmp_path / "long.csv"), "--preview", "--json").json
    assert 4_500 < told["estimatedRows"] < 5_500
    assert told["size"] == 12 + 13 * 5_000
    assert len(told["rows"]) == 20


def test_on_a_terminal_it_asks_first(at: Run, good: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_, "_somebody_is_there", lambda: True)
    refused = at("import", good, said="n\n")
    assert (refused.code, "Nothing was done" in refused.err) == (2, True)
    assert "firstName" in refused.out
    assert at("import", "list", "--json").json == {"imports": []}
    assert at("import", good, said="y\n").code == 0


def test_ctrl_c_cancels_and_says_what_became_of_it(
    at: Run, good: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "run", until_it_must_end)
    real, calls = import_._ended_by_itself, []

    def pressed(api: Api, job: str) -> dict[str, Any]:
        calls.append(job)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return real(api, job)

    monkeypatch.setattr(import_, "_ended_by_itself", pressed)
    said = at("import", good)
    assert said.code == 2
    assert said.out.startswith("Cancelled; the rows that are in stay\n0 rows")


def until_it_must_end(work: Work, *_: Any) -> Any:
    while not work.cancelled.wait(0.005):
        work.check()
    work.check()


def test_a_dry_run_changes_nothing(at: Run, good: str) -> None:
    said = at("import", good, "--dry-run")
    assert said.out.startswith("2 rows would be: 2 new")
    assert at("user", "get", "asha").code == 2


def test_a_file_with_the_name_of_a_command_can_be_imported(at: Run, tmp_path: Path) -> None:
    (tmp_path / "list").write_text(GOOD)
    assert at("import", "file", str(tmp_path / "list")).code == 0


def test_imports_are_listed_shown_reported_and_taken_back(
    at: Run, bad: str, tmp_path: Path
) -> None:
    done = at("import", bad, "--json").json["id"]
    assert done in at("import", "list").out
    assert at("import", "show", done).code == 0, "to show a failed row is no failure"
    for name in ("report.csv", "report.xlsx", "report.json"):
        assert at("import", "report", done, "--to", str(tmp_path / name)).code == 0
        assert (tmp_path / name).stat().st_size > 0
    mend = tmp_path / "mend.csv"
    assert at("import", "report", done, "--rows", "--to", str(mend)).code == 0
    assert mend.read_text().splitlines() == ["userId,email", "ravi,nowhere"]
    refused = at("import", "undo", done)
    assert (refused.code, "Say --yes" in refused.err) == (2, True)
    assert at("import", "undo", done, "--yes").code == 0
    assert at("user", "get", "asha").code == 2
    assert "Undone" in at("import", "show", done).out
    assert at("import", "cancel", done).code == 2
