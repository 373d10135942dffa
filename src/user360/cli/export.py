"""`user360 export`: people, events or what was said into a file."""

from __future__ import annotations

import contextlib
import enum
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from user360.cli import given, output
from user360.cli.api import Api, Refused
from user360.cli.connected import connected
from user360.cli.named import Where, number
from user360.cli.output import Answer
from user360.errors import Fault, Invalid, Problem

FORMATS = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xlsx": "xlsx",
    ".parquet": "parquet",
}
STDOUT = "-"


class What(enum.StrEnum):
    """What a file has as rows."""

    USERS = "users"
    EVENTS = "events"
    CONVERSATIONS = "conversations"
    MESSAGES = "messages"


# How often a server is asked how far it is; at first more often, for most files are small.
FIRST_LOOK, LOOK = 0.05, 0.5
UNFINISHED = ("queued", "running")

Only = Annotated[str | None, typer.Option("--segment", help="Only its members: a name, or an id.")]
Columns = Annotated[
    str | None, typer.Option("--columns", help="In this order, with commas between.")
]
Rows = Annotated[
    What | None,
    typer.Option("--what", help="users, events, conversations or messages of these people."),
]


@connected
def export(
    api: Api,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where to; - is standard output.")],
    kind: Annotated[
        str | None,
        typer.Option("--format", help="csv, jsonl, xlsx or parquet; else as FILE is called."),
    ] = None,
    segment: Only = None,
    where: Where = None,
    search: Annotated[
        str | None, typer.Option("--search", help="Only those whom this text finds.")
    ] = None,
    columns: Columns = None,
    events: Annotated[bool, typer.Option("--events", help="The events of these people.")] = False,
    what: Rows = None,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="Only events of this name.")
    ] = None,
    since: Annotated[str | None, typer.Option("--from", help="Only from this time on.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Only before this time.")] = None,
    gzip: Annotated[bool, typer.Option("--gzip", help="Pack CSV or JSON lines.")] = False,
) -> Answer:
    """Export people, their events, or what they said: CSV, JSON lines, XLSX or Parquet.

    The file shows one moment, and stands under its name only once it is whole. Without --columns
    a file of people has the userId and every property, and can be imported again.

    Examples:

        user360 export people.csv

        user360 export loyal.xlsx --segment "Loyal in India" --columns userId,firstName,email

        user360 export - --format jsonl --events --name Purchase --from 2026-11-01

        user360 export said.csv --what messages --from 2026-11-01
    """
    if file != STDOUT:
        _refuse_place(Path(file))
    body = {
        "what": _what(events, what),
        "format": kind or _format_of(file),
        "gzip": gzip or Path(file).suffix.lower() == ".gz",
        "columns": None if columns is None else [c.strip() for c in columns.split(",")],
        "segment": None if segment is None else int(number(api, segment)),
        "where": None if where is None else given.json(where, "--where"),
        "text": search,
        "names": name or [],
        "from": since,
        "to": until,
    }
    begun = api.post("exports", body=body)["id"]
    try:
        told = _followed(api, begun)
        _taken(api, told, file)
    finally:
        with contextlib.suppress(Problem):  # it expires by itself
            api.delete("exports", begun)
    return _answer(told, file)


def _what(events: bool, what: What | None) -> str:
    """Raises `Invalid` for two answers."""
    if events and what not in (None, What.EVENTS):
        raise Invalid(f"--events and --what {what} cannot go together; leave one out")
    return What.EVENTS if events else what or What.USERS


def _refuse_place(path: Path) -> None:
    """Raises `Invalid` for a place where no file can stand, before anything is done."""
    if path.is_dir():
        raise Invalid(f"{path} is a directory")
    if not path.absolute().parent.is_dir():
        raise Invalid(f"There is no directory {path.absolute().parent}")


def _format_of(file: str) -> str:
    name = file.lower().removesuffix(".gz")
    return FORMATS.get(Path(name).suffix, "csv")


def _followed(api: Api, begun: str) -> dict[str, Any]:
    """The export once it has ended. Raises `Refused` when it failed or was cancelled."""
    from user360.cli import progress

    pause = FIRST_LOOK
    with progress.bar("Exporting") as reached:
        while (told := api.get("exports", begun))["status"] in UNFINISHED:
            if told["total"]:
                reached(told["rows"], told["total"])
            time.sleep(pause)
            pause = min(2 * pause, LOOK)
    if told["file"] is None:
        faults = [Fault(e["path"], e["code"], e["message"]) for e in told["errors"]]
        raise Refused(told["reason"] or f"The export was {told['status']}", faults=faults)
    found: dict[str, Any] = told
    return found


def _taken(api: Api, told: dict[str, Any], file: str) -> None:
    """Write the file of an export. Raises `Invalid` when it cannot be written."""
    from user360.cli import progress

    size, done = told["file"]["bytes"], 0
    try:
        with _target(file) as target, progress.bar("Writing") as reached:
            for piece in api.pieces(size, "exports", told["id"], "file"):
                target.write(piece)
                done += len(piece)
                reached(done, size)
    except BrokenPipeError as error:
        # Nobody reads on, and what is left in the buffer must not be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(2) from error
    except OSError as error:
        raise Invalid(f"{file} cannot be written: {error.strerror}") from error


@contextlib.contextmanager
def _target(file: str) -> Iterator[BinaryIO]:
    """Where the bytes go: a file beside the one that is meant until it is whole."""
    if file == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = Path(f"{file}.part")
    try:
        with part.open("wb") as target:
            yield target
            target.flush()
            os.fsync(target.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _answer(told: dict[str, Any], file: str) -> Answer:
    what = "people" if told["what"] == "users" else told["what"]
    size = told["file"]["bytes"] / 1_000_000
    text = f"{told['rows']:,} {what}, {size:,.1f} MB, as of position {told['position']:,}"
    if file == STDOUT:  # which holds the file, and nothing else
        output.note(text)
        raise typer.Exit
    data = {key: told[key] for key in ("what", "format", "rows", "position", "rowsPerSecond")}
    return Answer({"file": file, "bytes": told["file"]["bytes"], **data}, f"{file}: {text}")
