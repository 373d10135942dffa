"""What each role may do: one row an action."""

from __future__ import annotations

from collections.abc import Mapping

ALL = ("admin", "editor", "supervisor", "agent", "reader", "ingest")
OF_PEOPLE = ALL[:-1]  # the last one is for programs

MAY: Mapping[str, tuple[str, ...]] = {
    "records.read": ("admin", "editor", "supervisor", "agent", "reader"),
    "records.write": ("admin", "editor", "supervisor", "agent"),
    "records.delete": ("admin", "editor"),
    "records.merge": ("admin", "editor"),
    "ingest": ("admin", "editor", "supervisor", "agent", "ingest"),
    "segments.read": ("admin", "editor", "supervisor", "agent", "reader"),
    "segments.write": ("admin", "editor"),
    "declarations.read": ("admin", "editor", "supervisor", "agent", "reader"),
    "declarations.write": ("admin", "editor"),
    "imports.read": ("admin", "editor", "supervisor", "agent", "reader"),
    "imports.write": ("admin", "editor"),
    "exports.read": ("admin", "editor"),
    "exports.write": ("admin", "editor"),
    "inbox.read": ("admin", "editor", "supervisor", "agent", "reader"),
    "inbox.write": ("admin", "editor", "supervisor", "agent"),
    "inbox.reports": ("admin", "editor", "supervisor", "reader"),
    "inbox.settings": ("admin",),
    "flows.read": ("admin", "editor", "supervisor", "agent", "reader"),
    "flows.write": ("admin", "editor"),
    "jobs.read": ("admin", "editor", "supervisor", "agent", "reader"),
    "jobs.write": ("admin", "editor"),
    "workspace.read": ("admin", "editor", "supervisor", "agent", "reader"),
    "workspace.write": ("admin",),
    "keys": ("admin",),
    "members": ("admin",),
    "audit": ("admin", "editor"),
}


def may(role: str, action: str) -> bool:
    """Whether a key of this role may do this."""
    return role in MAY[action]
