"""Removing the traces of erased people: from the log, from texts and rows beside it, from files.

Every phase may be done twice, so that a purge which was killed goes on; the log, which is long,
goes on where it was. One purge serves all who were erased before it began.
"""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from user360 import clock
from user360.conversations import kept
from user360.erasure import beside, cutting, parts, receipts, store
from user360.erasure.receipts import Person
from user360.erasure.texts import Eraser
from user360.errors import Busy, StorageFailed, Unavailable
from user360.exports import jobs as exports
from user360.imports import store as import_store
from user360.jobs import files
from user360.jobs.job import UNFINISHED, Stopped
from user360.jobs.work import Work
from user360.storage.ledger import Connection

log = structlog.get_logger()
# Writers wait while the ledger is written anew, two to six seconds for 100 MB: with more than this
# it is done when somebody asks for it.
AT_ONCE = 32 << 20
PAUSE = 0.5  # seconds
Result = TypeVar("Result")


def run(work: Work) -> dict[str, Any]:
    """The job of an erasure; its result says whether nothing can be found any more."""
    return patiently(work, lambda: _run(work))


def _run(work: Work) -> dict[str, Any]:
    found = _purge(work)
    at_once = work.platform.ledger.size() <= AT_ONCE
    if found and at_once:
        compact(work, found)
    return {"purged": at_once or not found}


def compaction(work: Work) -> dict[str, Any]:
    """The job of a compaction that was asked for: it also cuts out of the log what plain deletions
    left there.
    """
    return patiently(work, lambda: _compaction(work))


def _compaction(work: Work) -> dict[str, Any]:
    found = _purge(work, always=True)
    _remove_uploads(work)
    compact(work, found)
    return {"erasures": len(found)}


def _purge(work: Work, *, always: bool = False) -> list[Person]:
    """Everything but what the engines keep in their files of what was deleted; for whom it was."""
    found = _covered(work)
    if found or always:
        # What the warehouse has not read yet is not cut under it.
        work.platform.projector.wait(work.progress["until"], PAUSE)
        cutting.cut_log(work, found)
    for person in found:
        _clean_beside(work, person)
        _clean_parts(work, person)
        _remove_files(work, person)
    return found


def _covered(work: Work) -> list[Person]:
    """Whom this purge is for: all who had been erased when it first began."""
    with work.platform.ledger.read() as connection:
        found = receipts.people(connection, work.platform.vault)
    if "until" not in work.progress:
        covers = [person.job for person in found]
        last = work.platform.committer.position.last
        begun = {"after": 0, "until": last, "covers": covers}
        work.platform.write(lambda c: work.keep(c, **begun))
    return [person for person in found if person.job in work.progress["covers"]]


def patiently(work: Work, step: Callable[[], Result]) -> Result:
    """Do something, again and again while the stores are not ready.

    Raises `Stopped` and no `Problem`: an erasure is never given up half-way.
    """
    while True:
        if work.stopped.is_set():
            raise Stopped
        try:
            return step()
        except (Busy, StorageFailed, Unavailable) as problem:
            log.info("purge waits", reason=problem.code)
            work.stopped.wait(PAUSE)


def _clean_beside(work: Work, person: Person) -> None:
    """Take their names out of what the ledger holds beside people."""
    workspace = work.platform.workspaces[person.workspace]
    eraser = Eraser(person.names.texts)

    def clean(connection: Connection) -> None:
        change = work.platform.change(connection, workspace, work.job.actor)
        counts = beside.clean(connection, workspace, eraser)
        counts["segments"] += len(beside.clean_segments(change, eraser))
        receipts.removed(connection, person.job, counts)

    work.platform.write(clean)


def _clean_parts(work: Work, person: Person) -> None:
    """Leave them out of what jobs keep of their rows, a part at a time."""
    eraser = Eraser(person.names.texts)
    with work.platform.ledger.read() as connection:
        keys = store.parts(connection, person.workspace)
    for key in keys:
        with work.platform.ledger.read() as connection:
            body = import_store.part(connection, *key)
        if body is None:
            continue
        left, rows = parts.without(key[1], body, person.names.records, eraser)
        if rows:
            work.platform.write(functools.partial(_keep_less, person.job, key, left, rows))


def _keep_less(
    job: str, key: tuple[str, str, int], left: bytes, rows: int, connection: Connection
) -> None:
    import_store.save_part(connection, *key, left)
    receipts.removed(connection, job, Counter(jobRows=rows))


def _remove_files(work: Work, person: Person) -> None:
    """Whatever a job wrote or was given before may hold them, in a form nobody can search.

    An export that was begun before is let finish. Who waits in a queue has read nothing yet.
    """
    while (jobs := _jobs_before(work, person)) and any(
        job.kind == exports.KIND and job.status == "running" for job in jobs
    ):
        if work.stopped.wait(PAUSE):
            raise Stopped
    gone = _removed(work, [job.id for job in jobs if job.status not in UNFINISHED])
    if gone:
        work.platform.write(lambda c: receipts.removed(c, person.job, Counter(files=gone)))


def _jobs_before(work: Work, person: Person) -> list[store.Asked]:
    with work.platform.ledger.read() as connection:
        return store.jobs_before(connection, person.workspace, person.at)


def _removed(work: Work, jobs: list[str]) -> int:
    """Remove the files of these jobs; how many of them had any."""
    directory = work.platform.directory
    held = [job for job in jobs if files.path(directory, job).exists()]
    for job in held:
        files.remove(directory, job)
    return len(held)


def _remove_uploads(work: Work) -> None:
    """Files that were imported since somebody was erased may name them still: their rows failed."""
    now = work.platform.now()
    for workspace in list(work.platform.workspaces.values()):
        if workspace.erased:
            with work.platform.ledger.read() as connection:
                jobs = store.jobs_before(connection, workspace.id, now)
            _removed(
                work, [j.id for j in jobs if j.kind == "import" and j.status not in UNFINISHED]
            )


def compact(work: Work, found: list[Person]) -> None:
    """Have both engines write their files anew, without what was deleted."""
    platform = work.platform
    began = time.perf_counter()
    for step in (
        platform.projector.renew,
        lambda: platform.write(kept.forget_words),
        platform.ledger.vacuum,
    ):
        if work.stopped.is_set():
            raise Stopped
        step()
    while not platform.ledger.empty_log():
        if work.stopped.wait(PAUSE):
            raise Stopped
    work.platform.write(lambda c: _whole(c, platform.now(), found))
    log.info("files written anew", seconds=round(time.perf_counter() - began, 1))


def _whole(connection: Connection, now: int, found: list[Person]) -> None:
    made = store.backups(connection)
    for person in found:
        before = [clock.to_iso(at) for at in made if at <= person.at]
        receipts.whole(connection, person.job, clock.to_iso(now), before)
