"""Hands answers in to the channel's mail server."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog

from user360 import ids
from user360.access.workspaces import Workspace
from user360.channels import settings
from user360.channels.bringing import Delivery, Locked, Permanent, Temporary
from user360.channels.declared import Email, Smtp
from user360.channels.email import addresses, recipients, store, writing
from user360.channels.email.addresses import CHANNEL
from user360.channels.email.store import Kept
from user360.channels.email.tokens import Tokens
from user360.channels.email.writing import File, Letter, Written
from user360.conversations import attachments, talk
from user360.conversations.talk import Attachment, Conversation, Message, Said
from user360.identity import people
from user360.ingest.call import Call
from user360.platform import Platform

log = structlog.get_logger()
BY = "channel:email"
SECONDS = 20.0
TAKEN = (250, 251)
LONGEST_REASON = 200
_ADDRESS = re.compile(r"<?[^\s<>@]+@[\w.\[\]:-]+>?")
_ENHANCED = re.compile(r"^\d\.\d{1,3}\.\d{1,3}\s+")


class EmailSender:
    """Brings messages by e-mail; see `bringing.Sender`."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def send(self, delivery: Delivery, message: Message, conversation: Conversation) -> str:
        """Hand a message in; the id of its mail. Raises `Temporary` and `Permanent`."""
        workspace = self._platform.workspaces[delivery.workspace]
        channel = settings.whole(self._platform, workspace, CHANNEL, Email)
        if missing := channel.missing():
            raise Permanent(f"The channel email is not set up: {' and '.join(missing)} missing")
        letter = self._letter(workspace, channel, message, conversation)
        refused = hand_in(channel.smtp, writing.write(letter))
        if refused:
            self._tell(workspace, message, refused)
        return letter.id

    def _tell(self, workspace: Workspace, message: Message, refused: Mapping[str, str]) -> None:
        """Note for agents who was sent no copy; that costs nobody the answer itself."""
        lines = [f"{address}: {reason}" for address, reason in refused.items()]
        number = f"copies:{ids.public_message_id(message.id)}"
        text = "\n".join(["The answer went out, but not to all in copy.", *lines])
        now = self._platform.now()
        call = Call(
            workspace=workspace.id,
            source="conversation",
            ref=BY,
            at=now,
            message_id=number,
            conversation=message.conversation,
            said=Said(sender=talk.NOTE, text=text[: talk.LONGEST_TEXT], id=number, author=BY),
        )
        (outcome,) = self._platform.settle([call])
        if outcome.problem is not None:
            log.warning("copies not told", workspace=call.workspace, reason=outcome.problem.code)

    def _letter(
        self,
        workspace: Workspace,
        channel: Email,
        message: Message,
        conversation: Conversation,
    ) -> Letter:
        with self._platform.ledger.read() as connection:
            kept = store.thread(connection, workspace.id, conversation.session)
        earlier = [each for each in kept if each.message < message.id]
        heard = [each for each in earlier if each.sender == talk.CUSTOMER]
        by_bot = message.sender == talk.BOT_SAYS
        if by_bot and heard and heard[-1].detail.get("automatic"):
            raise Permanent("Not sent: nobody wrote the mail that this would answer")
        tokens = Tokens(self._platform.vault, workspace.id)
        domain = channel.address.rpartition("@")[2].lower()
        return Letter(
            id=tokens.message_id(conversation.id, message.id, domain),
            token=tokens.token(conversation.id),
            address=channel.address,
            name=channel.name,
            to=self._recipient(workspace, heard, conversation),
            copies=_copies(message),
            subject=conversation.subject,
            text=_text(message),
            by_address=channel.thread_by == "address",
            answers=tuple(each.external for each in earlier),
            files=self._files(workspace, message),
            automatic=by_bot,
            at=message.at / 1_000_000,
        )

    def _recipient(
        self, workspace: Workspace, heard: list[Kept], conversation: Conversation
    ) -> str:
        """Who began the thread, where they want answers; else the person's own address."""
        found = recipients.answered(heard)
        found = found or self._address_of(workspace, conversation.record)
        if addresses.is_ours(workspace, found):
            raise Permanent("Not sent: the mail would come back to this very mailbox")
        return found

    def _address_of(self, workspace: Workspace, record: int) -> str:
        with self._platform.ledger.read() as connection:
            dialect = self._platform.ledger.dialect
            person = people.one(connection, dialect, workspace, record)
        if person is None:
            return ""
        return str(person["properties"].get("email") or person.get("userId") or "")

    def _files(self, workspace: Workspace, message: Message) -> tuple[File, ...]:
        """The files of a message, which are all in memory at once while it is sent."""
        held = [each for each in message.attachments if each.id]
        if sum(each.size for each in held) > attachments.LARGEST:
            most = attachments.LARGEST // 1_048_576
            raise Permanent(f"Not sent: its files have more than the {most} MB that a mail carries")
        return tuple(self._file(workspace, each) for each in held)

    def _file(self, workspace: Workspace, attachment: Attachment) -> File:
        path = attachments.path_of(self._platform.directory, workspace.id, attachment.id)
        try:
            return File(attachment.name, attachment.type, path.read_bytes())
        except FileNotFoundError:
            raise Permanent("Not sent: a file that was attached is gone") from None


def _text(message: Message) -> str:
    """What is said, with the files that are elsewhere named below it."""
    linked = [f"{each.name}: {each.url}" for each in message.attachments if each.url]
    return "\n\n".join(each for each in (message.text.rstrip(), "\n".join(linked)) if each) + "\n"


def _copies(message: Message) -> tuple[str, ...]:
    """Who else gets an answer, as whoever gave it chose."""
    found = message.detail.get(recipients.COPIES, ())
    return tuple(map(str, found)) if isinstance(found, list) else ()


def hand_in(server: Smtp, written: Written) -> dict[str, str]:
    """Give a mail to a server, which has taken it over then; who gets no copy, and why not.

    Raises `Temporary`, `Permanent`: then nobody gets it.
    """
    with _told(), _connected(server) as client:
        client.ehlo_or_helo_if_needed()
        if written.utf8 and not client.has_extn("smtputf8"):
            raise Permanent("The mail server cannot send to addresses of this alphabet")
        options = ["SMTPUTF8"] if written.utf8 else []
        if client.does_esmtp and client.has_extn("size"):
            options.append(f"SIZE={len(written.content)}")
        _agreed(client.mail(written.sender, options))
        # Who is answered comes first: without them nobody gets a copy.
        _agreed(client.rcpt(written.recipient))
        refused = {}
        for address in written.copies:
            code, said = client.rcpt(address)
            if code not in TAKEN:
                refused[address] = str(_refused(code, said))
        code, said = client.data(written.content)
        _agreed((code, said))
        return refused


def _agreed(answer: tuple[int, bytes]) -> None:
    """Raises for what a server does not take."""
    if answer[0] not in TAKEN:
        raise _refused(*answer)


@contextmanager
def _connected(server: Smtp) -> Iterator[smtplib.SMTP]:
    context = ssl.create_default_context()
    made: smtplib.SMTP
    if server.security == "tls":
        made = smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=context)
    else:
        made = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
    with made as client:
        if server.security == "starttls":
            client.starttls(context=context)
        if server.user:
            client.login(server.user, server.password)
        yield client


@contextmanager
def _told() -> Iterator[None]:
    """What went wrong, in words that name no address.

    Trouble with the server itself passes once somebody mends it; what it says of one mail stays.
    """
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise Locked(f"The mail server does not let us in ({error.smtp_code})") from error
    except smtplib.SMTPDataError as error:
        raise _refused(error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise Temporary("The mail server does not offer what the settings ask for") from error
    except (smtplib.SMTPException, ssl.SSLError) as error:
        raise Temporary("The mail server and we could not agree how to talk") from error
    except TimeoutError as error:
        raise Temporary("The mail server did not answer in time") from error
    except (OSError, UnicodeError) as error:
        raise Temporary("The mail server could not be reached") from error


def _refused(code: int, said: bytes | str) -> Temporary | Permanent:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    plain = _ADDRESS.sub("the address", _ENHANCED.sub("", " ".join(text.split())))
    reason = f"The mail server refused it: {plain[:LONGEST_REASON]} ({code})"
    return Permanent(reason) if code >= 500 else Temporary(reason)
