"""Files on their way to and from the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Counted:
    """A file that says how much of it has been read."""

    def __init__(self, file: BinaryIO, told: Callable[[int], None]) -> None:
        self._file = file
        self._told = told
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int = -1) -> bytes:
        part = self._file.read(size)
        self._told(self._file.tell())
        return part


def beginning(part: bytes) -> bytes:
    """The whole lines of the beginning of a file; a character is never cut in two."""
    if part.startswith(UTF_16):
        return part[: len(part) // 2 * 2]
    end = part.rfind(b"\n") + 1
    return part[:end] if end else part
