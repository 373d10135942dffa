"""An import that somebody prepares: the file is here already, what is to be done with it is not.

A draft lies beside its file, in the directory of the job that it may become. What nobody comes back
to is gone after a day, with all files that belong to no job.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil

import msgspec

from user360 import ids
from user360.access.workspaces import Workspace
from user360.errors import Invalid, NotFound
from user360.imports import jobs, preview
from user360.imports.files import Dialect, open_file
from user360.imports.options import Options
from user360.imports.preview import Preview
from user360.jobs import files
from user360.jobs.job import Job
from user360.platform import Platform
from user360.segments.store import STATIC

FILE = "draft.json"
_ID = re.compile(r"[0-9a-f]{32}\Z")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was sent, and how far its import is prepared.

    `options` is None until somebody chose; `trial` is the dry run that was made with them.
    """

    id: str
    workspace: int
    actor: str
    name: str
    size: int
    created_at: int
    dialect: Dialect = Dialect()
    options: Options | None = None
    trial: str = ""


def keep(platform: Platform, draft: Draft) -> Draft:
    """Keep a draft as it is now."""
    directory = files.directory(platform.directory, draft.id)
    written = directory / f"{FILE}.{ids.new_id()}"
    written.write_bytes(msgspec.json.encode(draft))
    os.replace(written, directory / FILE)
    return draft


def find(platform: Platform, workspace: Workspace, draft_id: str) -> Draft:
    """A draft of a workspace. Raises `NotFound`, also when it was imported or is a day old."""
    if _ID.match(draft_id):
        path = files.path(platform.directory, draft_id) / FILE
        with contextlib.suppress(OSError):
            found = msgspec.json.decode(path.read_bytes(), type=Draft)
            if found.workspace == workspace.id:
                return found
    raise NotFound("This upload is no more: files nobody imports are removed after a day")


def all_of(platform: Platform, workspace: Workspace) -> list[Draft]:
    """The drafts of a workspace, the newest first."""
    found: list[Draft] = []
    for path in (platform.directory / files.FILES).glob(f"*/{FILE}"):
        with contextlib.suppress(NotFound):
            found.append(find(platform, workspace, path.parent.name))
    return sorted(found, key=lambda draft: draft.created_at, reverse=True)


def remove(platform: Platform, draft: Draft) -> None:
    """Forget a draft and its file."""
    files.remove(platform.directory, draft.id)


def look(platform: Platform, workspace: Workspace, draft: Draft) -> Preview:
    """What is in the file of a draft. Raises `Invalid`."""
    return jobs.look(platform, workspace, draft.id, draft.name, draft.dialect)


def wanted(draft: Draft, found: Preview) -> Options:
    """What was chosen; before that what is suggested, with new properties for what nobody knows."""
    if draft.options is not None:
        return draft.options
    mapping = {s.column: s.property for s in found.suggestions if s.property is not None}
    named = next((column for column, name in mapping.items() if name == "userId"), None)
    return Options(user_id=named, mapping=mapping, create_properties=True)


def check(platform: Platform, workspace: Workspace, draft: Draft, options: Options) -> None:
    """Raises `Invalid` naming every option that does not go with the file."""
    segments = workspace.segments.values()
    if any(s.name == options.segment and s.kind != STATIC for s in segments):
        message = "A segment of this name has a condition; choose another name"
        raise Invalid.at("options.segment", message)
    path = jobs.upload_path(platform, draft.id)
    opened = open_file(path, draft.name, dialect=draft.dialect, whole=False)
    jobs.check(platform, workspace, opened, options)


def choose(platform: Platform, workspace: Workspace, draft: Draft, options: Options) -> Draft:
    """Keep other options; a dry run with those before says nothing any more. Raises `Invalid`."""
    check(platform, workspace, draft, options)
    trial = draft.trial if options == draft.options else ""
    return keep(platform, msgspec.structs.replace(draft, options=options, trial=trial))


def tell_apart(platform: Platform, workspace: Workspace, draft: Draft, dialect: Dialect) -> Draft:
    """Read the file another way; what was chosen for its columns is gone. Raises `Invalid`."""
    path = jobs.upload_path(platform, draft.id)
    preview.preview(path, draft.name, workspace.catalogue, {}, dialect)
    if dialect == draft.dialect:
        return draft
    changed = msgspec.structs.replace(draft, dialect=dialect, options=None, trial="")
    return keep(platform, changed)


def attempt(platform: Platform, workspace: Workspace, actor: str, draft: Draft) -> Draft:
    """Begin a dry run with the options of a draft, unless there is one. Raises `Invalid`."""
    if draft.trial:
        return draft
    trial = ids.new_id()
    upload, target = (jobs.upload_path(platform, each) for each in (draft.id, trial))
    try:
        os.link(upload, target)
    except OSError:  # a file system without links
        shutil.copyfile(upload, target)
    options = msgspec.structs.replace(draft.options or Options(), dry_run=True)
    try:
        jobs.ask(platform, workspace, actor, trial, draft.name, options, draft.dialect)
    except BaseException:
        files.remove(platform.directory, trial)
        raise
    return keep(platform, msgspec.structs.replace(draft, trial=trial))


def begin(platform: Platform, workspace: Workspace, actor: str, draft: Draft) -> Job:
    """Import the file of a draft, which thereby is none any more. Raises `Invalid`."""
    given = (platform, workspace, actor, draft.id, draft.name, draft.options or Options())
    job = jobs.ask(*given, draft.dialect)
    with contextlib.suppress(OSError):  # the job may have ended, and its files be gone
        (files.path(platform.directory, draft.id) / FILE).unlink()
    return job
