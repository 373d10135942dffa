"""A server is started, does its work, and ends as it should: seen from outside."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import KEY, Run, Server
from user360 import listen, serve
from user360.access import keys
from user360.errors import Unavailable
from user360.platform import Platform

Start = Callable[..., Server]


def test_the_first_start_shows_a_key_and_the_second_does_not(tmp_path: Path, start: Start) -> None:
    first = start(tmp_path / "new", "--port", "0", "--json")
    told = first.ready()
    assert httpx.get(f"{told['url']}/readyz").json()["status"] == "ready"
    mine = {"x-api-key": told["key"]}
    assert httpx.get(f"{told['url']}/api/v1/workspace", headers=mine).status_code == 200
    said = first.stop()
    assert (said.code, said.out, said.err) == (0, "", "")

    second = start(tmp_path / "new", "--port", "0", USER360_LOG_LEVEL="debug")
    assert second.process.stdout is not None
    line = second.process.stdout.readline()
    assert line.startswith(f"Serving {tmp_path / 'new'} at http://127.0.0.1:")
    where = line.partition(" at ")[2].partition(" ")[0]
    line = second.process.stdout.readline()
    assert line == f"Nobody can sign in yet: make the first member at {where}/welcome\n"
    assert httpx.get(f"{where}/api/v1/workspace", headers=mine).status_code == 200
    said = second.stop(signal.SIGINT)
    assert said.code == 0
    assert said.out == ""
    assert said.err, "at this level the logs say something"
    assert told["key"] not in said.err


def test_what_was_taken_in_is_answered_when_the_end_comes(tmp_path: Path, start: Start) -> None:
    server = start(tmp_path / "new", "--port", "0", "--json", USER360_ADMIN_KEY=KEY)
    told = server.ready()
    assert told["key"] is None, "who chose the key knows it"
    answers = asyncio.run(until_the_end(told["url"], server))
    assert server.ended().code == 0
    assert answers[200] >= 50
    assert answers.keys() <= {200, 429, 503}
    with contextlib.closing(sqlite3.connect(tmp_path / "new" / "ledger.db")) as ledger:
        kept = ledger.execute("SELECT count(*) FROM records").fetchone()[0]
    assert kept == answers[200]


async def until_the_end(url: str, server: Server) -> Counter[int]:
    """Identify from 16 connections at once and tell the server to stop in the middle of it."""
    answers: Counter[int] = Counter()
    async with httpx.AsyncClient(base_url=url, headers={"x-api-key": KEY}, timeout=30) as client:

        async def visitor(number: int) -> None:
            for turn in range(10_000):
                path = f"/api/v1/sessions/web/s{number}-{turn}/identify"
                try:
                    answer = await client.post(path, json={"userId": f"u{number}-{turn}"})
                except httpx.TransportError:
                    return  # it came too late to be taken in
                answers[answer.status_code] += 1

        async def end() -> None:
            while answers[200] < 50:
                await asyncio.sleep(0.01)
            server.process.terminate()

        await asyncio.gather(end(), *(visitor(number) for number in range(16)))
    return answers


@pytest.mark.parametrize("shares", [False, True])
def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path, run: Run, shares: bool) -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=shares) as taken:
        port = taken.getsockname()[1]
        said = run("serve", "--data", str(tmp_path / "new"), "--port", str(port))
    assert said.code == 2
    assert said.err == f"Error: Something else listens at http://127.0.0.1:{port}; choose --port\n"
    assert not (tmp_path / "new").exists()


def test_a_directory_that_is_held_is_said_with_what_to_do(directory: Path, run: Run) -> None:
    with Platform.open(directory):
        said = run("serve", "--data", str(directory), "--port", "0")
    assert said.code == 2
    assert said.err.startswith("Error: Another process holds")
    assert "--url" in said.err
    assert len(said.err.splitlines()) == 1


def test_a_bad_setting_is_named(tmp_path: Path, run: Run) -> None:
    said = run("serve", "--data", str(tmp_path / "new"), USER360_QUEUE_CALLS="many")
    assert said.code == 2
    assert said.err == "Error: USER360_QUEUE_CALLS must be a whole number above zero\n"


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path, run: Run) -> None:
    (tmp_path / "file").write_text("in the way")
    said = run("serve", "--data", str(tmp_path / "file"), "--port", "0")
    assert said.code == 2
    assert f"{tmp_path / 'file'} cannot be made" in said.err
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_is_not_ours_is_named(tmp_path: Path, run: Run, host: str) -> None:
    said = run("serve", "--data", str(tmp_path / "new"), "--host", host, "--port", "3600")
    assert said.code == 2
    assert said.err.startswith(f"Error: Cannot listen at http://{host}:3600: ")


def test_a_key_is_shown_before_anything_can_go_wrong(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise Unavailable("The HTTP server could not go on")

    monkeypatch.setattr(serve, "run", fail)
    said = run("serve", "--data", str(tmp_path / "new"), "--port", "0")
    assert said.code == 2
    key = said.out.strip().rpartition(" ")[2]
    with Platform.open(tmp_path / "new") as platform:
        assert keys.fingerprint(key) in platform.keys


@pytest.mark.parametrize(
    ("host", "listens"),
    [("localhost", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0")],
)
def test_a_name_is_listened_at_by_its_address(host: str, listens: str) -> None:
    with listen.bound(host, 0) as held:
        found, port = listen.address(held)
        assert found == listens
        assert port > 0
        held.listen()
        with pytest.raises(listen.PortTaken):
            listen.bound(host, port)
    with listen.bound(host, port) as held:
        assert listen.address(held) == (listens, port)


def test_an_address_is_written_as_it_is_typed() -> None:
    assert listen.url("127.0.0.1", 3600) == "http://127.0.0.1:3600"
    assert listen.url("::1", 3600) == "http://[::1]:3600"


def test_a_request_that_never_ends_does_not_hold_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "GRACE_SECONDS", 0.05)

    async def story() -> tuple[bool, bool]:
        never = asyncio.Event()

        async def hangs(_scope: object, _receive: object, _send: object) -> None:
            await never.wait()

        under_way = serve.UnderWay(hangs)
        request = asyncio.create_task(under_way({"type": "http"}, None, None))  # type: ignore[arg-type] # neither looks at more
        await asyncio.sleep(0)
        serving = asyncio.create_task(asyncio.wait([request]))
        await under_way.finish(serving)  # type: ignore[arg-type] # any task will do
        return request.cancelled(), serving.done()

    assert asyncio.run(story()) == (True, True)
