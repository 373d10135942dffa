"""The versions of a segment's definition; an older one can be put in force again."""

from __future__ import annotations

from typing import Any

import msgspec

from user360 import clock
from user360.access.change import Change
from user360.errors import NotFound
from user360.segments import changing, define, store
from user360.segments.store import Segment, Version
from user360.storage.ledger import Connection


def all_of(connection: Connection, number: int) -> list[Version]:
    """All versions of a segment, the newest first."""
    return store.versions(connection, number)


def one(connection: Connection, number: int, version: int) -> Version:
    """One version of a segment. Raises `NotFound`."""
    found = store.version(connection, number, version) if 0 < version < store.HIGHEST else None
    if found is None:
        raise NotFound("The segment has no such version")
    return found


def restore(change: Change, number: int, version: int, *, announce: bool = False) -> Segment:
    """Put the name, description and condition of a version in force again, as a new version.

    Raises what an edit raises: what was right then may be no longer.
    """
    changing.stored(change, number)
    old = one(change.connection, number, version)
    condition = None if old.condition is None else msgspec.json.decode(old.condition)
    return define.edit(change, number, old.name, old.description, condition, announce=announce)


def shown(version: Version) -> dict[str, Any]:
    """A version as the API answers it."""
    return {
        "version": version.version,
        "name": version.name,
        "description": version.description,
        "where": None if version.condition is None else msgspec.json.decode(version.condition),
        "at": clock.to_iso(version.at),
        "actor": version.actor or None,
    }
