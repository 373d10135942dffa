"""Imports as jobs: asked for with a file that has come in, done in turn, taken back whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from user360 import ids
from user360.access import audit
from user360.access.workspaces import Workspace
from user360.errors import Conflict, Invalid, Problem
from user360.imports import options, plan, preview, suggest
from user360.imports import store as kept
from user360.imports.files import Dialect, Opened, open_file
from user360.imports.options import Options
from user360.imports.preview import Preview
from user360.jobs import files, store
from user360.jobs.job import Job
from user360.jobs.work import Work
from user360.platform import Platform
from user360.storage.ledger import Connection

IMPORT, UNDO = "import", "import-undo"
UPLOAD = "upload"  # the name of every file that has come in: the sender's own is for showing


def register(platform: Platform) -> None:
    """Say what the jobs of imports do."""
    platform.jobs.register(IMPORT, "in", run, keeps=False)
    platform.jobs.register(UNDO, "in", undo_run, keeps=False)


def run(work: Work) -> Any:
    """Import the file of a job, or find out what that would do."""
    from user360.imports import engine

    wanted = options.read(work.job.params["options"])
    dialect = msgspec.convert(work.job.params.get("dialect", {}), Dialect)
    opened = open_file(work.directory / UPLOAD, work.job.params["file"], dialect=dialect)
    do = engine.dry_run if wanted.dry_run else engine.run
    return msgspec.to_builtins(do(work, opened, wanted))


def undo_run(work: Work) -> Any:
    """Take an import back; it is `undone` with the end of it."""
    from user360.imports import undo as undoing

    imported = work.platform.jobs.find(work.job.workspace, str(work.job.params["import"]))
    if imported.status == "undone":  # the process died just then
        return work.progress
    result = msgspec.to_builtins(undoing.run(work, imported))
    work.write(lambda c: store.change_status(c, imported.id, "undone"))
    return result


def upload_path(platform: Platform, job_id: str) -> Path:
    """Where the file of an import that is to be asked for is written."""
    return files.directory(platform.directory, job_id) / UPLOAD


def ask(
    platform: Platform,
    workspace: Workspace,
    actor: str,
    job_id: str,
    name: str,
    wanted: Options,
    dialect: Dialect | None = None,
) -> Job:
    """Queue the import of the file that was written to `upload_path`.

    `dialect` settles what would be found out from the file. Raises `Invalid` when the file cannot
    be read or does not have what the options name.
    """
    opened = open_file(upload_path(platform, job_id), name, dialect=dialect, whole=False)
    if opened.format != "jsonl":  # there a column may appear in any line
        check(platform, workspace, opened, wanted)
    params = {
        "file": name,
        "size": opened.size,
        "format": opened.format,
        "headers": list(opened.headers),
        "options": msgspec.to_builtins(wanted),
    }
    if dialect is not None:
        params["dialect"] = msgspec.to_builtins(dialect)

    def noted(connection: Connection) -> None:
        where = (connection, workspace.id, platform.now(), actor)
        told: dict[str, Any] = {"onConflict": wanted.on_conflict, "dryRun": wanted.dry_run}
        audit.note(*where, "import.ask", f"job:{job_id}", size=opened.size, **told)

    return platform.jobs.ask(workspace.id, IMPORT, params, actor, job_id, noted)


def check(platform: Platform, workspace: Workspace, opened: Opened, wanted: Options) -> None:
    """Raises `Invalid` naming every option that does not go with the file."""
    found = suggest.suggest(opened, workspace.catalogue, remembered(platform, workspace))
    try:
        given = (wanted, opened.headers, found, workspace.catalogue, platform.clock.now())
        plan.make(*given, workspace.zone)
    except Problem as problem:
        raise problem.under("options") from problem


def look(
    platform: Platform,
    workspace: Workspace,
    job_id: str,
    name: str,
    dialect: Dialect | None = None,
) -> Preview:
    """What is in the file that was written to `upload_path`. Raises `Invalid`."""
    used = remembered(platform, workspace)
    return preview.preview(upload_path(platform, job_id), name, workspace.catalogue, used, dialect)


def remembered(platform: Platform, workspace: Workspace) -> dict[str, str]:
    """The property that each heading was last imported as."""
    with platform.ledger.read() as connection:
        return kept.remembered(connection, workspace.id)


def undo(platform: Platform, workspace: Workspace, actor: str, job_id: str) -> Job:
    """Queue taking an import back; the job that does it. Raises `NotFound`, `Conflict`."""
    find(platform, workspace, job_id)
    new = ids.new_id()

    def noted(connection: Connection) -> None:
        job = store.one(connection, job_id)
        assert job is not None
        refuse_undo(job)
        last = store.one(connection, job.progress.get("undo", ""))
        if last is not None and not last.finished:
            raise Conflict("The import is being undone already")
        store.save_progress(connection, job_id, {**job.progress, "undo": new})
        where = (connection, workspace.id, platform.now(), actor)
        audit.note(*where, "import.undo", f"job:{job_id}")

    return platform.jobs.ask(workspace.id, UNDO, {"import": job_id}, actor, new, noted)


def refuse_undo(job: Job) -> None:
    """Raises `Conflict` for an import of which there is nothing to take back, or not yet."""
    if not job.finished:
        raise Conflict(f"The import is {job.status}; cancel it first, or wait until it has ended")
    if job.status == "undone":
        raise Conflict("The import is undone already")
    if job.params["options"].get("dryRun"):
        raise Conflict("A dry run changes nothing that could be undone")


def find(platform: Platform, workspace: Workspace, job_id: str) -> Job:
    """An import of a workspace as it is now. Raises `NotFound`."""
    return platform.jobs.find(workspace.id, job_id, [IMPORT])


def read_options(raw: bytes) -> Options:
    """The options of a form; none are the usual ones. Raises `Invalid` by path."""
    try:
        given = msgspec.json.decode(raw) if raw.strip() else {}
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Invalid.at("options", "options must be a JSON object") from error
    try:
        return options.read(given)
    except Problem as problem:
        raise problem.under("options") from problem
