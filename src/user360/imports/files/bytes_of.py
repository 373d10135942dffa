"""The bytes of a file as they were when it was opened, unpacked where it is compressed."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

BLOCK = 1 << 18
GZIP = b"\x1f\x8b"
# A gzip file of nothing but zeros unpacks to a thousand times its size; no list of people does.
MOST_UNPACKED = 500
UNSUSPICIOUS = 1 << 27

CUT_OFF = "the compressed file ends in the middle: what follows is missing"
DAMAGED = "the compressed file is damaged from here on: what follows could not be unpacked"
BOMB = f"the file unpacks to more than {MOST_UNPACKED} times its size, as no list of people does"


class Block(msgspec.Struct, frozen=True):
    """Some bytes; `at` is the share of the file that was read, `fault` why nothing follows."""

    data: bytes
    at: float
    fault: str = ""


class _Bounded(io.RawIOBase):
    """The first `size` bytes of a file: what is written to its end later is not seen."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]  # whatever holds bytes
        data = self._file.read(min(len(view), self._left))
        self._left -= len(data)
        view[: len(data)] = data
        return len(data)


def blocks(path: Path, size: int, compression: str) -> Iterator[Block]:
    """The bytes of a file in blocks of at most `BLOCK`."""
    with path.open("rb") as file:
        bounded = io.BufferedReader(_Bounded(file, size), BLOCK)
        if compression:
            yield from _unpacked(bounded, file, size)
            return
        while data := bounded.read(BLOCK):
            yield Block(data, _share(file, size))


def head(path: Path, size: int, compression: str, wanted: int) -> bytes:
    """The first `wanted` bytes, as far as they can be had."""
    data = b""
    for block in blocks(path, size, compression):
        data += block.data
        if len(data) >= wanted:
            break
    return data[:wanted]


def _unpacked(bounded: io.BufferedReader[_Bounded], file: BinaryIO, size: int) -> Iterator[Block]:
    out = 0
    with gzip.GzipFile(fileobj=cast(BinaryIO, bounded)) as unpacking:
        while True:
            data, fault = _some(unpacking)
            out += len(data)
            if out > max(UNSUSPICIOUS, size * MOST_UNPACKED):
                data, fault = b"", BOMB
            if data or fault:
                yield Block(data, _share(file, size), fault)
            if fault or not data:
                return


def _some(unpacking: gzip.GzipFile) -> tuple[bytes, str]:
    """Some bytes, gathered piece by piece so that a fault loses none before it."""
    pieces, length = [], 0
    try:
        while length < BLOCK and (piece := unpacking.read1(BLOCK)):
            pieces.append(piece)
            length += len(piece)
    except EOFError:
        return b"".join(pieces), CUT_OFF
    except (OSError, zlib.error):
        return b"".join(pieces), DAMAGED
    return b"".join(pieces), ""


def _share(file: BinaryIO, size: int) -> float:
    return min(1.0, file.tell() / size) if size else 1.0
