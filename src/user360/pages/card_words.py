"""What a card says in words: somebody's name, where a value came from, what a reason looks at."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from user360.doors.api.person import Provenance
from user360.doors.api.shapes import Record
from user360.pages import words
from user360.platform import Platform

# What is written for the doors through which values come.
DOORS = {
    "api": "the API",
    "ui": "these pages",
    "segment": "Segment",
    "yellow": "the platform API",
    "csv": "a file",
    "conversation": "a conversation",
    "auto": "its channel by itself",
    "sdk": "a website or app",
}
LABELS = {
    "userId": "User id",
    "dob": "Date of birth",
    "emailOptin": "E-mail consent",
    "smsOptin": "SMS consent",
    "whatsAppOptin": "WhatsApp consent",
}
OPTINS = {"emailOptin": "E-mail", "smsOptin": "SMS", "whatsAppOptin": "WhatsApp"}


def name_of(record: Record) -> str:
    """What people call somebody: the name, else the best that identifies them."""
    known = record.properties
    parts = (known.get("firstName"), known.get("lastName"))
    full = " ".join(str(part) for part in parts if part)
    best = full or record.user_id or known.get("email") or known.get("phone")
    return str(best or f"Visitor {record.id}")


def known_part(record: Record) -> str:
    """How far the profile is known, as a whole number of percent."""
    return f"{float(record.profile_complete):.0f}"


def origin(platform: Platform, found: Provenance) -> str:
    """Who or what wrote a value, in a few words: `Asha, by hand`, `a file`."""
    kind, _, rest = found.ref.partition(":")
    if found.merge_id is not None:
        return f"a merge, from {DOORS.get(found.original or '', found.original or 'elsewhere')}"
    if kind == "member" and rest.isdigit():
        member = platform.members.get(int(rest))
        return f"{member.name if member else 'a former member'}, by hand"
    if kind == "key" and rest.isdigit():
        held = (key.name for key in platform.keys.values() if key.id == int(rest))
        return f"{DOORS.get(found.source, found.source)}, key “{next(held, rest)}”"
    if kind == "session":
        return f"{DOORS.get(found.source, found.source)} on {rest.partition('/')[0]}"
    return DOORS.get(found.source, found.source)


def writer(platform: Platform, ref: str) -> str:
    """Whom an entry names as the one who did it."""
    kind, _, rest = ref.partition(":")
    if kind == "member" and rest.isdigit():
        member = platform.members.get(int(rest))
        return member.name if member else "a former member"
    if kind == "session":
        return f"a session on {rest.partition('/')[0]}"
    return f"key {rest}" if kind == "key" else ref


def label(name: str) -> str:
    """What people call a property."""
    return LABELS.get(name) or words.title(name)


def timeline_address(record_id: str, name: str, since: str | None, until: str | None) -> str:
    """Where the card shows the events of one name in a period."""
    asked = {"name": name, "from": since, "to": until}
    given = urlencode({key: value for key, value in asked.items() if value})
    return f"/users/{record_id}?{given}"


def kind_of(where: dict[str, Any]) -> str:
    """What a group of conditions asks of those below it; nothing for a single condition."""
    for key, said in (("all", "All of these"), ("any", "At least one of these"), ("not", "Not")):
        if key in where:
            return said
    return ""
