"""An event as the log keeps it, and the rules for one that comes in."""

from __future__ import annotations

import unicodedata
from typing import Any

import msgspec

from user360.conversations import floor
from user360.errors import Fault

CUSTOM, SYSTEM, INTERNAL = 0, 1, 2
MAX_NAME = 200
MAX_BYTES = 32_768

USER_CREATE = "USER_CREATE"
USER_UPDATE = "USER_UPDATE"
USER_DELETE = "USER_DELETE"
USER_MERGE = "USER_MERGE"
USER_UNMERGE = "USER_UNMERGE"
SEGMENT_ENTER = "SEGMENT_ENTER"
SEGMENT_EXIT = "SEGMENT_EXIT"
MOVES = frozenset((SEGMENT_ENTER, SEGMENT_EXIT))
# Internal entries about segments: who entered and left one, and that one is no more.
MEMBERS = "members"
SEGMENT_GONE = "segment gone"
SYSTEM_NAMES = frozenset(
    (
        USER_CREATE,
        USER_UPDATE,
        USER_DELETE,
        USER_MERGE,
        USER_UNMERGE,
        SEGMENT_ENTER,
        SEGMENT_EXIT,
        *floor.TOLD,
    )
)


class Entry(msgspec.Struct, array_like=True, gc=False):
    """One line of the log. `kind` is custom, system (a change of `record`) or internal.

    `at` is when it happened, `received` when it arrived (microseconds). `record` is the record it
    was written to, whatever that was merged into since; 0 for internal lines.
    """

    seq: int
    kind: int
    record: int
    name: str
    at: int
    received: int
    id: str
    source: str
    channel: str
    ref: str
    properties: Any


class StoredEntry(Entry, array_like=True, gc=False):
    """An `Entry` read back, its properties left as the JSON text they are."""

    properties: msgspec.Raw


encode = msgspec.json.Encoder().encode
decode_chunk = msgspec.json.Decoder(list[StoredEntry]).decode


def faults_of(name: object, properties: object, path: str) -> list[Fault]:
    """What is wrong with an incoming event: its name (1-200 characters), its properties (32 KB)."""
    found: list[Fault] = []
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= MAX_NAME:
        found.append(
            Fault(_in(path, "name"), "invalid", "name must be text of 1 to 200 characters")
        )
    elif not name.isprintable() and any(unicodedata.category(c) in ("Cc", "Cs") for c in name):
        found.append(Fault(_in(path, "name"), "invalid", "name holds control characters"))
    elif name in SYSTEM_NAMES:
        message = f"{name} is a system event; it is written by the product alone"
        found.append(Fault(_in(path, "name"), "invalid", message))
    if not isinstance(properties, dict):
        message = "properties must be a JSON object"
        found.append(Fault(_in(path, "properties"), "invalid", message))
    elif (problem := _too_much(properties)) is not None:
        found.append(Fault(_in(path, "properties"), "invalid", problem))
    return found


def _too_much(properties: dict[str, Any]) -> str | None:
    try:
        size = len(encode(properties)) if properties else 0
    except (RecursionError, UnicodeEncodeError, ValueError):
        return "properties hold text or numbers that JSON cannot carry, or are nested too deeply"
    return (
        f"properties are {size} bytes; at most {MAX_BYTES} are kept" if size > MAX_BYTES else None
    )


def _in(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
