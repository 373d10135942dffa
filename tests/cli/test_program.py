"""The program as a whole: its help, its speed, its ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

import user360
from tests.cli.conftest import Run
from user360 import cli

HEAVY = {"duckdb", "pyarrow", "sqlalchemy", "litestar", "uvicorn", "httpx", "phonenumbers"}


def programs(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, below in command.commands.items():
        if hasattr(below, "commands"):
            yield from programs(below, (*words, name))
        else:
            yield (*words, name), below


COMMANDS = list(programs(typer.main.get_command(cli.commands())))
each_command = pytest.mark.parametrize(("words", "command"), COMMANDS, ids=lambda w: str(w)[:40])


@each_command
def test_every_command_explains_itself_with_an_example(
    words: tuple[str, ...], command: Any
) -> None:
    told = command.help or ""
    assert told.splitlines()[0].endswith(".")
    assert f"user360 {' '.join(words)}" in told.partition("Examples:")[2]
    assert all(p.help for p in command.params if p.name not in ("help", "context"))


@each_command
def test_every_command_answers_in_json_too(words: tuple[str, ...], command: Any) -> None:
    options = {option for p in command.params for option in p.opts}
    assert "--json" in options or words == ("bench",), "the benchmarks have options of their own"


def test_help_does_not_wait_for_what_it_does_not_need() -> None:
    code = "import sys; from user360 import cli; cli.commands(); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert HEAVY & set(loaded) == set()


def test_it_says_its_version(run: Run) -> None:
    assert run("--version").out == f"user360 {user360.__version__}\n"


def test_a_command_that_is_not_there_is_refused(run: Run) -> None:
    for words in (["segmnt"], ["segment", "why"], ["user", "get"], ["serve", "--port", "70000"]):
        said = run(*words)
        assert (said.code, said.out) == (2, "")


def test_a_problem_leaves_nothing_behind_but_its_line(directory: Path) -> None:
    """Nor the engine's complaint about connections that were never let go."""
    words = ["user", "get", "nobody", "--data", str(directory)]
    program = [sys.executable, "-m", "user360"]
    said = subprocess.run([*program, *words], capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert said.stderr == "Error: There is no user with this userId\n"


def test_completion_knows_the_commands(tmp_path: Path) -> None:
    environment = {
        "_USER360_COMPLETE": "complete_bash",
        "COMP_WORDS": "user360 segment c",
        "COMP_CWORD": "2",
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
    }
    said = subprocess.run(
        [sys.executable, "-m", "user360"], env=environment, capture_output=True, text=True
    )
    assert {"create", "count"} <= set(said.stdout.split())


def test_the_benchmarks_run_where_the_source_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "user360", "bench"], capture_output=True, text=True, check=True
    )
    assert "floors" in said.stdout
    monkeypatch.setattr(user360, "__file__", "/somewhere/lib/user360/__init__.py")
    elsewhere = run("bench")
    assert elsewhere.code == 2
    assert "make bench" in elsewhere.err
