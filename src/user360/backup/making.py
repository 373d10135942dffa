"""Making a backup while the server runs: everything as it was at one position.

The ledger is the truth and its copy is one snapshot. The warehouse's copy is older by a moment,
never newer, and is brought up to the ledger by the next start as after any other; it is taken along
because making it anew takes far longer than copying it. The vault's key is in the backup too:
without it nobody would be recognised who was erased.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Generator
from hashlib import sha256
from pathlib import Path

import msgspec

from user360 import __version__, clock, ids
from user360.access import audit, vault
from user360.backup import archive, manifest, store
from user360.backup.manifest import File, Manifest
from user360.conversations import attachments
from user360.errors import StorageFailed, Unavailable
from user360.jobs import files
from user360.platform import LEDGER, WAREHOUSE, Platform
from user360.storage.ledger import Ledger

PARTS = "backup-*.part"


class Prepared:
    """Copies of everything, standing still; removed by `close`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / f"backup-{ids.new_id()}.part"
        try:
            self.directory.mkdir(mode=0o700)
            self._lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StorageFailed(f"{directory} cannot be written: {error.strerror}") from error
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.manifest: Manifest | None = None

    def pieces(self) -> Generator[bytes]:
        """The bytes of the backup; the copies are removed when it ends, or is given up."""
        assert self.manifest is not None
        about = msgspec.json.encode(self.manifest)
        try:
            yield from archive.write(
                [
                    (manifest.NAME, len(about), [about]),
                    *(
                        (file.name, file.size, archive.pieces(self.directory / file.name))
                        for file in self.manifest.files
                    ),
                ]
            )
        finally:
            self.close()

    def close(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.close(self._lock)


def prepare(platform: Platform, actor: str) -> Prepared:
    """Copy everything there is; the backup is `pieces` of what is answered.

    Writers and readers go on meanwhile. Raises `StorageFailed` when the disk has no room for the
    copies.
    """
    forget_parts(platform.directory)
    _note(platform, actor)
    made = Prepared(platform.directory)
    try:
        _copy(platform, made.directory)
        made.manifest = _describe(platform, made.directory)
    except OSError as error:
        made.close()
        raise StorageFailed(f"There is no room for a backup: {error.strerror}") from error
    except BaseException:
        made.close()
        raise
    return made


def _note(platform: Platform, actor: str) -> None:
    if platform.committer.running:
        line = (platform.default.id, platform.now(), actor, "backup", "directory")
        platform.write(lambda c: audit.note(c, *line))


def _copy(platform: Platform, into: Path) -> None:
    with contextlib.suppress(Unavailable):  # it is being made anew, and so it will be there
        platform.projector.warehouse.copy(into / WAREHOUSE)
    platform.ledger.copy(into / LEDGER)
    shutil.copyfile(platform.directory / vault.FILE, into / vault.FILE)
    # A file said with a message is on disk before the ledger knows it: whatever the copy knows of
    # is there by now.
    for name in (files.FILES, attachments.FILES):
        held = platform.directory / name
        for path in sorted(held.rglob("*")) if held.exists() else ():
            if path.is_file() and path.suffix != attachments.PART:
                _copy_file(path, into / path.relative_to(platform.directory))


def _copy_file(path: Path, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):  # its job was done with it just now
        shutil.copyfile(path, copy)


def _describe(platform: Platform, copied: Path) -> Manifest:
    paths = sorted(p for p in copied.rglob("*") if p.is_file() and p.name != "lock")
    copy = Ledger(f"sqlite:///{copied / LEDGER}")
    try:
        with copy.read() as connection:
            position, schema = store.state(connection)
    finally:
        copy.close()
    return Manifest(
        manifest.FORMAT,
        __version__,
        schema,
        clock.to_iso(platform.now()),
        position,
        [_file(copied, path) for path in paths if not path.name.startswith(f"{LEDGER}-")],
    )


def _file(copied: Path, path: Path) -> File:
    digest = sha256()
    for piece in archive.pieces(path):
        digest.update(piece)
    return File(path.relative_to(copied).as_posix(), path.stat().st_size, digest.hexdigest())


def forget_parts(directory: Path) -> None:
    """Remove what a backup that was killed had copied."""
    for left in directory.glob(PARTS):
        with contextlib.suppress(OSError):
            lock = os.open(left / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left)
            finally:
                os.close(lock)
