"""One look of a schedule, as a job: what is new in its place is taken and imported, in turn."""

from __future__ import annotations

from typing import Any

from user360 import ids
from user360.access.workspaces import Workspace
from user360.clock import SECOND
from user360.errors import Invalid, Problem, Unavailable
from user360.imports import jobs as imports
from user360.imports import options
from user360.imports.schedules import managing, store
from user360.imports.schedules.places import Found, Reader
from user360.imports.schedules.places.bucket import BucketReader
from user360.imports.schedules.places.folder import FolderReader
from user360.imports.schedules.places.sftp import SftpReader
from user360.imports.schedules.schedule import Entry, Folder, Schedule, Sftp
from user360.jobs import files
from user360.jobs.job import Job
from user360.jobs.work import Work
from user360.platform import Platform
from user360.storage.ledger import Connection

LONGEST_REASON = 500
KEPT = 86_400 * SECOND  # how long the jobs of looks are kept


def register(platform: Platform) -> None:
    """Say what the job of a look does."""
    platform.jobs.register(store.LOOK, "look", run, keeps=False)


def ask(platform: Platform, schedule: Schedule, actor: str, next_at: int | None) -> Job | None:
    """Queue a look and keep when the next is due; None when one is under way already."""
    with platform.ledger.read() as connection:
        under_way = store.looking(connection, schedule.id)

    def beside(connection: Connection) -> None:
        store.set_next(connection, schedule.id, next_at)
        store.forget_looks(connection, platform.clock.now() - KEPT)

    if under_way is not None:
        platform.write(beside)
        return None
    given = {"schedule": schedule.id}
    return platform.jobs.ask(schedule.workspace, store.LOOK, given, actor, beside=beside)


def run(work: Work) -> Any:
    """Look once; how many files there are that fit, and the imports that came of new ones."""
    platform = work.platform
    with platform.ledger.read() as connection:
        schedule = store.one(connection, work.job.params["schedule"])
        if schedule is None:
            return {"found": 0, "imports": []}
        known = store.versions(connection, schedule.id)
    workspace = platform.workspaces[schedule.workspace]
    try:
        place = reader(platform, workspace, schedule)
        found = place.look()
    except (Unavailable, Invalid) as problem:
        _enter(work, schedule, "failed", problem.detail)
        return {"found": 0, "imports": []}
    new = [each for each in found if (each.name, each.version) not in known]
    if not new:
        _nothing(work, schedule, found)
    made = [job for each in new if (job := _taken(work, schedule, place, each)) is not None]
    return {"found": len(found), "imports": made}


def reader(platform: Platform, workspace: Workspace, schedule: Schedule) -> Reader:
    """The place of a schedule, opened. Raises `Unavailable`."""
    place = managing.unsealed(schedule.place, platform.vault)
    if isinstance(place, Folder):
        return FolderReader(place, platform.settings.import_root, workspace.name)
    return SftpReader(place) if isinstance(place, Sftp) else BucketReader(place)


def _taken(work: Work, schedule: Schedule, place: Reader, found: Found) -> str | None:
    """Import a file; the id of the import, or None with the reason in the entries.

    The entry is on disk before the import is asked for, so that neither is lost without the other.
    """
    work.check()
    platform, job = work.platform, ids.new_id()
    now = platform.clock.now()
    told = (schedule.id, now, found.name, found.version, job)
    platform.write(lambda c: store.take(c, *told))
    try:
        place.fetch(found, imports.upload_path(platform, job), work.check)
        wanted = options.read(schedule.options)
        workspace = platform.workspaces[schedule.workspace]
        imports.ask(platform, workspace, _actor(schedule), job, found.name, wanted)
    except (Unavailable, Invalid) as problem:
        files.remove(platform.directory, job)
        _refused(platform, job, problem)
        return None
    except BaseException:
        files.remove(platform.directory, job)
        raise
    return job


def _refused(platform: Platform, job: str, problem: Problem) -> None:
    """What could not be had is tried again at the next look, what is broken when it changes."""
    again = isinstance(problem, Unavailable)
    reason = problem.detail[:LONGEST_REASON]
    platform.write(lambda c: store.refuse(c, job, reason, again))


def _nothing(work: Work, schedule: Schedule, found: list[Found]) -> None:
    pattern = schedule.place.pattern
    if found:
        _enter(work, schedule, "nothing", f"Every file named {pattern} was imported before")
    else:
        _enter(work, schedule, "missing", f"There is no file named {pattern}")


def _enter(work: Work, schedule: Schedule, status: str, reason: str) -> None:
    now = work.platform.clock.now()
    entry = Entry(id=0, at=now, status=status, reason=reason[:LONGEST_REASON])
    work.platform.write(lambda c: store.enter(c, schedule.id, entry))


def _actor(schedule: Schedule) -> str:
    return f"schedule:{schedule.id}"
