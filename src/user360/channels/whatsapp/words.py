"""What a message of WhatsApp says in words, whatever it is: every kind can be read in the inbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from user360.channels.outbox import MEDIA
from user360.channels.whatsapp.payload import Media, Message
from user360.conversations.talk import LONGEST_TEXT

KINDS = {
    "image": "Photo",
    "audio": "Voice message",
    "video": "Video",
    "document": "Document",
    "sticker": "Sticker",
}
EMPTY = "(an empty message)"


def said(message: Message) -> str:
    """The message as text, never empty."""
    say = SAYS.get(message.type)
    text = say(message) if say is not None else ""
    text = text.replace("\x00", "").strip() or _strange(message)
    return text[:LONGEST_TEXT]


def detail(message: Message) -> dict[str, Any]:
    """What else it tells, for programs and for the inbox: kind, file, place, what it answers."""
    found: dict[str, Any] = {"kind": message.type}
    if message.context is not None and message.context.id:
        found["replyTo"] = message.context.id
    if message.media is not None:
        found[MEDIA] = file(message.type, message.media)
    if message.location is not None:
        found["location"] = msgspec.to_builtins(message.location)
    if message.reaction is not None:
        found["reaction"] = {"to": message.reaction.message_id, "emoji": message.reaction.emoji}
    if message.interactive is not None:
        reply = message.interactive.button_reply or message.interactive.list_reply
        if reply is not None:
            found["chosen"] = reply.id
    if message.button is not None and message.button.payload:
        found["chosen"] = message.button.payload
    for name in ("contacts", "order", "referral"):
        if (given := getattr(message, name)) is not None:
            found[name] = given
    return found


def file(kind: str, media: Media) -> dict[str, str]:
    """The file of a message, as it is to be fetched: its id, name and type."""
    kinds = media.mime_type.partition(";")[0].strip() or "application/octet-stream"
    name = media.filename.strip() or f"{kind}.{_ending(kinds)}"
    return {"id": media.id, "name": name[:255], "type": kinds[:255]}


def _ending(kind: str) -> str:
    """The usual ending of a file of this type, as far as customers send such."""
    part = kind.partition("/")[2]
    return {"jpeg": "jpg", "mpeg": "mp3", "plain": "txt"}.get(
        part, part if part.isalnum() else "bin"
    )


def _text(message: Message) -> str:
    return (message.text.body.strip() if message.text is not None else "") or EMPTY


def _file(message: Message) -> str:
    media, label = message.media, KINDS[message.type]
    if media is None:
        return ""
    if media.caption.strip():
        return media.caption
    return f"{label}: {media.filename}" if media.filename.strip() else label


def _location(message: Message) -> str:
    place = message.location
    if place is None:
        return ""
    where = f"{place.latitude}, {place.longitude}"
    lines = [place.name.strip(), place.address.strip(), where]
    return "Location: " + "\n".join(line for line in lines if line)


def _contacts(message: Message) -> str:
    return "\n".join(_contact(each) for each in message.contacts or ())


def _contact(card: dict[str, Any]) -> str:
    """A business card in a line: whatever of it can be read."""
    name = card.get("name")
    found = [name.get("formatted_name")] if isinstance(name, dict) else []
    for group, part in (("phones", "phone"), ("emails", "email")):
        listed = card.get(group)
        rows = listed if isinstance(listed, list) else []
        found += [row.get(part) for row in rows if isinstance(row, dict)]
    return "Contact: " + ", ".join(each for each in found if isinstance(each, str) and each)


def _reaction(message: Message) -> str:
    if message.reaction is None:
        return ""
    emoji = message.reaction.emoji
    return f"Reacted with {emoji}" if emoji else "Took back a reaction"


def _interactive(message: Message) -> str:
    told = message.interactive
    if told is None:
        return ""
    reply = told.button_reply or told.list_reply
    if reply is not None:
        return reply.title
    form = told.nfm_reply
    return "" if form is None else f"Sent a form: {form.response_json or form.body}"


def _button(message: Message) -> str:
    return "" if message.button is None else message.button.text


def _order(message: Message) -> str:
    items = (message.order or {}).get("product_items")
    rows = [row for row in items if isinstance(row, dict)] if isinstance(items, list) else []
    lines = [f"{row.get('quantity', 1)} × {row.get('product_retailer_id', '?')}" for row in rows]
    note = (message.order or {}).get("text")
    return "\n".join(["Order:", *lines, *([note] if isinstance(note, str) and note else [])])


def _system(message: Message) -> str:
    return "" if message.system is None else message.system.body


def _strange(message: Message) -> str:
    """What cannot be shown is still told: that it came, and of what kind it is."""
    why = next((e.title or e.message for e in message.errors or () if e.title or e.message), "")
    kind = "" if message.type in ("unsupported", "unknown", "") else f" ({message.type[:40]})"
    return f"A message that WhatsApp does not pass on{kind}" + (f": {why}" if why else "")


SAYS: dict[str, Callable[[Message], str]] = {
    "text": _text,
    **dict.fromkeys(KINDS, _file),
    "location": _location,
    "contacts": _contacts,
    "reaction": _reaction,
    "interactive": _interactive,
    "button": _button,
    "order": _order,
    "system": _system,
}
