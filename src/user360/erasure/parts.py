"""What imports keep of their rows: those that failed as they were given, and how to undo them."""

from __future__ import annotations

from collections.abc import Collection, Set
from typing import Any

import msgspec

from user360.erasure.texts import Eraser
from user360.imports import failures, undoing

_lines = msgspec.json.Encoder().encode_lines
_undo = msgspec.json.Decoder(undoing.Done).decode


def without(name: str, body: bytes, records: Collection[int], eraser: Eraser) -> tuple[bytes, int]:
    """A part of this name, unpacked, without what is about these records or names one of the
    people, and how many rows that were.
    """
    if name == failures.NAME:
        return _failed(body, eraser)
    if name == undoing.NAME:
        return _undone(body, frozenset(records))
    return body, 0


def _failed(body: bytes, eraser: Eraser) -> tuple[bytes, int]:
    """Which line failed and why stays; the row as it was given goes."""
    rows = failures.decode(body)
    less = [failures.bare(row) if _about(msgspec.to_builtins(row), eraser) else row for row in rows]
    count = sum(new is not old for new, old in zip(less, rows, strict=True))
    return (_lines(less), count) if count else (body, 0)


def _about(held: Any, eraser: Eraser) -> bool:
    """Whether any text within this JSON is, or names, one of the people."""
    return bool(eraser.json(held) != held)


def _undone(body: bytes, records: Set[int]) -> tuple[bytes, int]:
    done = _undo(body)
    replaced = tuple(each for each in done.replaced if each.record not in records)
    members = tuple(n for n in done.members if n not in records)
    count = len(done.replaced) - len(replaced) + len(done.members) - len(members)
    if not count:
        return body, 0
    less = msgspec.structs.replace(done, replaced=replaced, members=members)
    return msgspec.json.encode(less), count
