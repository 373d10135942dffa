"""Where files are looked for: a folder, a bucket, an SFTP server. All answer in the same way.

`look(place, ...)` lists the files whose name fits, `fetch` copies one as it was listed. Both raise
`Unavailable` with a reason for a person, in which no secret stands.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

import msgspec

CHUNK = 1 << 20
CHANGED = "The file changed while it was read; it is taken at the next look"


class Found(msgspec.Struct, frozen=True):
    """A file in a place; `version` tells one content of this name from another."""

    name: str
    version: str
    size: int


class Reader(Protocol):
    """An open place."""

    def look(self) -> list[Found]:
        """The files that are meant, by name."""
        ...

    def fetch(self, found: Found, target: Path, check: Callable[[], None]) -> None:
        """Copy a file to `target`; `check` is called now and then, and may raise."""
        ...


def meant(name: str, pattern: str) -> bool:
    """Whether a file's name fits; hidden files never do unless the pattern says so."""
    hidden = name.startswith(".") and not pattern.startswith(".")
    return fnmatchcase(name, pattern) and not hidden
