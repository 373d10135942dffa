"""What customers are shown of what was said and of who answers: no more than they need."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from user360 import ids
from user360.channels.web import sessions
from user360.conversations import attachments, talk
from user360.conversations.talk import Attachment, Conversation, Message
from user360.platform import Platform

FILES = "/channels/web/files"
MOST_CHOICES = 20


def message(platform: Platform, workspace: int, held: Message) -> dict[str, Any]:
    """One thing that was said; `name` is who answers, `id` what the browser called its own."""
    told: dict[str, Any] = {
        "n": ids.public_message_id(held.id),
        "from": held.sender,
        "text": held.text,
        "at": held.at // 1_000,  # milliseconds, as browsers count
    }
    if held.sender == talk.CUSTOMER:
        told["id"] = held.external
    elif held.sender == talk.AGENT and (name := name_of(platform, held.author)):
        told["name"] = name
    if held.attachments:
        told["files"] = [file(platform, workspace, each) for each in held.attachments]
    if choices := _choices(held):
        told["choices"] = choices
    return told


def conversation(platform: Platform, held: Conversation | None) -> dict[str, Any]:
    """How the conversation stands; empty when nothing was said yet."""
    if held is None:
        return {}
    told: dict[str, Any] = {
        "conversation": ids.public_conversation_id(held.id),
        "state": held.state,
    }
    if held.assignee is not None and (name := name_of(platform, f"member:{held.assignee}")):
        told["agent"] = name
    return told


def name_of(platform: Platform, ref: str) -> str:
    """What customers call a member (`member:7`); empty for keys and flows."""
    kind, _, number = ref.partition(":")
    member = platform.members.get(int(number)) if kind == "member" and number.isdigit() else None
    return "" if member is None else member.name


def file(platform: Platform, workspace: int, held: Attachment) -> dict[str, Any]:
    """An attachment, with an address that opens it and nothing else.

    `picture` says that it is kept here and can be drawn.
    """
    if held.id:
        key = sessions.file_key(platform.vault, workspace, held.id)
        url = f"{FILES}/{workspace}/{quote(held.id, safe='')}?key={key}"
    else:
        url = held.url
    told = {"name": held.name, "size": held.size, "type": held.type, "url": url}
    return {**told, "picture": True} if held.id and held.type in attachments.PICTURES else told


def _choices(held: Message) -> list[str]:
    given = held.detail.get("choices") if held.sender != talk.CUSTOMER else None
    if not isinstance(given, list):
        return []
    return [each for each in given if isinstance(each, str) and each.strip()][:MOST_CHOICES]
