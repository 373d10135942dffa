"""The demo from the command line: what it says, and that it is itself again the next time."""

from __future__ import annotations

import functools
import json
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Said
from user360 import data, demo, serve
from user360.cli import demo as command
from user360.platform import Platform

Demo = Callable[..., Said]


@pytest.fixture
def show(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Demo:
    """Runs the demo with a few customers, until it would serve."""

    def ready(_platform: Platform, _held: socket.socket, ready: Callable[[], None]) -> None:
        ready()

    monkeypatch.setattr(serve, "run", ready)
    monkeypatch.setattr(demo, "load", functools.partial(demo.load, limit=50))
    return functools.partial(run, "demo", "--data", str(tmp_path / "demo"))


def test_it_shows_a_key_the_address_and_what_to_try(show: Demo, tmp_path: Path) -> None:
    said = show("--port", "0", "--host", "0.0.0.0")
    assert said.code == 0
    key = (tmp_path / "demo" / demo.KEY).read_text()
    assert said.out.startswith(f"Serving {tmp_path / 'demo'} at ")
    assert f"The admin key of the demo, for programs: {key}\n" in said.out
    password = (tmp_path / "demo" / demo.PASSWORD).read_text()
    assert f"sign in as demo@example.com with the password {password}." in said.out
    url = said.out.partition(" at ")[2].partition(" ")[0]
    assert url.startswith("http://127.0.0.1:")
    assert all(f"  {line}\n" in said.out for line in demo.sdk_lines(key, url))
    assert f'segment count "Loyal in India" --url {url} --key {key}\n' in said.out
    assert said.err == f"Loading {data.CUSTOMERS:,} customers and {data.PURCHASES:,} purchases\n"


def test_it_is_itself_again_until_it_is_reset(show: Demo) -> None:
    keys = [json.loads(show("--port", "0", "--json").out)["key"] for _ in range(2)]
    assert keys[0] == keys[1]
    assert json.loads(show("--port", "0", "--json", "--reset").out)["key"] not in keys
    chosen = show("--port", "0", "--json", USER360_ADMIN_KEY="u3_chosen")
    assert json.loads(chosen.out)["key"] == "u3_chosen"


def test_data_that_is_not_the_demos_is_left_alone(run: Run, directory: Path) -> None:
    for more in ("--json", "--reset"):
        said = run("demo", "--data", str(directory), "--port", "0", more)
        assert said.code == 2
        assert "choose another --data" in said.err


@pytest.mark.parametrize(
    ("found", "called", "written"),
    [
        ("/usr/bin/user360", "anything", "user360"),
        (None, ".venv/bin/user360", ".venv/bin/user360"),
        (None, "/a/user360/__main__.py", f"{sys.executable} -m user360"),
    ],
)
def test_commands_are_shown_as_they_can_be_typed(
    monkeypatch: pytest.MonkeyPatch, found: str | None, called: str, written: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: found)
    monkeypatch.setattr(sys, "argv", [called])
    assert command.program() == written
