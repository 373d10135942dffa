"""A post office for tests: mails are handed in by SMTP, LMTP or as bytes, and looked at after."""

from __future__ import annotations

import itertools
import smtplib
from email.message import EmailMessage
from typing import Any

from tests.stories.shop import Shop
from user360.channels import settings
from user360.channels.email.intake import Intake
from user360.channels.email.listener import Listener
from user360.channels.email.tokens import Tokens
from user360.conversations import attachments, store
from user360.conversations.talk import Conversation, Message, Said
from user360.ingest.call import Outcome
from user360.platform import Platform
from user360.storage.ledger import Connection, run

_numbers = itertools.count(1)


class Post:
    """The e-mail channel of one shop."""

    def __init__(self, platform: Platform, shop: Shop) -> None:
        self.platform = platform
        self.shop = shop
        self.intake = Intake(platform)
        self._listener: Listener | None = None

    @property
    def address(self) -> str:
        return f"support@{self.shop.workspace.name}.test"

    @property
    def tokens(self) -> Tokens:
        return Tokens(self.platform.vault, self.shop.workspace.id)

    @property
    def ports(self) -> dict[str, int]:
        """Where it listens, from the first time that is asked."""
        if self._listener is None:
            self._listener = Listener(self.platform, self.intake, {"smtp": 0, "lmtp": 0})
            self._listener.start("127.0.0.1")
        return self._listener.ports

    @property
    def crowd(self) -> int:
        """How many are connected."""
        return 0 if self._listener is None else len(self._listener._open)

    def smtp(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.ports["smtp"], timeout=20)

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()

    def put(self, **given: Any) -> dict[str, Any]:
        """Set the channel."""

        def job(connection: Connection) -> dict[str, Any]:
            change = self.platform.change(connection, self.shop.workspace, "key:1")
            return settings.change(change, self.platform.vault, "email", given)

        return self.platform.write(job)

    def mail(self, text: str = "Where is my order?", **headers: str) -> EmailMessage:
        """A mail from Asha, with other headers than usual; `_` stands for `-`, empty for none."""
        mail = EmailMessage()
        usual = {
            "From": "Asha Rao <asha@example.org>",
            "To": self.address,
            "Subject": "Late order",
            "Message-ID": f"<{next(_numbers)}.{self.shop.workspace.name}@mail.example.org>",
        }
        for name, value in {
            **usual,
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }.items():
            if value:
                mail[name] = value
        mail.set_content(text)
        return mail

    def take(self, mail: EmailMessage | bytes, envelope: str | None = "asha@example.org") -> str:
        """Hand a mail in past the sockets; what became of it."""
        raw = mail if isinstance(mail, bytes) else mail.as_bytes()
        return self.intake.take(self.shop.workspace, raw, envelope=envelope)

    def conversations(self) -> list[Conversation]:
        """All there are, oldest first."""
        with self.platform.ledger.read() as connection:
            where = (connection, self.platform.ledger.dialect, self.shop.workspace.id)
            query = "SELECT id FROM conversations WHERE workspace_id = :workspace ORDER BY id"
            rows = run(connection, query, {"workspace": self.shop.workspace.id})
            found = store.load(*where, [row[0] for row in rows])
        return [found[number] for number in sorted(found)]

    def only(self) -> Conversation:
        (found,) = self.conversations()
        return found

    def messages(self, conversation: Conversation | None = None) -> list[Message]:
        """What was said in one, or in the only one."""
        number = (conversation or self.only()).id
        with self.platform.ledger.read() as connection:
            query = f"SELECT {store.MESSAGE} FROM messages m WHERE m.conversation_id = :id"
            return [store.message(row) for row in run(connection, query, {"id": number})]

    def content(self, message: Message, at: int = 0) -> bytes:
        """What a file of a message holds."""
        number = message.attachments[at].id
        where = (self.platform.directory, self.shop.workspace.id, number)
        return attachments.path_of(*where).read_bytes()

    def person(self, conversation: Conversation) -> dict[str, Any]:
        return self.shop.record(conversation.record)

    def answer(self, text: str, **known: Any) -> Outcome:
        """An agent answers in the only conversation, or in the one that is named."""
        sender = known.pop("sender", "agent")
        number = known.pop("conversation", None) or self.only().id
        said = Said(sender=sender, text=text, author="key:1", **known)
        now = self.platform.now()
        return self.shop.send(conversation=number, said=said, at=now, message_id=str(now))
