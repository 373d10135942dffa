"""What a backup says of itself: which files are in it, whole, and how far the ledger was."""

from __future__ import annotations

from pathlib import PurePosixPath

import msgspec

from user360.errors import Invalid

FORMAT = 1
NAME = "manifest.json"


class File(msgspec.Struct, frozen=True):
    """One file: its name within the data directory, its bytes, their SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """The first entry of a backup; `position` is that of the ledger's newest log entry."""

    format: int
    version: str
    schema: str
    made_at: str
    position: int
    files: list[File]

    @property
    def size(self) -> int:
        """All bytes of the files in it."""
        return sum(file.size for file in self.files)


def read(text: bytes) -> Manifest:
    """Raises `Invalid` for what is no manifest, or one of a format that is not known here."""
    try:
        found = msgspec.json.decode(text, type=Manifest)
    except msgspec.MsgspecError as error:
        raise Invalid("This is no backup of User 360") from error
    if found.format > FORMAT:
        raise Invalid(f"The backup was made by User 360 {found.version}; restore it with that")
    for file in found.files:
        _refuse_outside(file.name)
    return found


def _refuse_outside(name: str) -> None:
    """No file of a backup leads out of the directory it is restored to."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in name:
        raise Invalid(f"The backup holds a file that may not be in one: {name[:100]}")
