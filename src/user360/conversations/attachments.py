"""Files said with messages: kept beside the ledger, under names that nobody can guess.

A file is written whole and on disk before the ledger knows it. What nobody said within a day goes
again, and so does what the ledger knows no more: with a conversation its files are gone.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import msgspec
import structlog

from user360 import ids
from user360.clock import SECOND
from user360.conversations.talk import Attachment
from user360.storage.ledger import Connection, Dialect, array, run, text

log = structlog.get_logger()
FILES = "attachments"  # in the data directory: a directory for each workspace
PART = ".part"
LARGEST = 25 * 1024 * 1024  # bytes
LONGEST_NAME = 200
HOUR = 3_600
DAY = 24 * HOUR
PLAIN = "application/octet-stream"
# What browsers draw and never run.
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
COLUMNS = "id, name, type, size, message_id, created_at"
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,100}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}\Z")
_ID = re.compile(r"[0-9a-f]{32}\Z")


class Kept(msgspec.Struct, frozen=True):
    """A file that is kept; `message` is where it was said, None as long as it was not."""

    id: str
    name: str
    type: str
    size: int
    message: int | None
    created_at: int

    @property
    def attachment(self) -> Attachment:
        """How a message tells it."""
        return Attachment(self.name, self.type, self.size, self.id)


def clean_name(name: str) -> str:
    """A file's name as it can be shown: its last step, without what would move a cursor.

    It names the file to people; no path is ever made of it.
    """
    last = re.split(r"[/\\]", name)[-1]
    return "".join(c for c in last if c.isprintable()).strip()[-LONGEST_NAME:]


def clean_type(given: str) -> str:
    """The media type as it was told, without parameters; the most general one for anything else."""
    kind = given.partition(";")[0].strip().lower()
    return kind if _TYPE.match(kind) else PLAIN


def path_of(data: Path, workspace: int, attachment: str) -> Path:
    """Where a file is. `attachment` is an id that the ledger knows."""
    return data / FILES / str(workspace) / attachment


def begin(data: Path, workspace: int) -> Path:
    """Where a file on its way in is written; `settle` makes it one that is kept."""
    directory = data / FILES / str(workspace)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    return directory / f"{ids.new_id()}{PART}"


def settle(part: Path) -> str:
    """Bring a file that was written whole to disk; its id."""
    _to_disk(part)
    kept = part.with_suffix("")
    part.rename(kept)
    _to_disk(kept.parent)
    return kept.name


def write(data: Path, workspace: int, content: bytes) -> str:
    """Write a file and bring it to disk; its id."""
    part = begin(data, workspace)
    try:
        part.write_bytes(content)
        return settle(part)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def keep(
    connection: Connection, workspace: int, attachment: str, told: Attachment, now: int
) -> Attachment:
    """Let the ledger know a file that is on disk; it is told as it can be shown."""
    name, kind = clean_name(told.name) or "file", clean_type(told.type)
    connection.execute(
        text(
            "INSERT INTO attachments (id, workspace_id, message_id, name, type, size, created_at)"
            " VALUES (:id, :workspace, NULL, :name, :type, :size, :now)"
        ),
        {
            "id": attachment,
            "workspace": workspace,
            "name": name,
            "type": kind,
            "size": told.size,
            "now": now,
        },
    )
    return Attachment(name, kind, told.size, attachment)


def load(
    connection: Connection, dialect: Dialect, workspace: int, numbers: Collection[str]
) -> dict[str, Kept]:
    """Those of these files that the workspace has, by id."""
    query = (
        f"SELECT {COLUMNS} FROM attachments WHERE workspace_id = :workspace"
        f" AND id IN {dialect.values('ids')}"
    )
    rows = run(connection, query, {"workspace": workspace, "ids": array(list(numbers))})
    return {row[0]: Kept(*row) for row in rows}


def of_records(connection: Connection, dialect: Dialect, records: Collection[int]) -> list[Kept]:
    """The files said in the conversations of these records, in the order they were said."""
    columns = ", ".join(f"a.{name}" for name in COLUMNS.split(", "))
    query = (
        f"SELECT {columns} FROM conversations c JOIN messages m ON m.conversation_id = c.id"
        " JOIN attachments a ON a.message_id = m.id"
        f" WHERE c.record_id IN {dialect.values('records')} ORDER BY m.id, a.created_at, a.id"
    )
    return [Kept(*row) for row in run(connection, query, {"records": array(list(records))})]


def all_of(connection: Connection, workspace: int) -> Iterator[list[Kept]]:
    """All files of a workspace that the ledger knows, by their ids, some thousands at a time."""
    query = text(f"SELECT {COLUMNS} FROM attachments WHERE workspace_id = :workspace ORDER BY id")
    rows = connection.execute(query.execution_options(yield_per=10_000), {"workspace": workspace})
    for part in rows.partitions():
        yield [Kept(*row) for row in part]


def remove(data: Path, files: Collection[tuple[int, str]]) -> int:
    """Remove files whose rows are gone; how many there were.

    One that cannot be removed now stays for the sweep, so that it stands against nothing else.
    """
    gone = 0
    for workspace, attachment in files:
        try:
            path_of(data, workspace, attachment).unlink()
            gone += 1
        except FileNotFoundError:
            continue
        except OSError as error:
            log.warning("file not removed", workspace=workspace, reason=error.strerror)
    return gone


def drop_unsaid(connection: Connection, before: int) -> list[tuple[int, str]]:
    """Forget what nobody has said since `before` (microseconds); what was forgotten."""
    rows = connection.execute(
        text(
            "DELETE FROM attachments WHERE message_id IS NULL AND created_at < :before"
            " RETURNING workspace_id, id"
        ),
        {"before": before},
    )
    return [(row[0], row[1]) for row in rows]


def sweep(
    data: Path, known: Callable[[int, set[str]], Collection[str]], now: float | None = None
) -> int:
    """Remove the files that `known` (of a workspace) does not name, once they are an hour old.

    Until then one may be on its way into the ledger; half a file is left for a day. Returns how
    many were removed.
    """
    gone, at = 0, time.time() if now is None else now
    for workspace, names in held(data):
        wanted = known(workspace, {name for name in names if _ID.match(name)})
        for name in names - set(wanted):
            path = path_of(data, workspace, name)
            with contextlib.suppress(FileNotFoundError):
                if stale(path, at):
                    path.unlink()
                    gone += 1
    return gone


def stale(path: Path, at: float) -> bool:
    """Whether a file that the ledger does not know is on its way in no more (seconds)."""
    return at - path.stat().st_mtime > (DAY if path.suffix == PART else HOUR)


def held(data: Path) -> Iterator[tuple[int, set[str]]]:
    """What is in the directories of files: the number of each workspace, the names there."""
    top = data / FILES
    for directory in sorted(top.iterdir()) if top.exists() else ():
        if directory.is_dir() and directory.name.isdigit():
            yield int(directory.name), {each.name for each in directory.iterdir()}


def unsaid_before(now: int) -> int:
    """What was uploaded before this, and was not said, goes (microseconds)."""
    return now - DAY * SECOND
