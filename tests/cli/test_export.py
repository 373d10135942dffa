"""People and events into files from the command line."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Server
from tests.exports.world import call, write
from user360.cli import api
from user360.conversations.talk import Said
from user360.ingest.call import Session
from user360.platform import Platform

PUNE = '{"property": "city", "op": "is", "values": ["Pune"]}'
LINES = "userId,city\nasha,Pune\nravi,Pune\nmeera,Delhi\n"
PEOPLE = {"asha": "Pune", "ravi": "Pune", "meera": "Delhi"}
COLUMNS = ("--columns", "userId, city")


@pytest.fixture
def people(at: Run, directory: Path) -> Run:
    with Platform.open(directory) as platform:
        write(
            platform,
            platform.default,
            [{"userId": name, "city": city} for name, city in PEOPLE.items()],
        )
    return at


def test_everybody_goes_into_a_file(people: Run, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    told = people("export", str(file), *COLUMNS)
    assert told.code == 0, told.err
    assert "3 people" in told.out
    assert file.read_text() == LINES
    assert [each.name for each in tmp_path.iterdir() if "people" in each.name] == ["people.csv"]


def test_the_name_of_the_file_says_its_kind(people: Run, tmp_path: Path) -> None:
    for name, first in (("a.xlsx", b"PK"), ("a.parquet", b"PAR1"), ("a.ndjson", b'{"userId"')):
        told = people("export", str(tmp_path / name), "--json")
        assert told.json["rows"] == 3
        assert (tmp_path / name).read_bytes().startswith(first)
    packed = tmp_path / "a.jsonl.gz"
    assert people("export", str(packed)).code == 0
    assert len(gzip.decompress(packed.read_bytes()).splitlines()) == 3


def test_some_can_be_chosen(people: Run) -> None:
    people("segment", "create", "In Pune", "--where", PUNE)
    for chosen in (("--where", PUNE), ("--segment", "in pune"), ("--segment", "1")):
        assert people("export", "-", *COLUMNS, *chosen).out == "userId,city\nasha,Pune\nravi,Pune\n"
    assert people("export", "-", *COLUMNS, "--search", "meera").out == "userId,city\nmeera,Delhi\n"


def test_standard_output_holds_the_file_alone(people: Run) -> None:
    told = people("export", "-", *COLUMNS)
    assert (told.code, told.out) == (0, LINES)
    assert "3 people" in told.err


def test_events_go_into_a_file(people: Run) -> None:
    sent = ("event", "send", "Order Completed", "--user", "asha", "--properties", '{"amount": 5}')
    assert people(*sent).code == 0
    told = people("export", "-", "--events", "--format", "jsonl", "--name", "Order Completed")
    (event,) = [json.loads(line) for line in told.out.splitlines()]
    assert (event["userId"], event["properties"]) == ("asha", {"amount": 5})
    none = people("export", "-", "--events", "--to", "2001-01-01", "--format", "jsonl")
    assert (none.code, none.out) == (0, "")


def test_what_was_said_goes_into_a_file(people: Run, directory: Path) -> None:
    with Platform.open(directory) as platform:
        said = Said(sender="customer", text="Hello")
        platform.settle([call(platform, platform.default, session=Session("web", "s"), said=said)])
    chosen = ("--what", "messages", "--columns", "id,from,text")
    assert people("export", "-", *chosen).out == "id,from,text\nm1,customer,Hello\n"
    told = people(
        "export", "-", "--what", "conversations", "--columns", "id", "--from", "2100-01-01"
    )
    assert told.out == "id\n"
    refused = people("export", "-", "--events", "--what", "messages")
    assert refused.code == 2
    assert "cannot go together" in refused.err


def test_a_file_comes_in_pieces(
    people: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "PIECE", 7)
    assert people("export", str(tmp_path / "people.csv"), *COLUMNS).code == 0
    assert (tmp_path / "people.csv").read_text() == LINES


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("people.pdf", "--format", "pdf"), "format"),
        (("people.csv", "--columns", "userId,shoe"), "columns.1"),
        (("people.csv", "--segment", "Nobody"), "no segment Nobody"),
        (("people.csv", "--where", "{"), "not JSON"),
        (("nowhere/people.csv",), "no directory"),
        ((".",), "is a directory"),
        (("people.csv", "--from", "2026-01-01"), "goes with events"),
    ],
)
def test_what_cannot_be_done_leaves_no_file(
    people: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    reason: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    told = people("export", *words)
    assert told.code == 2
    assert reason in told.err
    assert sorted(tmp_path.iterdir()) == before


def test_nothing_is_left_in_the_data_directory(people: Run, directory: Path) -> None:
    assert people("export", "-", *COLUMNS).code == 0
    assert list((directory / "files").glob("*/*")) == []


def test_a_server_is_asked_the_same(
    people: Run, run: Run, start: Callable[..., Server], directory: Path, tmp_path: Path
) -> None:
    assert people("user", "get", "asha").code == 0
    server = start(directory, "--port", "0", "--json", USER360_ADMIN_KEY="u3_fixed-for-this-test")
    url = server.ready()["url"]
    where = ("--url", url, "--key", "u3_fixed-for-this-test")
    file = tmp_path / "people.csv"
    told = run("export", str(file), *COLUMNS, *where)
    assert told.code == 0, told.err
    assert file.read_text() == LINES


def test_a_reader_that_stops_reading_is_no_defect(people: Run, directory: Path) -> None:
    assert people("user", "get", "asha").code == 0
    command = [sys.executable, "-m", "user360", "export", "-", "--data", str(directory)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
        code = process.wait(60)
    assert code == 2
    assert "Traceback" not in said
