"""Brings one-time codes to an address: by the senders of the channels, past all conversations.

A code is in no conversation, so nobody who reads the inbox sees it, and it is kept nowhere.
"""

from __future__ import annotations

import email.utils
from email import policy
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from typing import Protocol

import email_validator

from user360.access.workspaces import Workspace
from user360.channels import settings
from user360.channels.bringing import Delivery, Permanent, Temporary
from user360.channels.declared import Email, WhatsApp
from user360.channels.email import sender
from user360.channels.email.writing import Written
from user360.channels.whatsapp import templates
from user360.channels.whatsapp.sending import WhatsAppSender
from user360.conversations import talk, window
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

    def close(self) -> None:
        """Let go of what it holds open."""
        ...  # pragma: no cover


class Channels:
    """Brings codes by the channels that the workspace has set."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._ways = {"whatsapp": self._by_whatsapp, "email": self._by_email}
        self._whatsapp = WhatsAppSender(platform)

    def ready(self, workspace: Workspace, way: str) -> bool:
        """Whether the channel is set and active."""
        channel = workspace.desk.channels.get(way)
        return way in self._ways and channel is not None and channel.active

    def close(self) -> None:
        """Let go of connections to the channels' servers."""
        self._whatsapp.close()

    def carry(self, workspace: Workspace, way: str, address: str, code: str) -> None:
        """Send it at once; see `Carrier`."""
        try:
            self._ways[way](workspace, address, code)
        except (Permanent, Temporary) as why:
            raise NotCarried(str(why)) from why

    def _by_whatsapp(self, workspace: Workspace, address: str, code: str) -> None:
        """By the template for codes; in words to who may be written to in words where none is set.

        The template is the better way to those too, for it has a button that copies the code.
        """
        now, session = self._platform.clock.now(), address.lstrip("+")
        channel = settings.whole(self._platform, workspace, "whatsapp", WhatsApp)
        detail = {}
        if channel.code_template:
            detail = templates.of_code(channel.code_template, channel.code_language, code)
        elif not self._open(workspace, session, now):
            raise Permanent(
                "The number has not written within 24 hours, and the channel whatsapp has no"
                " codeTemplate"
            )
        conversation = Conversation(
            id=0,
            record=0,
            channel="whatsapp",
            session=session,
            kind=talk.CHAT,
            state=talk.BOT,
            created_at=now,
            updated_at=now,
        )
        message = Message(
            id=0,
            conversation=0,
            sender=talk.BOT_SAYS,
            author="",
            text=TEXT.format(code=code),
            attachments=(),
            at=now,
            received_at=now,
            detail=detail,
        )
        way = Delivery(id=0, workspace=workspace.id, conversation=0, message=0, way="whatsapp")
        self._whatsapp.send(way, message, conversation)

    def _open(self, workspace: Workspace, session: str, now: int) -> bool:
        """Whether WhatsApp takes words of our own for this number just now."""
        with self._platform.ledger.read() as connection:
            ends = window.ending(connection, workspace.id, "whatsapp", session)
        return ends is not None and ends > now

    def _by_email(self, workspace: Workspace, address: str, code: str) -> None:
        channel = settings.whole(self._platform, workspace, "email", Email)
        if channel.missing():
            raise Permanent("The channel email is not set up")
        sender.hand_in(channel.smtp, letter(channel, address, TEXT.format(code=code)))


def letter(channel: Email, address: str, text: str) -> Written:
    """A mail of its own, in no thread. Raises `Permanent` for an address nothing can be sent to."""
    ours, to = _deliverable(channel.address), _deliverable(address)
    utf8 = not (ours + to).isascii()
    mail = EmailMessage(policy=policy.SMTPUTF8 if utf8 else policy.SMTP)
    mail["From"] = _mailbox(channel.name, ours)
    mail["To"] = _mailbox("", to)
    mail["Subject"] = SUBJECT
    mail["Date"] = email.utils.localtime()
    mail["Message-ID"] = email.utils.make_msgid(domain=ours.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text + "\n")
    return Written(ours, to, mail.as_bytes(), utf8)


def _mailbox(name: str, address: str) -> Mailbox:
    local, _, domain = address.rpartition("@")
    return Mailbox(" ".join(name.split()), local, domain)


def _deliverable(address: str) -> str:
    """An address as it goes over the wire."""
    try:
        found = email_validator.validate_email(
            address, check_deliverability=False, test_environment=True, allow_domain_literal=True
        )
    except email_validator.EmailNotValidError:
        raise Permanent("There is no address that a mail could be sent to") from None
    return found.ascii_email or found.normalized
