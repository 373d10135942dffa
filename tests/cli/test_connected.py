"""Where a command works: on a directory or through a server, with the same answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.cli.conftest import Run
from tests.serving import served
from user360 import app
from user360.access import keys
from user360.platform import Platform
from user360.settings import Settings
from user360.storage.ledger import Connection

KEY, READER = "u3_admin-of-the-tests", "u3_reader-of-the-tests"


@pytest.fixture
def url(directory: Path) -> Iterator[str]:
    """A server on the directory, in a thread of this process."""
    settings = Settings(admin_key=KEY)
    # What this server logs is not what the commands print.
    with capture_logs(), Platform.open(directory, settings) as platform:

        def make(connection: Connection) -> None:
            where = (connection, platform.default.id)
            keys.create(*where, "reader", "reader", READER, platform.now())
            platform.reload_keys(connection)

        platform.write(make)
        with served(app.create(platform)) as where:
            yield where


def test_a_server_and_a_directory_give_the_same_answers(
    run: Run, url: str, directory: Path
) -> None:
    there = {"USER360_URL": url, "USER360_KEY": KEY}
    assert run("user", "set", "asha", "city=Pune", **there).code == 0
    assert "Another process holds" in run("user", "get", "asha", "--data", str(directory)).err
    where = '{"property": "city", "op": "is", "values": ["Pune"]}'
    made = run("segment", "create", "In Pune", "--where", where, **there)
    assert made.out == "Created segment 1: In Pune, 1 members\n"
    assert run("segment", "count", "in pune", "--url", url, "--key", KEY).out == "1\n"
    assert run("user", "delete", "asha", "--yes", **there).out == "Deleted 1\n"


def test_a_key_that_may_not_or_is_unknown_is_told_so(run: Run, url: str) -> None:
    assert run("user", "set", "asha", "city=Pune", "--url", url, "--key", READER).err.startswith(
        "Error: A key with the role reader may not do this"
    )
    assert "--key or USER360_KEY" in run("segment", "list", "--url", url, "--key", "other").err
    assert "A key is needed" in run("segment", "list", "--url", url).err
    both = run("segment", "list", "--url", url, "--key", KEY, "--workspace", "acme")
    assert "A key belongs to one workspace" in both.err


def test_where_must_be_said_once(run: Run, directory: Path) -> None:
    nowhere = run("segment", "list")
    assert nowhere.code == 2
    for way in ("--data", "--url", "USER360_DATA", "USER360_URL"):
        assert way in nowhere.err
    said = run("segment", "list", "--data", str(directory), "--url", "http://127.0.0.1:1")
    assert "not both" in said.err


def test_what_is_said_counts_before_the_environment(run: Run, directory: Path) -> None:
    elsewhere = {"USER360_URL": "http://127.0.0.1:1", "USER360_KEY": KEY}
    assert run("segment", "list", "--data", str(directory), **elsewhere).code == 0
    both = {**elsewhere, "USER360_DATA": str(directory)}
    assert "No server answers at http://127.0.0.1:1" in run("segment", "list", **both).err
    assert run("segment", "list", USER360_DATA=str(directory)).code == 0


@pytest.mark.parametrize(
    "wrong", ["127.0.0.1:3600", "ftp://127.0.0.1", "http://", "http://localhost:port"]
)
def test_an_address_that_is_none_is_named(run: Run, wrong: str) -> None:
    said = run("segment", "list", "--url", wrong, "--key", KEY)
    assert said.code == 2
    assert f"{wrong} is no address of a server" in said.err
