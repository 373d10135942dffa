"""A data directory, and the command line to work on it."""

from __future__ import annotations

import functools
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import structlog
import typer.main
import typer.testing
from typer.testing import CliRunner

from user360 import cli
from user360.platform import Platform

KEY = "u3_the-key-of-the-tests"
VARIABLES = ("USER360_DATA", "USER360_URL", "USER360_KEY", "USER360_WORKSPACE")


class Said(NamedTuple):
    """What a command said: its exit code, its answer, and what it told the person."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture(scope="session")
def _built_once() -> Iterator[None]:
    """What the runner builds of all commands for each one that is run is built once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", functools.cache(typer.main.get_command))
        yield


@pytest.fixture
def run(_built_once: None) -> Iterator[Run]:
    """Runs a command line in this process, without the variables of whoever tests."""
    program = cli.commands()
    before = list(logging.root.handlers)

    def run(*words: str, said: str | None = None, **variables: str) -> Said:
        environment: dict[str, str | None] = dict.fromkeys(VARIABLES)
        result = CliRunner().invoke(
            program, list(words), input=said, env={**environment, **variables}
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    yield run
    structlog.reset_defaults()
    logging.root.handlers[:] = before


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A new data directory that nobody holds."""
    Platform.open(tmp_path / "data").close()
    return tmp_path / "data"


@pytest.fixture
def at(run: Run, directory: Path) -> Run:
    """Runs a command on the data directory."""

    def at(*words: str, said: str | None = None) -> Said:
        return run(*words, "--data", str(directory), said=said)

    return at


class Server:
    """A server in a process of its own."""

    def __init__(self, data: Path, *options: str, **variables: str) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("USER360_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "user360", "serve", "--data", str(data), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment, "USER360_LOG_LEVEL": "warning", **variables},
        )

    def ready(self) -> dict[str, Any]:
        """What it says of itself when started with --json."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()
        told: dict[str, Any] = json.loads(line)
        return told

    def stop(self, number: int = signal.SIGTERM) -> Said:
        """Tell it to stop; what it said since."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> Said:
        """Wait until it has ended by itself."""
        try:
            out, err = self.process.communicate(timeout=60)
        finally:
            self.process.kill()
        return Said(self.process.returncode, out, err)


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    """Starts servers, which end with the test."""
    servers: list[Server] = []

    def start(data: Path, *options: str, **variables: str) -> Server:
        servers.append(Server(data, *options, **variables))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()
