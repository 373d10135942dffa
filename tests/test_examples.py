"""The examples of the documentation, run against the real demo on a real server."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from user360 import data, demo, demo_inbox
from user360.data import segments
from user360.platform import Platform
from user360.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
WRITTEN = "http://127.0.0.1:3600"  # where the pages say the server is


class Server(msgspec.Struct, frozen=True):
    """A running server, as an example finds it."""

    url: str
    key: str

    def run(self, *command: str) -> str:
        """Run a command that knows the server by its variables; returns what it printed."""
        environment = {
            **os.environ,
            "USER360_URL": self.url,
            "USER360_KEY": self.key,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shell(self, code: str) -> str:
        """Run a console example against this server, wherever its page says it is."""
        return self.run("bash", "-euc", code.replace(WRITTEN, self.url))

    def python(self, code: str) -> str:
        """Run a Python example, with the key and the address of this server put in."""
        code = code.replace(WRITTEN, self.url).replace('"KEY"', f'"{self.key}"')
        return self.run(sys.executable, "-c", code)


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def asking(page: Path) -> list[str]:
    """The console examples of a page that ask the server something."""
    return [code for code in blocks(page, "console") if re.match(r"curl |user360 (?!demo)", code)]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the whole demo in it, its inbox too: a server of it starts at once."""
    directory = tmp_path_factory.mktemp("examples") / "demo"
    key = demo.directory(directory)
    with Platform.open(directory, Settings(admin_key=key)) as platform:
        demo.load(platform, lambda _: None)
        demo_inbox.load(platform, demo.member(platform))
    return directory


@pytest.fixture
def server(loaded: Path, tmp_path: Path) -> Iterator[Server]:
    """The demo, on a directory of its own."""
    directory = tmp_path / "demo"
    shutil.copytree(loaded, directory)
    command = [sys.executable, "-m", "user360", "demo", "--data", str(directory)]
    process = subprocess.Popen([*command, "--port", "0", "--json"], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        said = msgspec.json.decode(process.stdout.readline())
        yield Server(said["url"], said["key"])
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_the_tutorial_ends_where_it_says(server: Server) -> None:
    page = DOCS / "tutorial" / "first-steps.md"
    text = page.read_text(encoding="utf-8")
    customer, timeline, segments, count, question, again = asking(page)
    (purchase,) = blocks(page, "python")

    assert "Asha" in server.shell(customer)
    assert server.shell(timeline).count("Purchase") == 2
    assert "Loyal in India" in server.shell(segments)
    assert server.shell(count).strip() == "103"
    assert msgspec.json.decode(server.shell(question))["count"] == 103
    assert "103 people" in text

    for _ in range(2):  # the page asks to send it twice
        server.python(purchase)
        assert server.shell(f"sleep 1; {again}").strip() == "104"
    assert server.shell(timeline).count("Purchase") == 3
    assert "104 people" in text


def test_the_lines_of_the_readme_make_the_difference(server: Server) -> None:
    readme = ROOT / "README.md"
    (lines,) = blocks(readme, "python")
    assert lines.splitlines() == list(demo.sdk_lines("KEY", WRITTEN))
    (count,) = re.findall(r"^\.venv/bin/(user360 segment count .+)$", readme.read_text(), re.M)
    assert server.shell(count).strip() == "103"
    server.python(lines)
    assert server.shell(f"sleep 1; {count}").strip() == "104"


def test_the_guide_to_reports_runs(server: Server, tmp_path: Path) -> None:
    guide = asking(DOCS / "how-to" / "report-on-the-inbox.md")
    report, behind, _ = [server.shell(f"cd {tmp_path}; {code}") for code in guide[:-1]]
    assert msgspec.json.decode(report)["by"] == "channel"
    assert msgspec.json.decode(behind)["total"] == 0
    table = (tmp_path / "agents.csv").read_text()
    assert table.startswith("key,name,conversations,")
    assert "Wrote agents.csv" in server.shell(f"cd {tmp_path}; {guide[-1]}")
    assert (tmp_path / "agents.csv").read_text().splitlines()[0] == table.splitlines()[0]


def test_the_guide_to_the_inbox_runs(server: Server) -> None:
    search, listed = asking(DOCS / "how-to" / "answer-in-the-inbox.md")
    assert msgspec.json.decode(server.shell(search)) == {"conversations": [], "cursor": None}
    assert "said last" in server.shell(listed)


def test_the_guide_to_exports_runs(server: Server, tmp_path: Path) -> None:
    place = f"cd {tmp_path}"
    everybody, loyal, events, packed, streamed = [
        server.shell(f"{place}; {code}") for code in asking(DOCS / "how-to" / "export-people.md")
    ]
    assert everybody.startswith("people.csv: 23,570 people, ")
    assert loyal.startswith("loyal.xlsx: 103 people, ")
    assert packed == ""
    assert streamed.strip() == "23570"
    purchases = (tmp_path / "purchases.jsonl").read_text(encoding="utf-8").splitlines()
    assert events.startswith(f"purchases.jsonl: {len(purchases):,} events, ")
    assert {msgspec.json.decode(line)["name"] for line in purchases} == {"Purchase"}
    cities = gzip.decompress((tmp_path / "cities.jsonl.gz").read_bytes()).splitlines()
    assert len(cities) == 23_570
    header, *rows = (tmp_path / "people.csv").read_text(encoding="utf-8").splitlines()
    assert header.startswith("userId,firstName,")
    assert len(rows) == 23_570


def test_the_tutorial_and_the_demo_speak_of_the_same_customer() -> None:
    assert data.user_id(111) == demo.NEARLY_LOYAL
    assert demo.NEARLY_LOYAL in (DOCS / "tutorial" / "first-steps.md").read_text(encoding="utf-8")


def test_the_guide_to_the_python_sdk_runs(server: Server) -> None:
    begin = "import segment.analytics as analytics\n"
    begin += f'analytics.write_key, analytics.host = "KEY", "{WRITTEN}"\n'
    for code in blocks(DOCS / "how-to" / "send-events-python.md", "python"):
        server.python(f"{begin}{code}\nanalytics.shutdown()")
    told = msgspec.json.decode(server.shell("user360 user get ana@example.com --json"))
    assert told["properties"]["firstName"] == "Ana"
    seen = server.shell("sleep 1; user360 user events ana@example.com --json")
    names = [event["name"] for event in msgspec.json.decode(seen)["events"]]
    assert names.count("Purchase") == 2
    assert "Product Viewed" in names  # what she did before she was known


def test_the_guide_to_identifiers_runs(server: Server) -> None:
    choose, capture = asking(DOCS / "how-to" / "choose-the-identifier.md")
    assert msgspec.json.decode(server.shell(choose))["settings"]["identifier"] == "phone"
    captured = msgspec.json.decode(server.shell(capture))
    assert captured["record"]["userId"] == "+493023125017"


def test_the_guide_to_merging_runs(server: Server) -> None:
    merge, show, preview, undo = asking(DOCS / "how-to" / "merge-and-undo.md")
    server.shell("user360 user set ana@example.com firstName=Ana")
    session = "$USER360_URL/api/v1/sessions/web/browser-7"
    told = server.shell(
        f'curl -s -X POST {session}/capture -H "x-api-key: $USER360_KEY"'
        """ -H "Content-Type: application/json" -d '{"properties": {"city": "Recife"}}'"""
    )
    record = msgspec.json.decode(told)["record"]["id"]
    server.shell(merge.replace("r1042", record))
    made = msgspec.json.decode(server.shell(show))["merges"]
    assert len(made) == 1
    ana = msgspec.json.decode(server.shell("user360 user get ana@example.com --json"))
    assert ana["properties"]["city"] == "Recife"

    number = str(made[0]["id"])
    server.shell(preview.replace("/17/", f"/{number}/"))
    ana = msgspec.json.decode(server.shell("user360 user get ana@example.com --json"))
    assert ana["properties"]["city"] == "Recife"  # a preview changes nothing
    server.shell(undo.replace("/17/", f"/{number}/"))
    ana = msgspec.json.decode(server.shell("user360 user get ana@example.com --json"))
    assert "city" not in ana["properties"]


def test_the_guide_to_backups_runs(server: Server, tmp_path: Path) -> None:
    """A backup of a running server opens elsewhere with everything in it, and is sound; whoever was
    erased since does not come back with it.
    """
    page = DOCS / "how-to" / "back-up.md"
    backup, fetch, _, restore, doctor, _, without = asking(page)
    place = f"cd {tmp_path}"
    server.shell(f"{place}; {backup.replace('KEY', server.key)}")
    server.shell(f"{place}; {restore}")
    assert "All is well" in server.shell(f"{place}; {doctor}")
    with Platform.open(tmp_path / "restored") as restored:
        assert demo.count(restored, segments.LOYAL) == 103
    server.shell(f"{place}; rm -r user360.tar.zst restored; {fetch.replace('KEY', server.key)}")
    assert "Restored" in server.shell(f"{place}; {restore}")
    server.shell(f"{place}; rm -r restored; cp user360.tar.zst newer.tar.zst")
    without = without.replace("DIR", "newer.tar.zst")
    assert "Erased again: 0" in server.shell(f"{place}; {without}")
    server.shell(f"{place}; rm -r restored newer.tar.zst")
    server.shell(f"{place}; mkdir restored; tar --zstd -xf *.zst -C restored")
    assert (tmp_path / "restored" / "vault.key").stat().st_size == 32


def test_the_guide_to_a_persons_request_runs(server: Server, tmp_path: Path) -> None:
    archive, erase, receipt, purge, allow = asking(DOCS / "how-to" / "answer-a-persons-request.md")
    server.shell("user360 user set ana@example.com city=Recife")
    server.shell(f"cd {tmp_path}; {archive}")
    with zipfile.ZipFile(tmp_path / "ana.zip") as found:
        assert "Recife" in found.read("properties.csv").decode()
    told = msgspec.json.decode(server.shell(f"{erase.strip()} --json"))
    job = server.shell(purge)
    assert "writes the files anew" in job
    assert "Erased" in server.shell(receipt.replace("ID", told["id"]))
    with pytest.raises(AssertionError, match="erased"):
        server.shell("user360 user set ana@example.com city=Recife")
    server.shell(allow)
    server.shell("user360 user set ana@example.com city=Recife")


def test_the_guide_to_copying_a_workspace_runs(loaded: Path, tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    shutil.copytree(loaded, directory)
    create, copy = asking(DOCS / "how-to" / "copy-a-workspace.md")
    nobody = Server("", "")
    nobody.shell(create.replace("DIR", str(directory)))
    told = nobody.shell(f"{copy.strip()} --data {directory} --json")
    assert "Loyal in India" in msgspec.json.decode(told)["segments"]
