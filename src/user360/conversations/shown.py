"""Conversations and messages as they are told outside: by the API, to webhooks, in exports."""

from __future__ import annotations

from typing import Any

import msgspec

from user360 import clock, ids
from user360.conversations.talk import Attachment, Conversation, Message


def conversation(held: Conversation, record: int | None) -> dict[str, Any]:
    """A conversation; `record` is the living person behind it, None when they are gone."""
    return {
        "id": ids.public_conversation_id(held.id),
        "channel": held.channel,
        "session": held.session,
        "recordId": None if record is None else ids.public_record_id(record),
        "kind": held.kind,
        "state": held.state,
        "subject": held.subject,
        "priority": held.priority,
        "group": held.group,
        "skills": list(held.skills),
        "assignee": held.assignee,
        "tags": list(held.tags),
        "reason": held.reason,
        "messages": held.messages,
        "lastFrom": held.last_from,
        "lastText": held.last_text,
        "createdAt": clock.to_iso(held.created_at),
        "updatedAt": clock.to_iso(held.updated_at),
        "waitingSince": _moment(held.waiting_since),
        "queuedAt": _moment(held.queued_at),
        "assignedAt": _moment(held.assigned_at),
        "firstReplyAt": _moment(held.first_reply_at),
        "endedAt": _moment(held.ended_at),
    }


def message(held: Message) -> dict[str, Any]:
    """One thing that was said. `author` is the member, key or flow behind it."""
    return {
        "id": ids.public_message_id(held.id),
        "conversationId": ids.public_conversation_id(held.conversation),
        "from": held.sender,
        "author": held.author,
        "text": held.text,
        "attachments": [attachment(each) for each in held.attachments],
        "timestamp": clock.to_iso(held.at),
        "receivedAt": clock.to_iso(held.received_at),
        "delivery": held.delivery,
        "error": held.error,
        "detail": held.detail,
    }


def attachment(held: Attachment) -> dict[str, Any]:
    """A file said with a message: one of `id` and `url` is empty."""
    told: dict[str, Any] = msgspec.structs.asdict(held)
    return told


def _moment(at: int | None) -> str | None:
    return None if at is None else clock.to_iso(at)
