"""A folder of the server, beneath the one that it keeps for the workspace."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from user360.errors import Unavailable
from user360.imports.schedules.places import CHANGED, CHUNK, Found, meant
from user360.imports.schedules.schedule import Folder

NO_ROOT = "The server reads no folders; its setting USER360_IMPORT_ROOT names where they are"


class FolderReader:
    """Reads a folder; links in it are not followed, and none leads out."""

    def __init__(self, place: Folder, root: str, workspace: str) -> None:
        self._place = place
        self._folder = beneath(root, workspace, place.path)

    def look(self) -> list[Found]:
        """See `Reader.look`."""
        try:
            with os.scandir(self._folder) as listing:
                entries = [e for e in listing if meant(e.name, self._place.pattern)]
                files = [e for e in entries if e.is_file(follow_symlinks=False)]
                found = [_found(e.name, e.stat(follow_symlinks=False)) for e in files]
        except OSError as error:
            raise Unavailable(f"The folder cannot be read: {error.strerror}") from error
        return sorted(found, key=lambda each: each.name)

    def fetch(self, found: Found, target: Path, check: Callable[[], None]) -> None:
        """See `Reader.fetch`."""
        try:
            with _opened(self._folder / found.name) as file, target.open("wb") as copy:
                while data := file.read(CHUNK):
                    check()
                    copy.write(data)
                now = os.fstat(file.fileno())
        except OSError as error:
            raise Unavailable(f"The file cannot be read: {error.strerror}") from error
        if _found(found.name, now) != found:
            raise Unavailable(CHANGED)


def beneath(root: str, workspace: str, path: str) -> Path:
    """The folder `path` of a workspace. Raises `Unavailable` when it lies outside or is none."""
    if not root:
        raise Unavailable(NO_ROOT)
    own = Path(root) / workspace
    try:
        top, folder = own.resolve(strict=True), (own / path).resolve(strict=True)
    except (OSError, ValueError):
        raise Unavailable("There is no such folder among those of the workspace") from None
    if not folder.is_relative_to(top) or not folder.is_dir():
        raise Unavailable("There is no such folder among those of the workspace")
    return folder


def _opened(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


def _found(name: str, status: os.stat_result) -> Found:
    regular = "" if stat.S_ISREG(status.st_mode) else "other"
    return Found(name, f"{status.st_size}-{status.st_mtime_ns}{regular}", status.st_size)
