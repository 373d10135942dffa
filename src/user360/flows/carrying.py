"""Brings one-time codes to an address: by the senders of the channels, past all conversations.

A code is in no conversation, so nobody who reads the inbox sees it, and it is kept nowhere.
"""

from __future__ import annotations

from typing import Protocol

from user360.access.workspaces import Workspace
from user360.channels.bringing import Delivery, Permanent, Sender, Temporary
from user360.channels.senders import SENDERS
from user360.conversations import talk
from user360.conversations.talk import Conversation, Message
from user360.platform import Platform

SUBJECT = "Your code"
TEXT = "Your code is {code}. It is good for 10 minutes. Who did not ask for it can ignore this."


class NotCarried(Exception):
    """A code could not be brought; the message says why, without the address."""


class Carrier(Protocol):
    """Brings a code to an address, on a thread. Raises `NotCarried`."""

    def carry(self, workspace: Workspace, way: str, address: str, code: str) -> None:
        """Bring it by `whatsapp` or `email`."""
        ...  # pragma: no cover

    def ready(self, workspace: Workspace, way: str) -> bool:
        """Whether this workspace can send anything that way."""
        ...  # pragma: no cover


class Channels:
    """Brings codes by the channels that the workspace has set."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._senders: dict[str, Sender] = {}

    def ready(self, workspace: Workspace, way: str) -> bool:
        """Whether the channel is set and active."""
        channel = workspace.desk.channels.get(way)
        return way in SENDERS and channel is not None and channel.active

    def carry(self, workspace: Workspace, way: str, address: str, code: str) -> None:
        """Send it at once; see `Carrier`."""
        if way not in self._senders:
            self._senders[way] = SENDERS[way](self._platform)
        now = self._platform.clock.now()
        text = TEXT.format(code=code)
        conversation = Conversation(
            id=0,
            record=0,
            channel=way,
            session=address.lstrip("+") if way == "whatsapp" else address,
            kind=talk.TICKET,
            state=talk.BOT,
            created_at=now,
            updated_at=now,
            subject=SUBJECT,
        )
        message = Message(
            id=0,
            conversation=0,
            sender=talk.BOT_SAYS,
            author="",
            text=text,
            attachments=(),
            at=now,
            received_at=now,
        )
        delivery = Delivery(id=0, workspace=workspace.id, conversation=0, message=0, way=way)
        try:
            self._senders[way].send(delivery, message, conversation)
        except (Permanent, Temporary) as why:
            raise NotCarried(str(why)) from why
