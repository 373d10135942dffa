"""The menu: one row an entry, in the order in which it is shown."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """An entry: its words, address and icon, and what one must be allowed to do to see it."""

    name: str
    address: str
    icon: str
    may: str


MENU = (
    Entry("Users", "/users", "users", "records.read"),
    Entry("Segments", "/segments", "chart-circles", "segments.read"),
    Entry("Imports", "/imports", "file-import", "imports.read"),
    Entry("Exports", "/exports", "file-export", "exports.read"),
    Entry("Properties", "/properties", "list-details", "declarations.read"),
    Entry("Events", "/events", "activity", "declarations.read"),
    Entry("Activity", "/activity", "history", "audit"),
    Entry("Settings", "/settings", "settings", "workspace.read"),
)
