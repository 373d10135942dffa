"""Restoring a backup into an empty directory: all of it, checked, or nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from hashlib import sha256
from pathlib import Path

from user360.backup import archive, manifest
from user360.backup.manifest import File, Manifest
from user360.errors import Conflict, Invalid, StorageFailed
from user360.storage import ledger

Progress = Callable[[int, int], None]  # bytes that are done, of how many
FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def restore(
    file: Path,
    directory: Path,
    progress: Progress = lambda _done, _total: None,
    then: Callable[[Path], None] = lambda _part: None,
) -> Manifest:
    """Put what a backup holds into a directory that is not there yet, or is empty.

    `then` is done with the directory before it gets its name; what that raises undoes everything.
    Raises `Conflict` when there is something in it, `Invalid` when the backup is damaged, not
    whole, or of a newer version; the directory is then as it was.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Conflict(f"{directory} is not empty; a backup is restored into an empty directory")
    part = directory.absolute().with_name(f"{directory.absolute().name}.restoring")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700)
        found = _unpack(file, part, progress)
        then(part)
        with contextlib.suppress(FileNotFoundError):
            directory.rmdir()
        part.rename(directory)
    except OSError as error:
        raise StorageFailed(f"{directory} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return found


def verify(file: Path, progress: Progress = lambda _done, _total: None) -> Manifest:
    """Read a backup to its end and check everything in it. Raises `Invalid`."""
    return _unpack(file, None, progress)


def take(file: Path, names: Collection[str], into: Path) -> Manifest:
    """Take some files out of a backup, and check all of it. Raises `Invalid`."""
    return _unpack(file, into, lambda _done, _total: None, names)


def _unpack(
    file: Path, into: Path | None, progress: Progress, names: Collection[str] | None = None
) -> Manifest:
    """Write each file of a backup, or those of `names`, unless `into` is None, and hold every one
    to its checksum.
    """
    try:
        opened = file.open("rb")
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}") from error
    with opened, contextlib.closing(archive.read(opened)) as entries:
        name, _, content = next(entries, ("", 0, iter(())))
        if name != manifest.NAME:
            raise Invalid("This is no backup of User 360")
        found = manifest.read(b"".join(content))
        if found.schema > ledger.newest():
            raise Invalid(f"The backup was made by User 360 {found.version}; restore it with that")
        left = {each.name: each for each in found.files}
        done = 0
        for name, _, content in entries:
            expected = left.pop(name, None)
            if expected is None:
                raise Invalid(f"{archive.DAMAGED}: {name[:100]} is not among what it tells of")
            wanted = names is None or name in names
            for size in _one(expected, content, into if wanted else None):
                progress(done + size, found.size)
            done += expected.size
    if left:
        raise Invalid(f"{archive.DAMAGED}: {min(left)} is missing")
    return found


def _one(expected: File, content: Iterator[bytes], into: Path | None) -> Iterator[int]:
    """Write and check one file; yields how many bytes of it are done."""
    digest, size = sha256(), 0
    with contextlib.ExitStack() as stack:
        copy = None
        if into is not None:
            path = into / expected.name
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            copy = stack.enter_context(os.fdopen(os.open(path, FRESH, 0o600), "wb"))
        for piece in content:
            digest.update(piece)
            size += len(piece)
            if copy is not None:
                copy.write(piece)
            yield size
        if copy is not None:
            copy.flush()
            os.fsync(copy.fileno())
    if (size, digest.hexdigest()) != (expected.size, expected.sha256):
        raise Invalid(f"{archive.DAMAGED}: {expected.name} is not what was backed up")
