"""The guide to importing a file, done as it says: from the command line and over HTTP."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import KEY, Run, Said, Server
from tests.cli.test_guides import parts

PAGE = "import-a-file.md"
ID = "9f2c4e6a8b0d1c3e5f7a9b0c2d4e6f80"
TEXT = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / PAGE).read_text("utf-8")


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file,) = re.findall(r"^```csv\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    (tmp_path / "people.csv").write_text(file)
    monkeypatch.chdir(tmp_path)


def commands(heading: str) -> list[list[str]]:
    (found,) = [part.commands for part in parts(PAGE) if part.heading == heading]
    return found


@pytest.mark.usefixtures("people")
def test_the_guide_runs_from_the_command_line(at: Run, tmp_path: Path) -> None:
    (look,) = commands("Look first")
    shown = at(*look)
    assert shown.code == 0
    for words in ("firstName", "phone (near)", "Plan (new property)"):
        assert words in shown.out
        assert words in TEXT

    (begin,) = commands("Import it")
    said = at(*begin)
    assert said.code == 1, said.err
    assert said.out.splitlines()[:2] == ["3 rows: 2 new, 1 failed", "New properties: Plan"]
    assert "\n".join(said.out.splitlines()[:2]) in TEXT
    done = re.findall(r"Import (\w{32})", said.out)[0]

    listed, report, rows = commands("Mend what failed")
    assert done in at(*listed).out
    for words in (report, rows):
        assert at(*(word.replace(ID, done) for word in words)).code == 0
    assert (tmp_path / "report.xlsx").stat().st_size > 0
    assert "9.19E+11" in (tmp_path / "mend.csv").read_text()

    (undo,) = commands("Take it back")
    assert at(*(word.replace(ID, done) for word in undo)).out.startswith("Undone\n2 new records go")
    assert at("user", "get", "asha@example.com").code == 2


@pytest.mark.usefixtures("people")
def test_the_guide_runs_over_http(tmp_path: Path, start: Callable[..., Server]) -> None:
    server = start(tmp_path / "data", "--port", "0", "--json", USER360_ADMIN_KEY=KEY)
    url = server.ready()["url"]
    begin, ask = re.findall(r"^```console\n(curl .*?)\n```$", TEXT, re.MULTILINE | re.DOTALL)

    def curl(command: str) -> dict[str, object]:
        environment = {**os.environ, "USER360_KEY": KEY}
        shell = ["bash", "-euc", command.replace("http://127.0.0.1:3600", url)]
        done = subprocess.run(
            shell, env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        told: dict[str, object] = json.loads(done.stdout)
        return told

    begun = curl(begin)
    told = begun
    while told["status"] in ("queued", "running"):
        told = curl(ask.replace(ID, str(begun["id"])))
    assert (told["status"], told["new"], told["failed"]) == ("completed", 2, 1)
    ended: Said = server.stop()
    assert ended.code == 0
