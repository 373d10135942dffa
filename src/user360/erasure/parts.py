"""What a job keeps of its rows: compressed lines of JSON, of which somebody's are left out."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Any

import msgspec
import pyarrow as pa

from user360 import ids
from user360.erasure.texts import Eraser

MAGIC = {b"\x28\xb5\x2f\xfd": "zstd", b"\x1f\x8b": "gzip"}


def without(body: bytes, records: Iterable[int], eraser: Eraser) -> tuple[bytes, int]:
    """A part without the lines about these records or with one of the names as a whole value, and
    how many lines that were.
    """
    numbers = frozenset(records)
    theirs = numbers | {ids.public_record_id(n) for n in numbers}
    lines = plain(body).splitlines(keepends=True)
    left = [line for line in lines if not _about(_read(line), theirs, eraser)]
    if len(left) == len(lines):
        return body, 0
    return _packed(b"".join(left), _codec(body)), len(lines) - len(left)


def _read(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except msgspec.DecodeError:
        return line.decode(errors="replace")


def _about(held: Any, theirs: Set[int | str], eraser: Eraser) -> bool:
    """Whether a line, any JSON, is about somebody."""
    rest = [held]
    while rest:
        each = rest.pop()
        if isinstance(each, dict):
            rest += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            rest += each
        elif _names(each, theirs, eraser):
            return True
    return False


def _names(each: Any, theirs: Set[int | str], eraser: Eraser) -> bool:
    if isinstance(each, str):
        return each in theirs or eraser.text(each) != each
    return isinstance(each, int) and (each in theirs or eraser.names_one(each))


def plain(body: bytes) -> bytes:
    """What a part holds, unpacked."""
    codec = _codec(body)
    if codec is None:
        return body
    with pa.CompressedInputStream(pa.BufferReader(body), codec) as stream:
        unpacked: bytes = stream.read()
    return unpacked


def _codec(body: bytes) -> str | None:
    return next((name for magic, name in MAGIC.items() if body.startswith(magic)), None)


def _packed(lines: bytes, codec: str | None) -> bytes:
    if codec is None:
        return lines
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(lines)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed
