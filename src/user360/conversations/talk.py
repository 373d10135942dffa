"""Conversations and messages as the ledger keeps them, and the rules for what comes in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from user360.errors import Fault

CHAT, TICKET = "chat", "ticket"
KINDS = (CHAT, TICKET)

BOT, QUEUED, OPEN, ASSIGNED = "bot", "queued", "open", "assigned"
RESOLVED, MISSED = "resolved", "missed"
PENDING, ON_HOLD, SOLVED, CLOSED = "pending", "onHold", "solved", "closed"
# Of each kind (specification: conversations); a ticket's assignee stands beside its state.
STATES = {
    CHAT: (BOT, QUEUED, OPEN, ASSIGNED, RESOLVED, MISSED),
    TICKET: (BOT, OPEN, PENDING, ON_HOLD, SOLVED, CLOSED),
}
ENDED = (RESOLVED, MISSED, SOLVED, CLOSED)
# A customer who writes again goes on with a solved ticket; after these a new conversation begins.
OVER = (RESOLVED, MISSED, CLOSED)
WAITING = (QUEUED, OPEN)

CUSTOMER, BOT_SAYS, AGENT, NOTE = "customer", "bot", "agent", "note"
SENDERS = (CUSTOMER, BOT_SAYS, AGENT, NOTE)
PRIORITIES = ("low", "normal", "high", "urgent")
# What is known of a message's way to the customer, in its order; `failed` may follow any but read.
DELIVERY = ("queued", "sent", "delivered", "read")
FAILED = "failed"

LONGEST_TEXT = 65_536  # characters of a message
LONGEST_SUBJECT = 500
LONGEST_ID = 998  # of a message, as a line of an e-mail's header may be
MOST_ATTACHMENTS = 50
SHOWN = 200  # characters of the last message that lists show


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A file said with a message: kept here (`id`), or elsewhere (`url`). `size` is in bytes."""

    name: str
    type: str = "application/octet-stream"
    size: int = 0
    id: str = ""
    url: str = ""


class Said(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message that comes in: who says what in a session or in a conversation that is named.

    `id` makes it idempotent within its session (a fresh one is given without). `author` names the
    member, key or flow. `kind` and `subject` are those of the conversation that it may begin.
    `external` is what the channel calls it, `detail` whatever else the channel tells. `ways` are
    what has still to be done about it besides bringing it, as deliveries name it (`media`). What
    `yields` is not said once an agent has the conversation, or it has ended: a bot that thinks
    long, and does not know. `claim` is who its sender says they are, unproven, as proofs keep it.
    """

    sender: str
    text: str
    attachments: tuple[Attachment, ...] = ()
    id: str | None = None
    author: str = ""
    kind: str = CHAT
    subject: str = ""
    external: str = ""
    detail: dict[str, Any] = msgspec.field(default_factory=dict)
    ways: tuple[str, ...] = ()
    yields: bool = False
    claim: str = ""


# In a message's detail: what stands for the question of a flow that its sender was shown before.
ASKED = "asked"


class Conversation(msgspec.Struct, gc=False, kw_only=True):
    """The messages of one session from start to end. Times are in microseconds.

    `record` is the record it was on when it last moved, whatever that was merged into since.
    `waiting_since` is since when the customer waits for an answer, `queued_at` since when for an
    agent. `flow` is where a flow stands (JSON), empty without one.
    """

    id: int
    record: int
    channel: str
    session: str
    kind: str
    state: str
    created_at: int
    updated_at: int
    subject: str = ""
    priority: str = "normal"
    group: int | None = None
    skills: tuple[str, ...] = ()
    assignee: int | None = None
    tags: tuple[str, ...] = ()
    reason: str = ""
    waiting_since: int | None = None
    queued_at: int | None = None
    assigned_at: int | None = None
    first_reply_at: int | None = None
    ended_at: int | None = None
    messages: int = 0
    last_message: int = 0
    last_from: str = ""
    last_text: str = ""
    flow: str = ""

    @property
    def active(self) -> bool:
        """Whether somebody may still have to answer."""
        return self.state not in ENDED


class Message(msgspec.Struct, gc=False, kw_only=True):
    """One thing that was said. `delivery` is its way to the customer, empty where none is known."""

    id: int
    conversation: int
    sender: str
    author: str
    text: str
    attachments: tuple[Attachment, ...]
    at: int
    received_at: int
    delivery: str = ""
    error: str = ""
    external: str = ""
    detail: dict[str, Any] = msgspec.field(default_factory=dict)


def faults_of(said: Said) -> list[Fault]:
    """What is wrong with a message that comes in."""
    found = []
    if said.sender not in SENDERS:
        found.append(Fault("from", "invalid", f"from must be one of {', '.join(SENDERS)}"))
    if said.kind not in KINDS:
        found.append(Fault("kind", "invalid", f"kind must be one of {', '.join(KINDS)}"))
    found += text_faults("text", said.text, LONGEST_TEXT, empty=bool(said.attachments))
    found += text_faults("subject", said.subject, LONGEST_SUBJECT, empty=True)
    if said.id is not None:
        found += text_faults("id", said.id, LONGEST_ID)
    return found + _attachment_faults(said.attachments)


def text_faults(path: str, given: object, most: int, *, empty: bool = False) -> list[Fault]:
    """What is wrong with a text of at most so many characters."""
    if not isinstance(given, str):
        return [Fault(path, "invalidDataType", f"{path} must be text")]
    if len(given) > most:
        return [Fault(path, "invalid", f"{path} has {len(given)} characters; at most {most}")]
    if "\x00" in given or not _carried(given):
        return [Fault(path, "invalid", f"{path} holds characters that JSON cannot carry")]
    if not empty and not given.strip():
        return [Fault(path, "invalid", f"{path} must not be empty")]
    return []


def _carried(given: str) -> bool:
    try:
        given.encode()
    except UnicodeEncodeError:
        return False
    return True


def _attachment_faults(attachments: Sequence[Attachment]) -> list[Fault]:
    found = []
    if len(attachments) > MOST_ATTACHMENTS:
        message = f"a message carries at most {MOST_ATTACHMENTS} attachments"
        found.append(Fault("attachments", "invalid", message))
    for i, each in enumerate(attachments):
        found += text_faults(f"attachments.{i}.name", each.name, 255)
        if bool(each.id) == bool(each.url):
            message = "an attachment has an id, of a file that was uploaded, or a url"
            found.append(Fault(f"attachments.{i}", "invalid", message))
        elif each.url and not each.url.startswith(("https://", "http://")):
            message = "url must begin with https:// or http://"
            found.append(Fault(f"attachments.{i}.url", "invalid", message))
    return found
