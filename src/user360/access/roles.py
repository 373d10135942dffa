"""What each role may do: one row an action."""

from __future__ import annotations

from collections.abc import Mapping

ALL = ("admin", "editor", "agent", "reader", "ingest")
OF_PEOPLE = ALL[:-1]  # the last one is for programs

MAY: Mapping[str, tuple[str, ...]] = {
    "records.read": ("admin", "editor", "agent", "reader"),
    "records.write": ("admin", "editor", "agent"),
    "records.delete": ("admin", "editor"),
    "records.merge": ("admin", "editor"),
    "ingest": ("admin", "editor", "agent", "ingest"),
    "segments.read": ("admin", "editor", "agent", "reader"),
    "segments.write": ("admin", "editor"),
    "declarations.read": ("admin", "editor", "agent", "reader"),
    "declarations.write": ("admin", "editor"),
    "imports.read": ("admin", "editor", "agent", "reader"),
    "imports.write": ("admin", "editor"),
    "exports.read": ("admin", "editor"),
    "exports.write": ("admin", "editor"),
    "jobs.read": ("admin", "editor", "agent", "reader"),
    "jobs.write": ("admin", "editor"),
    "workspace.read": ("admin", "editor", "agent", "reader"),
    "workspace.write": ("admin",),
    "keys": ("admin",),
    "members": ("admin",),
    "audit": ("admin", "editor"),
}


def may(role: str, action: str) -> bool:
    """Whether a key of this role may do this."""
    return role in MAY[action]
