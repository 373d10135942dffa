"""The menu: one row an entry, in the order in which it is shown."""

from __future__ import annotations

from typing import NamedTuple

from user360.access import roles

USERS, INBOX = "/users", "/inbox"
ANSWERING = ("agent", "supervisor")  # roles that live in the inbox


class Entry(NamedTuple):
    """An entry: its words, address and icon, and what one must be allowed to do to see it."""

    name: str
    address: str
    icon: str
    may: str


MENU = (
    Entry("Users", USERS, "users", "records.read"),
    Entry("Inbox", INBOX, "messages", "inbox.read"),
    Entry("Segments", "/segments", "chart-circles", "segments.read"),
    Entry("Flows", "/flows", "robot", "flows.read"),
    Entry("Imports", "/imports", "file-import", "imports.read"),
    Entry("Exports", "/exports", "file-export", "exports.read"),
    Entry("Properties", "/properties", "list-details", "declarations.read"),
    Entry("Events", "/events", "activity", "declarations.read"),
    Entry("Activity", "/activity", "history", "audit"),
    Entry("Settings", "/settings", "settings", "workspace.read"),
)


def menu(role: str) -> list[Entry]:
    """The entries for a role; for who answers the inbox comes first."""
    shown = [entry for entry in MENU if roles.may(role, entry.may)]
    if role in ANSWERING:
        shown.sort(key=lambda entry: entry.address != INBOX)
    return shown


def home(role: str) -> str:
    """Where somebody of a role begins."""
    return INBOX if role in ANSWERING else USERS
