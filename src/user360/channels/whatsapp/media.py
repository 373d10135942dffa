"""Fetches the files that customers send: the message is kept at once, its file comes after it."""

from __future__ import annotations

import msgspec

from user360.channels.bringing import Delivery, Permanent
from user360.channels.outbox import MEDIA
from user360.channels.whatsapp.sending import Numbers
from user360.conversations import attachments, marks, store
from user360.conversations.news import News
from user360.conversations.talk import Attachment, Conversation, Message
from user360.platform import Platform
from user360.storage.ledger import Connection


class MediaFetcher:
    """Brings a customer's file from WhatsApp to its message; a `Sender` of the way `media`."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._numbers = Numbers(platform)

    def send(self, delivery: Delivery, message: Message, conversation: Conversation) -> str:
        """Fetch the file of a message, once; see `Sender`."""
        del conversation  # a file belongs to its message alone
        wanted = message.detail.get(MEDIA)
        if message.attachments or not isinstance(wanted, dict):
            return ""
        try:
            self._fetch(delivery, wanted)
        except Permanent as why:
            self._note(delivery, str(why))
            raise
        return ""

    def close(self) -> None:
        """Let go of the connections; see `Holding`."""
        self._numbers.close()

    def _fetch(self, delivery: Delivery, wanted: dict[str, str]) -> None:
        platform, workspace = self._platform, delivery.workspace
        part = attachments.begin(platform.directory, workspace)
        try:
            with part.open("wb") as file:
                self._numbers.of(workspace).fetch(wanted["id"], file, attachments.LARGEST)
            size = part.stat().st_size
            kept = attachments.settle(part)
        finally:
            part.unlink(missing_ok=True)
        told = Attachment(wanted["name"], wanted["type"], size)

        def attach(connection: Connection) -> list[News]:
            where = (connection, platform.ledger.dialect, workspace, [delivery.message])
            if not marks.of(*where):
                return []  # whoever said it was deleted meanwhile, and so is this file
            given = attachments.keep(connection, workspace, kept, told, platform.clock.now())
            store.said_with(connection, workspace, delivery.message, kept)
            return marks.alter(*where, lambda m: marks.attach(m, (given,)))

        if not platform.tell(attach):
            attachments.remove(platform.directory, [(workspace, kept)])

    def _note(self, delivery: Delivery, why: str) -> None:
        """Let whoever reads the message see that there was a file, and why it is not there."""
        dialect = self._platform.ledger.dialect
        where = (dialect, delivery.workspace, [delivery.message])

        def after(message: Message) -> Message:
            return msgspec.structs.replace(message, error=why[: marks.LONGEST_ERROR])

        self._platform.tell(lambda c: marks.alter(c, *where, after))
