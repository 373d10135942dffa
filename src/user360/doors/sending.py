"""Files on their way out: made while they are sent, or sent from the disk, whole or in parts."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import NamedTuple

from user360.errors import Unsatisfiable

PIECE = 1 << 20
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class Span(NamedTuple):
    """The bytes of a file from `first` up to, but not including, `end`; it has `size` in all."""

    first: int
    end: int
    size: int

    @property
    def whole(self) -> bool:
        return self.end - self.first == self.size

    def headers(self) -> dict[str, str]:
        """How an answer says which bytes it has."""
        told = {"Accept-Ranges": "bytes", "Content-Length": str(self.end - self.first)}
        if not self.whole:
            told["Content-Range"] = f"bytes {self.first}-{self.end - 1}/{self.size}"
        return told


def span(header: str | None, size: int) -> Span:
    """The bytes that a `Range` header asks for; all when it asks for none, or for several parts.

    Raises `Unsatisfiable`.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or found[0] == "bytes=-":
        return Span(0, size, size)
    first, last = found[1], found[2]
    if not first and int(last):
        return Span(max(0, size - int(last)), size, size)
    if not first or int(first) >= size or (last and int(last) < int(first)):
        raise Unsatisfiable(f"The file has {size:,} bytes")
    return Span(int(first), min(size, int(last) + 1) if last else size, size)


def of_file(path: Path, wanted: Span) -> Generator[bytes, None, None]:
    """Those bytes of a file, a piece at a time."""
    with path.open("rb") as file:
        file.seek(wanted.first)
        left = wanted.end - wanted.first
        while left and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece


class Steps:
    """A generator whose steps are taken on threads, and that is closed when nobody wants more.

    A step is taken only when the one before was sent, so a slow reader is waited for.
    """

    def __init__(self, pieces: Generator[bytes, None, None]) -> None:
        self._pieces = pieces
        self._first: bytes | None = None
        self._one = threading.Lock()

    def begin(self) -> None:
        """Take the first step already: what is wrong then is known before anything is sent.

        A generator that was begun lets go of what it holds even if it is never asked again.
        """
        self._first = self._step()

    def _step(self) -> bytes | None:
        with self._one:
            first, self._first = self._first, None
            return next(self._pieces, None) if first is None else first

    def _close(self) -> None:
        with self._one, contextlib.suppress(Exception):
            self._pieces.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while (piece := await asyncio.to_thread(self._step)) is not None:
                yield piece
        finally:
            # Not waited for: who went away may have ended this very task.
            asyncio.get_running_loop().run_in_executor(None, self._close)
