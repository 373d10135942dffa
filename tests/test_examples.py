"""The examples of the documentation, run against a real server that holds the demo's data."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

import msgspec
import pytest

from user360 import data
from user360.clock import to_us
from user360.ingest.call import Call, Event
from user360.platform import Platform
from user360.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
KEY = "examples-key"


class Server(msgspec.Struct, frozen=True):
    """A running server, as an example finds it."""

    url: str

    def run(self, *command: str) -> str:
        """Run a command that knows the server by its variables; returns what it printed."""
        environment = {**os.environ, "USER360_URL": self.url, "USER360_KEY": KEY}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shell(self, code: str) -> str:
        """Run a console example against this server, wherever its page says it is."""
        return self.run("bash", "-euc", code.replace("http://127.0.0.1:3600", self.url))

    def python(self, code: str) -> str:
        """Run a Python example, with the key and the address that it leaves open."""
        code = code.replace("http://127.0.0.1:3600", self.url).replace('"KEY"', f'"{KEY}"')
        return self.run(sys.executable, "-c", code)


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def curls(page: str) -> list[str]:
    """The console examples of a page that ask the server something."""
    return [code for code in blocks(page, "console") if code.startswith("curl")]


def calls(workspace: int) -> Iterator[Call]:
    """The customers in India who bought in the last 90 days of the data, and what they bought."""
    people = {c.user_id: c for c in data.customers() if c.country == "IN"}
    bought = [p for p in data.purchases() if p.date >= date(1998, 4, 2) and p.user_id in people]
    for user_id in dict.fromkeys(p.user_id for p in bought):
        traits = msgspec.to_builtins(people[user_id])
        del traits["userId"]
        yield Call(
            workspace=workspace,
            source="csv",
            ref="examples",
            at=to_us(datetime(1997, 1, 1, tzinfo=UTC)),
            message_id=user_id,
            user_id=user_id,
            properties=traits,
        )
    for purchase in bought:
        yield Call(
            workspace=workspace,
            source="csv",
            ref="examples",
            at=to_us(datetime.combine(purchase.date, time(12), UTC)),
            message_id=purchase.event_id,
            user_id=purchase.user_id,
            event=Event(data.EVENT, dict(purchase.properties), purchase.event_id),
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("examples") / "data"
    with Platform.open(directory, Settings(admin_key=KEY, warehouse_memory="512MB")) as platform:
        outcomes = platform.settle(calls(platform.default.id))
        assert not [o.problem for o in outcomes if o.problem is not None]
    command = [sys.executable, "-m", "user360", "serve", "--data", str(directory)]
    process = subprocess.Popen(
        [*command, "--port", "0", "--json"],
        env={**os.environ, "USER360_ADMIN_KEY": KEY},
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        said = msgspec.json.decode(process.stdout.readline())
        yield Server(said["url"])
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_the_tutorial_ends_where_it_says(server: Server) -> None:
    page = "tutorial/first-steps.md"
    text = (DOCS / page).read_text(encoding="utf-8")
    customer, timeline, question = curls(page)
    (purchase,) = blocks(page, "python")

    assert '"Asha"' in server.shell(customer)
    before = msgspec.json.decode(server.shell(timeline))["events"]
    assert len(before) == 2
    assert msgspec.json.decode(server.shell(question))["count"] == 103
    assert "103 people" in text

    for _ in range(2):  # the page asks to send it twice
        server.python(purchase)
        settled = msgspec.json.decode(server.shell(_patiently(question)))
        assert settled["count"] == 104
    assert "104 people" in text
    assert len(msgspec.json.decode(server.shell(timeline))["events"]) == 3


def _patiently(question: str) -> str:
    """The question, asked a second later: the page promises no more."""
    return f"sleep 1\n{question}"


def test_the_guide_to_the_python_sdk_runs(server: Server) -> None:
    for code in blocks("how-to/send-events-python.md", "python"):
        whole = "import segment.analytics as analytics\nanalytics.host = 'http://127.0.0.1:3600'\n"
        server.python(f'{whole}analytics.write_key = "KEY"\n{code}\nanalytics.shutdown()')
    ana = server.shell(
        'curl -s -H "x-api-key: $USER360_KEY" $USER360_URL/api/v1/users/ana@example.com'
    )
    record = msgspec.json.decode(ana)
    assert record["properties"]["firstName"] == "Ana"
    seen = server.shell(
        'sleep 1; curl -s -H "x-api-key: $USER360_KEY"'
        " $USER360_URL/api/v1/users/ana@example.com/events?name=Purchase"
    )
    assert len(msgspec.json.decode(seen)["events"]) == 2


def test_the_guide_to_identifiers_runs(server: Server) -> None:
    choose, capture = curls("how-to/choose-the-identifier.md")
    assert msgspec.json.decode(server.shell(choose))["identifier"] == "phone"
    try:
        captured = msgspec.json.decode(server.shell(capture))
        assert captured["record"]["userId"] == "+493023125017"
    finally:
        server.shell(choose.replace('"phone"', '"userId"'))


def test_the_guide_to_backups_runs(server: Server, tmp_path: Path) -> None:
    """A copy made while the platform runs opens elsewhere with everything in it."""
    (code,) = blocks("how-to/back-up.md", "python")
    with Platform.temporary() as platform:
        call = next(calls(platform.default.id))
        platform.settle([call])
        copy = tmp_path / "ledger.db"
        made = code.replace("DIR", str(platform.directory)).replace("user360-backup.db", str(copy))
        server.run(sys.executable, "-c", made)
    with Platform.open(tmp_path) as restored:
        assert restored.wait().position() == restored.committer.position.last > 0
