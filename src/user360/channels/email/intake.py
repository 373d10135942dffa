"""What becomes of a mail that came in: a ticket, an answer in one, a note, a mark, or nothing.

The mails of a workspace are taken in one after another, so that one that comes twice at once, by
two ways, is kept once. Whoever hands one in may do so again whenever taking it in failed.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog
from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from user360 import clock, ids
from user360.access.workspaces import Workspace
from user360.channels import files
from user360.channels.email import (
    addresses,
    authentication,
    automatic,
    bounces,
    reading,
    recipients,
    store,
    tokens,
)
from user360.channels.email.addresses import CHANNEL
from user360.channels.email.bounces import Report
from user360.channels.email.reading import File, Mail
from user360.channels.email.tokens import Named, Tokens
from user360.conversations import marks, talk
from user360.conversations import reading as talks_reading
from user360.conversations import store as talks
from user360.conversations.attachments import LARGEST
from user360.conversations.deeds import Deed
from user360.conversations.marks import Mark
from user360.conversations.news import News
from user360.conversations.talk import Attachment, Conversation, Said
from user360.errors import Busy, Conflict, PersonErased, Problem
from user360.flows import claims
from user360.flows.claims import Claim
from user360.identity import people
from user360.identity import store as identity_store
from user360.ingest.call import Call, Outcome, Session
from user360.observe import metrics
from user360.platform import Platform
from user360.storage.ledger import Connection

log = structlog.get_logger()
BY = "channel:email"
# Mails of one sender in an hour: beyond these nothing answers them by itself, then they are left.
MANY = RateLimitItemPerHour(20)
TOO_MANY = RateLimitItemPerHour(200)
OLDEST = 30 * 86_400 * clock.SECOND  # a date further back is not believed
MOST_SHOWN = 50  # addresses of a mail that are told with it
# What became of a mail.
TICKET, FOLLOWED, NOTED, MARKED, DUPLICATE = "ticket", "followed", "noted", "marked", "duplicate"
OWN, UNASKED, FLOOD, ERASED = "own", "automatic", "flood", "erased"
DROPPED = (OWN, UNASKED, FLOOD, ERASED)


class Unkept(Problem):
    """No rule lets this mail in; it will not be taken however often it comes."""

    code = "mailUnkept"


class Intake:
    """Takes mails into the workspaces of a platform."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._locks: dict[int, threading.Lock] = {}
        self._pace = MovingWindowRateLimiter(MemoryStorage())

    def take(
        self,
        workspace: Workspace,
        raw: bytes,
        *,
        envelope: str | None = None,
        recipient: str = "",
    ) -> str:
        """Take in a mail; what became of it, which is on disk then.

        `envelope` is its sender by SMTP, `recipient` whom it was handed in for. Raises the
        `Problem`s of the storage: then it was not taken in and may come again.
        """
        mail = reading.read(raw, envelope)
        with self._locks.setdefault(workspace.id, threading.Lock()):
            became = _Case(self._platform, workspace, mail, recipient, self._pace).decide()
        metrics.MAILS.labels(became).inc()
        if became in DROPPED:
            log.info("mail left", workspace=workspace.id, reason=became)
        return became


class _Case:
    """One mail and what is known about where it belongs."""

    def __init__(
        self,
        platform: Platform,
        workspace: Workspace,
        mail: Mail,
        recipient: str,
        pace: MovingWindowRateLimiter,
    ) -> None:
        self._platform = platform
        self._workspace = workspace
        self._mail = mail
        self._recipient = recipient
        self._pace = pace
        self._tokens = Tokens(platform.vault, workspace.id)
        self._external = mail.id or mail.key
        self._believed = self._is_believed()

    def decide(self) -> str:
        mail = self._mail
        with self._platform.ledger.read() as connection:
            if self._is_own():
                return OWN
            thread = self._thread(connection)
            if self._is_kept(connection, thread):
                return DUPLICATE
        if mail.automatic == automatic.BOUNCE:
            return self._report(thread)
        if mail.automatic == automatic.REPLY:
            return UNASKED if thread is None else self._note(thread, mail.text or mail.subject)
        who = (str(self._workspace.id), mail.sender.address.lower())
        if not self._pace.hit(TOO_MANY, *who):
            return FLOOD
        calm = self._pace.hit(MANY, *who)
        return self._say(thread, by_hand=calm and not mail.automatic)

    def _is_own(self) -> bool:
        """Whether we sent it: it came back, or somebody wrote from the mailbox itself."""
        if self._tokens.in_id(self._mail.id) is not None:
            return True
        if addresses.of_channel(self._workspace) in self._mail.looped:
            return True
        return addresses.is_ours(self._workspace, self._mail.sender.address)

    def _is_believed(self) -> bool:
        """Whether who sent it may be taken for who it says: by the inbox's setting `proof`."""
        if self._workspace.desk.settings.proof == "claim":
            return True
        channel = self._workspace.desk.channels.get(CHANNEL)
        server = "" if channel is None else str(channel.settings.get("authservId", ""))
        return authentication.proves(self._mail.stated, server, self._mail.sender.address)

    # Where it belongs

    def _thread(self, connection: Connection) -> Conversation | None:
        """The newest conversation of the thread that the mail names."""
        number = self._named(connection)
        if number is None:
            return None
        where = (connection, self._platform.ledger.dialect, self._workspace.id)
        found = talks.load(*where, [number]).get(number)
        if found is None or found.channel != CHANNEL:
            return None
        session = (found.channel, found.session)
        return talks.latest(*where, [session]).get(session, found)

    def _named(self, connection: Connection) -> int | None:
        """The conversation named by a token in an address or the subject, else by what it answers.

        A report names the mail that it tells of. What customers called their mails is known to
        others, so it leads nobody into a thread who may be somebody else.
        """
        mail = self._mail
        for to in (self._recipient, *mail.to, *mail.cc):
            number = self._tokens.in_text(addresses.untagged(to)[1])
            if number is not None:
                return number
        if (number := self._tokens.in_text(mail.subject)) is not None:
            return number
        originals = () if mail.report is None else mail.report.originals
        asked = [*originals, *mail.references]
        kept = store.named(connection, self._platform.ledger.dialect, self._workspace.id, asked)
        for reference in asked:
            if (ours := self._tokens.in_id(reference)) is not None:
                return ours.conversation
            if reference in kept and self._believed:
                return kept[reference][0]
        return None

    def _is_kept(self, connection: Connection, thread: Conversation | None) -> bool:
        """Whether this very mail was taken in, in whatever thread it was then."""
        dialect, workspace = self._platform.ledger.dialect, self._workspace.id
        found = store.named(connection, dialect, workspace, [self._external])
        sessions = {self._session(thread), *(session for _, session in found.values())}
        said = [f"message:{CHANNEL}:{session}:{self._mail.key}" for session in sessions]
        digests = [ids.digest(workspace, each) for each in said]
        return bool(talks.said_before(connection, dialect, digests))

    def _session(self, thread: Conversation | None) -> str:
        """A thread's session; a new one's comes from its first mail, so it is the same again."""
        return self._mail.key[:32] if thread is None else thread.session

    # What is done

    def _report(self, thread: Conversation | None) -> str:
        """Mark what did not arrive; what is late, or cannot be told, is noted in its thread."""
        report = self._mail.report
        if report is None:
            text = self._mail.text or self._mail.subject
            return UNASKED if thread is None else self._note(thread, text)
        named = [ours for each in report.originals if (ours := self._tokens.in_id(each))]
        if (copies := self._copies(thread, named, report)) and thread is not None:
            return self._note(thread, f"The copy to {copies} did not arrive: {report.reason}")
        if report.action == bounces.FAILED and named and named[0].message is not None:
            how = "" if report.hard else "; it was given up after several tries"
            mark = Mark(
                message=named[0].message,
                delivery=talk.FAILED,
                error=f"The mail did not arrive: {report.reason}{how}",
            )
            self._platform.tell(lambda connection: self._put(connection, mark))
            return MARKED
        if thread is None:
            return UNASKED
        late = "has not arrived yet" if report.action == bounces.DELAYED else "did not arrive"
        return self._note(thread, f"A mail {late}: {report.reason}")

    def _copies(self, thread: Conversation | None, named: Sequence[Named], report: Report) -> str:
        """Those in copy of whom alone it is reported that an answer of ours did not arrive."""
        number = named[0].message if named else None
        if thread is None or number is None or report.action != bounces.FAILED:
            return ""
        with self._platform.ledger.read() as connection:
            found = talks_reading.message(connection, self._workspace.id, number)
        held = [] if found is None else found.detail.get(recipients.COPIES, [])
        known = {addresses.alike(str(each)) for each in held} - {""}
        told = [addresses.alike(each) for each in report.recipients]
        return ", ".join(told) if told and known.issuperset(told) else ""

    def _put(self, connection: Connection, mark: Mark) -> list[News]:
        dialect = self._platform.ledger.dialect
        return marks.put(connection, dialect, self._workspace.id, [mark])

    def _note(self, thread: Conversation, text: str) -> str:
        """Tell agents alone; nobody answers that. A machine that goes on is heard so often."""
        if not self._pace.hit(MANY, str(self._workspace.id), f"notes:{thread.id}"):
            return FLOOD
        said = self._said(talk.NOTE, text, self._files())
        outcome = self._settle([self._call(conversation=thread.id, said=said)])
        return DUPLICATE if outcome.status == "duplicate" else NOTED

    def _say(self, thread: Conversation | None, *, by_hand: bool) -> str:
        """Say it in its thread, or begin one; what nobody wrote by hand goes to agents at once."""
        session = Session(CHANNEL, self._session(thread))
        author = "" if thread is None else self._author(thread)
        said = self._said(talk.CUSTOMER, self._mail.text, self._files(), author)
        call = self._call(session=session, said=said)
        if thread is None:
            self._name(call)
        calls = [call]
        if not by_hand:
            calls.append(self._call(session=session, deed=Deed(action="hand_over", by=BY)))
        outcome = self._settle(calls)
        if isinstance(outcome.problem, PersonErased):
            return ERASED
        if outcome.status == "duplicate":
            return DUPLICATE
        return TICKET if thread is None else FOLLOWED

    def _settle(self, calls: Sequence[Call]) -> Outcome:
        """Settle calls; what a mail says of its sender must never cost what they said."""
        outcome = self._platform.settle(calls)[0]
        if isinstance(outcome.problem, Conflict) and calls[0].if_exists == "refuse":
            self._name(calls[0])  # they came by another door meanwhile, and are known now
            outcome = self._platform.settle(calls)[0]
        less: dict[str, Any]
        for less in ({"properties": {}}, {"properties": {}, "user_id": None}):
            if outcome.problem is None or isinstance(outcome.problem, PersonErased):
                break
            _raise_passing(outcome.problem)
            lesser = [msgspec.structs.replace(call, **less) for call in calls]
            outcome = self._platform.settle(lesser)[0]
        if outcome.problem is not None and not isinstance(outcome.problem, PersonErased):
            _raise_passing(outcome.problem)
            log.error("mail refused", workspace=self._workspace.id, code=outcome.problem.code)
            raise Unkept("The mail could not be kept")
        return outcome

    def _call(self, **known: Any) -> Call:
        now = self._platform.now()
        written = self._mail.written_at
        believed = written is not None and now - OLDEST <= written <= now
        return Call(
            workspace=self._workspace.id,
            source="conversation",
            ref=f"session:{CHANNEL}/{self._mail.key[:32]}",
            at=written if believed and written is not None else now,
            message_id=self._mail.key,
            **known,
        )

    def _files(self) -> tuple[Attachment, ...]:
        return tuple(self._file(each) for each in self._mail.files)

    def _file(self, file: File) -> Attachment:
        if len(file.data) > LARGEST:
            told = f"{file.name} has {len(file.data):,} bytes, more than are kept.\n"
            file = File(f"{file.name}.txt", "text/plain", told.encode())
        return files.save(self._platform, self._workspace, file.name, file.type, file.data)

    def _said(
        self, sender: str, text: str, attached: tuple[Attachment, ...], author: str = ""
    ) -> Said:
        mail = self._mail
        subject = reading.plain_subject(tokens.without(mail.subject))
        empty = not text.strip() and not attached
        return Said(
            sender=sender,
            text=(subject or "(an empty mail)") if empty else text[: talk.LONGEST_TEXT],
            attachments=attached,
            id=mail.key,
            author=author,
            kind=talk.TICKET,
            subject=subject,
            external=self._external,
            detail=_detail(mail) if self._believed else {**_detail(mail), "unproven": True},
        )

    # Who it is

    def _name(self, call: Call) -> None:
        """Put into a call that begins a thread who its sender is, or who that claims to be."""
        call.user_id, call.properties = self._person()
        call.if_exists = "update" if self._believed else "refuse"
        claim = self._claim(call.user_id)
        if claim is not None and call.said is not None:
            call.user_id = None
            call.properties = {n: v for n, v in call.properties.items() if n != claim.property}
            call.said = msgspec.structs.replace(call.said, claim=claims.told(claim))

    def _person(self) -> tuple[str | None, dict[str, Any]]:
        """Who begins a thread: the address is their userId; with what is not known of them yet."""
        address = addresses.identifying(self._mail.sender.address)
        if not address:
            return None, {}
        with self._platform.ledger.read() as connection:
            number = identity_store.of_user(connection, self._workspace.id, address)
            dialect = self._platform.ledger.dialect
            found = people.one(connection, dialect, self._workspace, number)
        held = {} if found is None else found["properties"]
        told: dict[str, Any] = {} if held.get("email") else {"email": address}
        if not held.get("firstName") and not held.get("lastName"):
            told |= addresses.names(self._mail.sender.name)
        return address, told

    def _claim(self, address: str | None) -> Claim | None:
        """The claim that a mail is, where it would join a record that is there without a proof."""
        if address is None or self._believed:
            return None
        with self._platform.ledger.read() as connection:
            known = identity_store.of_user(connection, self._workspace.id, address)
        return None if known is None else Claim("email", address, address)

    def _author(self, thread: Conversation) -> str:
        """Whose address it is when it is another than the one that began the thread."""
        sender = addresses.alike(self._mail.sender.address)
        with self._platform.ledger.read() as connection:
            kept = store.thread(connection, self._workspace.id, thread.session)
        begun = next((k.detail.get("from", "") for k in kept if k.sender == talk.CUSTOMER), "")
        return "" if sender == addresses.alike(str(begun)) else sender


def _raise_passing(problem: Problem) -> None:
    """Raises trouble that passes by itself: the mail is not at fault, so nothing is left out."""
    if problem.status >= Busy.status:
        raise problem


def _detail(mail: Mail) -> dict[str, Any]:
    """What the screen of a mail shows beside its text."""
    told: dict[str, Any] = {
        "from": mail.sender.address[:320],
        "name": mail.sender.name[: addresses.LONGEST_NAME],
        "replyTo": mail.reply_to[:320],
        "to": [each[:320] for each in mail.to[:MOST_SHOWN]],
        "cc": [each[:320] for each in mail.cc[:MOST_SHOWN]],
        "subject": mail.subject,
        "html": mail.html,
        "quoted": mail.quoted,
        "automatic": mail.automatic,
    }
    return {name: value for name, value in told.items() if value}
