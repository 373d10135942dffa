"""Deleting and tagging many people as jobs: whom is settled when it is asked, done by the piece.

The numbers of the records stand in a file of the job. A piece is settled like any other calls, and
what it came to is kept after it: begun again after a restart, the piece that was being done is done
once more, which changes nothing.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from user360 import ids
from user360.access import audit
from user360.access.workspaces import Workspace
from user360.errors import StorageFailed
from user360.identity import store as identity_store
from user360.ingest.call import Call, Verb
from user360.jobs import files
from user360.jobs.job import Job
from user360.jobs.work import Work
from user360.platform import Platform
from user360.storage.ledger import Connection

DELETE, TAG = "users-delete", "users-tag"
KINDS = (DELETE, TAG)
# Up to so many are done while one waits for the answer.
AT_ONCE = 10_000
PIECE = 1_000
WHOM = "records"  # the name of the file


class Deed(msgspec.Struct, frozen=True):
    """What is done with everybody; `source` is the door it was asked at."""

    source: str
    add: list[str] = []
    remove: list[str] = []


class Done(msgspec.Struct):
    """How far a job is: `done` of `total` had their turn; with `changed` it was done, `left` were
    gone by then, or merged into somebody who was not chosen.
    """

    total: int
    done: int = 0
    changed: int = 0
    left: int = 0


def register(platform: Platform) -> None:
    """Let a platform do these jobs."""
    for kind in KINDS:
        platform.jobs.register(kind, "in", run, keeps=False)


def ask(
    platform: Platform,
    workspace: Workspace,
    actor: str,
    kind: str,
    numbers: Sequence[int],
    deed: Deed,
) -> Job:
    """Queue a job for these records. Raises `StorageFailed` when they cannot be written down."""
    job_id = ids.new_id()

    def noted(connection: Connection) -> None:
        where = (connection, workspace.id, platform.now(), actor)
        action = kind.replace("-", ".")
        audit.note(*where, action, "condition", job=job_id, total=len(numbers))

    try:
        _write(platform, job_id, numbers)
        params = {**msgspec.to_builtins(deed), "total": len(numbers)}
        return platform.jobs.ask(workspace.id, kind, params, actor, job_id, noted)
    except BaseException:
        files.remove(platform.directory, job_id)
        raise


def run(work: Work) -> dict[str, Any]:
    """Do to everybody what was asked; what it came to."""
    deed = msgspec.convert(work.job.params, Deed)
    numbers = _read(work)
    kept = {"total": len(numbers), **work.progress}
    done = msgspec.convert(kept, Done)
    again = work.resumed
    for piece in _pieces(numbers, done.done):
        work.check()
        _add(work, deed, piece, done, again)
        work.write(lambda c: work.keep(c, **msgspec.to_builtins(done)))
        again = False
        work.step_aside()
    told: dict[str, Any] = msgspec.to_builtins(done)
    return told


def _pieces(numbers: array[int], start: int) -> Iterator[array[int]]:
    for first in range(start, len(numbers), PIECE):
        yield numbers[first : first + PIECE]


def _add(work: Work, deed: Deed, piece: Sequence[int], done: Done, again: bool) -> None:
    """Do one piece. One that may have been done before counts those who are gone as done with."""
    there = _there(work, piece)
    if work.job.kind == DELETE:
        chosen = [number for number in piece if there.get(number)]
        before = sum(1 for number in piece if number not in there) if again else 0
    else:
        chosen, before = [number for number in piece if number in there], 0
    outcomes = work.settle([_call(work, deed, number) for number in chosen])
    changed = before + sum(1 for outcome in outcomes if outcome.problem is None)
    done.done += len(piece)
    done.changed += changed
    done.left += len(piece) - changed


def _there(work: Work, piece: Sequence[int]) -> dict[int, bool]:
    """Those who were not deleted meanwhile, and whether they were not merged away either."""
    ledger = work.platform.ledger
    with ledger.read() as connection:
        return identity_store.there(connection, ledger.dialect, piece)


def _call(work: Work, deed: Deed, number: int) -> Call:
    job, now = work.job, work.platform.now()
    return Call(
        workspace=job.workspace,
        source=deed.source,
        ref=job.actor,
        at=now,  # a tag written since it was asked is no reason to lose these
        message_id=f"{now:020d}",
        verb=Verb.DELETE if job.kind == DELETE else Verb.WRITE,
        record=number,
        add_tags=tuple(deed.add),
        remove_tags=tuple(deed.remove),
    )


def _write(platform: Platform, job: str, numbers: Sequence[int]) -> None:
    try:
        with (files.directory(platform.directory, job) / WHOM).open("wb") as file:
            array("q", numbers).tofile(file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        reason = f"Whom to change cannot be written down: {error.strerror}"
        raise StorageFailed(reason) from error


def _read(work: Work) -> array[int]:
    numbers = array("q")
    try:
        numbers.frombytes((work.directory / WHOM).read_bytes())
    except OSError as error:
        reason = f"Whom to change cannot be read: {error.strerror}"
        raise StorageFailed(reason) from error
    return numbers


def outcome_of(job: Job) -> Done:
    """How far a job of these is."""
    return msgspec.convert({"total": job.params["total"], **job.progress}, Done)
