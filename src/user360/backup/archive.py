"""A backup's form: files one after another as tar, compressed with Zstandard, never in memory."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

import pyarrow as pa

from user360.errors import Invalid
from user360.sink import Sink

PIECE = 1 << 20  # bytes
BLOCK = tarfile.BLOCKSIZE
CODEC = "zstd"
# What reading raises where bytes are missing or other ones.
_CUT = (OSError, EOFError, tarfile.TarError, pa.ArrowException)
DAMAGED = "The backup is damaged or not whole; nothing was restored"


def write(entries: Iterable[tuple[str, int, Iterable[bytes]]]) -> Iterator[bytes]:
    """The bytes of a backup with these entries: name, size and content, in pieces."""
    sink = Sink()
    with pa.CompressedOutputStream(pa.PythonFile(sink, mode="w"), CODEC) as packed:
        for piece in _tar(entries):
            packed.write(piece)
            if sink.waiting >= PIECE:
                yield sink.taken()
    yield sink.taken()


def _tar(entries: Iterable[tuple[str, int, Iterable[bytes]]]) -> Iterator[bytes]:
    for name, size, content in entries:
        about = tarfile.TarInfo(name)
        about.size, about.mode = size, 0o600
        yield about.tobuf(tarfile.PAX_FORMAT)
        yield from content
        yield b"\0" * (-size % BLOCK)
    yield b"\0" * (2 * BLOCK)


def pieces(path: Path) -> Iterator[bytes]:
    """A file piece by piece."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def read(file: BinaryIO) -> Generator[tuple[str, int, Iterator[bytes]]]:
    """The entries of a backup: name, size and content. Each is to be read before the next.

    Raises `Invalid` where the backup is damaged or ends early.
    """
    try:
        with (
            pa.CompressedInputStream(pa.PythonFile(file, mode="r"), CODEC) as plain,
            tarfile.open(fileobj=_Reading(plain), mode="r|") as archive,
        ):
            for about in archive:
                content = archive.extractfile(about)
                if content is None:
                    raise Invalid(f"{DAMAGED}: {about.name[:100]} is no plain file")
                yield about.name, about.size, _content(content)
    except _CUT as error:
        raise Invalid(DAMAGED) from error


class _Reading(io.RawIOBase):
    """A stream of the library as the standard library reads one."""

    def __init__(self, stream: pa.NativeFile) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        found: bytes = self._stream.read(None if size < 0 else size)
        return found


def _content(file: IO[bytes]) -> Iterator[bytes]:
    while piece := _piece(file):
        yield piece


def _piece(file: IO[bytes]) -> bytes:
    try:
        return file.read(PIECE)
    except _CUT as error:
        raise Invalid(DAMAGED) from error
