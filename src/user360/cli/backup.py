"""`user360 backup` and `user360 restore`: everything as one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from user360.cli import api as places
from user360.cli import connected, output
from user360.cli.connected import AsJson, Data, Key, Url
from user360.cli.output import Answer
from user360.errors import Conflict, Invalid

if TYPE_CHECKING:
    from user360.backup.manifest import Manifest
    from user360.erasure.again import Done

NewFile = Annotated[Path, typer.Argument(metavar="FILE", help="Where to, a new file.")]
TheFile = Annotated[Path, typer.Argument(metavar="FILE", help="What `user360 backup` wrote.")]
Empty = Annotated[
    Path,
    typer.Option("--data", envvar="USER360_DATA", help="A directory that is empty, or not there."),
]
Erased = Annotated[
    list[Path] | None,
    typer.Option(
        "--erased",
        help="A data directory or a newer backup that knows who was erased since; again for more.",
    ),
]


def backup(
    context: typer.Context,
    file: NewFile,
    data: Data = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Back up all workspaces into one file, while a server goes on or of a directory by itself.

    Of a server it takes an admin key of the default workspace. The file holds everything, the key
    of the vault too: keep it as safe as the directory.

    Examples:

        user360 backup user360.tar.zst --data data

        user360 backup user360.tar.zst --url http://127.0.0.1:3600 --key u3_...
    """
    from user360.backup import restoring
    from user360.cli import progress

    if file.exists():
        raise Conflict(f"{file} is there already; give another name")
    part = file.with_name(file.name + ".part")
    try:
        _write(context, part, data, url, key)
        with progress.bar("Checking") as reached:
            found = restoring.verify(part, reached)
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    output.show(_told(found, f"Backed up to {file}"), as_json)


def _write(
    context: typer.Context, part: Path, data: Path | None, url: str | None, key: str | None
) -> None:
    """Write the backup, for its owner alone."""
    part.unlink(missing_ok=True)
    try:
        part.touch(mode=0o600)
    except OSError as error:
        raise Invalid(f"{part} cannot be written: {error.strerror}") from error
    if url is None and data is not None:
        _of_directory(part, data)
        return
    with connected.place(context, data, url, key, None) as api:
        api.download(part, "backup")


def _of_directory(part: Path, data: Path) -> None:
    from user360.backup import making

    with places.existing(data) as platform, part.open("wb") as file:
        for piece in making.prepare(platform, "command line").pieces():
            file.write(piece)


def restore(file: TheFile, data: Empty, erased: Erased = None, as_json: AsJson = False) -> None:
    """Restore a backup into an empty directory: all of it, checked, or nothing.

    Whoever was erased after the backup was made is in it. Name with --erased the directory it was
    made of, or a newer backup: those who were erased by then are erased again.

    Examples:

        user360 restore user360.tar.zst --data restored --erased data
    """
    from user360 import settings
    from user360.backup import restoring, since
    from user360.cli import progress
    from user360.observe import logs

    logs.configure("warning", "text")
    with progress.bar("Restoring") as reached:
        if erased:
            chosen = settings.from_environment()
            found, done = since.restore(file, data, erased, chosen, reached)
        else:
            found, done = restoring.restore(file, data, reached), None
    answer = _told(found, f"Restored into {data}")
    output.show(answer if done is None else _erased(answer, done), as_json)
    if done is None:
        output.note(f"Whoever was erased after {found.made_at} is in it again; see --erased")
    output.note(f"`user360 doctor --data {data}` proves it whole")


def _erased(answer: Answer, done: Done) -> Answer:
    """What is told of a restore, with what became of those who were erased since."""
    lines = [
        answer.text,
        f"Erased again: {done.erased:,}, not in it and kept away: {done.absent:,}",
    ]
    if done.merged:
        listed = ", ".join(done.merged)
        lines.append(
            "Not erased, for they stand merged with somebody who was not; undo the merge and erase"
            f" them: {listed}"
        )
    about = {"erasedAgain": done.erased, "keptAway": done.absent, "mergedWithOthers": done.merged}
    return Answer({**answer.data, **about}, "\n".join(lines))


def _told(found: Manifest, what: str) -> Answer:
    about = {
        "madeAt": found.made_at,
        "version": found.version,
        "position": found.position,
        "bytes": found.size,
        "files": len(found.files),
    }
    text = f"{what}: {found.position:,} entries of the log, as of {found.made_at}"
    return Answer(about, text)
