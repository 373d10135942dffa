"""What customers write on WhatsApp made into our messages; what becomes of ours, into marks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from user360 import clock, ids
from user360.access.workspaces import Workspace
from user360.channels.outbox import MEDIA
from user360.channels.whatsapp import trouble, words
from user360.channels.whatsapp.payload import Contact, Message, Status, Value
from user360.conversations import marks, talk
from user360.conversations.marks import Mark
from user360.conversations.talk import Said
from user360.identity import people
from user360.identity import store as identity_store
from user360.ingest.call import Call, Session
from user360.platform import Platform
from user360.storage.ledger import Connection

CHANNEL = "whatsapp"
NUMBER = re.compile(r"[1-9][0-9]{5,14}\Z")
# What we have Meta tell us again with what became of a message: which one, and which piece of it.
MARKED = re.compile(r"u360:(m[1-9][0-9]*):([0-9]{1,3})\Z")
LONGEST_NAME = 100


def mark_of(message: int, piece: int) -> str:
    """What is sent along with a piece of a message, to know it again."""
    return f"u360:{ids.public_message_id(message)}:{piece}"


def calls(platform: Platform, workspace: Workspace, value: Value) -> list[Call]:
    """What was said, one call a message, in its order."""
    by = {name: c for c in value.contacts for name in (c.wa_id, c.user_id) if name}
    known: dict[str, dict[str, Any]] = {}
    made = []
    with platform.ledger.read() as connection:
        for message in value.messages:
            session = message.session
            if session not in known:
                contact = by.get(session) or by.get(message.from_user_id)
                known[session] = _told(platform, connection, workspace, session, contact)
            made.append(_call(platform, workspace, session, message, known[session]))
    return made


def _call(
    platform: Platform, workspace: Workspace, session: str, message: Message, told: dict[str, Any]
) -> Call:
    now = platform.now()
    at = int(message.timestamp) * clock.SECOND
    kind = words.detail(message)
    said = Said(
        # What WhatsApp itself tells is for agents: nobody said it.
        sender=talk.NOTE if message.type == "system" else talk.CUSTOMER,
        text=words.said(message),
        id=message.id,
        external=message.id,
        detail=kind,
        ways=(MEDIA,) if MEDIA in kind else (),
    )
    return Call(
        workspace=workspace.id,
        source="conversation",
        ref=f"session:{CHANNEL}/{session}",
        at=at if at <= now + clock.AHEAD else now,
        message_id=message.id,
        session=Session(CHANNEL, session),
        properties=told,
        said=said,
    )


def _told(
    platform: Platform,
    connection: Connection,
    workspace: Workspace,
    session: str,
    contact: Contact | None,
) -> dict[str, Any]:
    """What the channel attests of somebody and is not known yet: their number and their name."""
    number = identity_store.of_session(connection, workspace.id, CHANNEL, session)
    found = people.one(connection, platform.ledger.dialect, workspace, number)
    held = {} if found is None else found["properties"]
    told: dict[str, Any] = {}
    # Somebody who has another one too, and writes again, has not changed it by that.
    if NUMBER.match(session) and (number is None or not held.get("phone")):
        told["phone"] = f"+{session}"
    name = " ".join(contact.profile.name.split())[:LONGEST_NAME] if contact is not None else ""
    if name and name.isprintable() and not held.get("firstName") and not held.get("lastName"):
        first, _, last = name.partition(" ")
        told |= {"firstName": first, **({"lastName": last} if last else {})}
    return told


def without_properties(call: Call) -> Call:
    """The same message alone: what a profile says must never cost what somebody said."""
    return msgspec.structs.replace(call, properties={})


def marks_of(
    connection: Connection, workspace: Workspace, statuses: Iterable[Status]
) -> list[Mark]:
    """What became of our messages; of those that are none of ours, nothing."""
    found = []
    for status in statuses:
        if status.status not in (*talk.DELIVERY[1:], talk.FAILED):
            continue
        number, piece = _which(connection, workspace, status)
        if number is not None:
            why = trouble.words_of(status.errors[0]) if status.errors else ""
            # Whatever is reported was taken: it is not sent again, should our own note be missing.
            # What failed may well be, by who asks for it.
            named = "" if status.status == talk.FAILED else status.id
            mark = Mark(
                message=number, delivery=status.status, error=why, external=named, part=piece
            )
            found.append(mark)
    return found


def _which(connection: Connection, workspace: Workspace, status: Status) -> tuple[int | None, int]:
    """The message and its piece: by what we had sent along, else by Meta's name for it."""
    known = MARKED.match(status.biz_opaque_callback_data)
    if known is not None:
        return ids.parse_message_id(workspace.id, known[1]), int(known[2])
    return marks.named(connection, workspace.id, CHANNEL, status.id), 0
