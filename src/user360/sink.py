"""A file that is written by a library and taken away by whoever streams it."""

from __future__ import annotations

import io
from typing import Any


class Sink(io.RawIOBase):
    """A file that cannot be gone back in; it keeps only what was not taken yet."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    @property
    def waiting(self) -> int:
        """How many bytes were not taken yet."""
        return len(self._held)

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        """Keep any bytes-like object; returns how many bytes it had."""
        before = len(self._held)
        self._held += piece
        return len(self._held) - before

    def taken(self) -> bytes:
        """What was written since the last time."""
        held, self._held = bytes(self._held), bytearray()
        return held
