"""A mail as it came, read into what it says. Reading never fails: what cannot be read is kept."""

from __future__ import annotations

import base64
import email
import hashlib
import itertools
import mimetypes
import re
from email import policy

import msgspec
import structlog

from user360.channels.email import authentication, automatic, bounces, headers, markup, quoting
from user360.channels.email.addresses import Address
from user360.channels.email.authentication import Stated
from user360.channels.email.bounces import Report
from user360.channels.email.headers import Part
from user360.conversations import talk

log = structlog.get_logger()
LONGEST_HTML = 131_072  # characters that are made safe, and kept with a message
MOST_BOUNDARIES = 300
MOST_LINES = 1_000_000  # 36 MB of base64 have half of that
MOST_PARTS, MOST_HEADERS = 50_000, 200_000  # lines that may begin one
LONGEST_READ = 2 * talk.LONGEST_TEXT  # characters in which older text is looked for
LONGEST_NAME = 200
MOST_FILES = talk.MOST_ATTACHMENTS - 2  # beside what is too long for the message itself
DEEPEST = 30
WHOLE = "message.eml"
RFC822 = "message/rfc822"
_RE = re.compile(
    r"^\s*(?:(?:re|aw|sv|vs|antw|odp|res|fw|fwd|wg|tr|rv|enc)\s*(?:\[\d{1,3}\])?\s*:\s*)+", re.I
)
_HEADER = re.compile(rb"(?m)^[!-9;-~]{1,80}:")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_IN_NAME = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')


class File(msgspec.Struct, frozen=True):
    """Something that is attached to a mail."""

    name: str
    type: str
    data: bytes


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as it is understood.

    `id` is its Message-ID, empty where it has none that can be told from others, and `key` knows
    it again in any case. `references` are the ids of what it answers, the nearest first. `quoted`
    is the older text below `text`; `html` is safe to be shown. `automatic` is why nobody wrote it
    by hand (see `automatic.KINDS`), `report` what it tells of another mail's way. `stated` is what
    servers on its way say of its sender, empty where it has not exactly one.
    """

    id: str
    key: str
    sender: Address
    reply_to: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    subject: str = ""
    written_at: int | None = None
    text: str = ""
    quoted: str = ""
    html: str = ""
    files: tuple[File, ...] = ()
    references: tuple[str, ...] = ()
    looped: tuple[str, ...] = ()
    automatic: str = ""
    report: Report | None = None
    stated: tuple[Stated, ...] = ()


def read(raw: bytes, envelope: str | None = None) -> Mail:
    """What a mail says. `envelope` is its sender by SMTP, empty for what nobody shall answer.

    Of a mail that defies all reading the whole is attached.
    """
    envelope = None if envelope is None else headers.seen(envelope)
    try:
        return _read(raw, envelope)
    except Exception as error:  # noqa: BLE001 - whatever is sent, it is kept; its trace holds it
        log.error("mail not understood", bytes=len(raw), kind=type(error).__name__)
        return Mail(
            id="",
            key=_digest(raw),
            sender=Address(envelope or ""),
            text="This mail could not be read; it is attached as it came.",
            files=(File(WHOLE, RFC822, raw),),
            automatic=automatic.GENERATED,
        )


def _read(raw: bytes, envelope: str | None) -> Mail:
    if _is_endless(raw):
        raise ValueError("more parts than anybody sends")
    part: Part = email.message_from_bytes(raw, policy=policy.compat32)
    senders = headers.addresses(part, "From") or headers.addresses(part, "Sender")
    sender = senders[0] if senders else Address(envelope or "")
    reply = headers.addresses(part, "Reply-To")
    body = _Body()
    body.take(part)
    text, quoted, html, files = body.told(raw)
    found = headers.ids(part, "Message-ID")
    named = found[0] if found and "@" in found[0] else ""
    subject = headers.first(part, "Subject")[: talk.LONGEST_SUBJECT]
    return Mail(
        id=named,
        key=_key(named, sender.address, part, raw),
        sender=sender,
        reply_to=reply[0].address if reply else "",
        to=tuple(each.address for each in headers.addresses(part, "To")),
        cc=tuple(each.address for each in headers.addresses(part, "Cc")),
        subject=subject,
        written_at=headers.date(part),
        text=text,
        quoted=quoted,
        html=html,
        files=files,
        references=_references(part),
        looped=tuple(headers.text(value).lower() for value in headers.raw(part, "X-Loop")),
        automatic=automatic.kind_of(part, sender.address, subject, envelope),
        report=bounces.read(part),
        stated=authentication.read(part) if _has_one_sender(part) else (),
    )


def _is_endless(raw: bytes) -> bool:
    """Whether reading would take hostile time or memory: a line, a part, a header is an object."""
    if raw.count(b"\n") > MOST_LINES:
        return True
    if raw.count(b"boundary") > MOST_BOUNDARIES or raw.count(b"\n--") > MOST_PARTS:
        return True  # parts within parts are read ever more slowly
    # In reports each empty line begins a part.
    reports = b"delivery-status" in raw.lower()
    if reports and raw.count(b"\n\n") + raw.count(b"\n\r\n") > MOST_PARTS:
        return True
    return next(itertools.islice(_HEADER.finditer(raw), MOST_HEADERS, None), None) is not None


def _has_one_sender(part: Part) -> bool:
    """Whether it is clear which sender was looked at by who checked it."""
    return len(headers.raw(part, "From")) == 1 == len(headers.addresses(part, "From"))


def plain_subject(subject: str) -> str:
    """A subject without the marks of answers and forwarded mails before it."""
    return _RE.sub("", subject).strip()


def _references(part: Part) -> tuple[str, ...]:
    """What it answers: the one it names first, then the thread from its end to its beginning."""
    near = headers.ids(part, "In-Reply-To")
    return tuple(dict.fromkeys([*near, *reversed(headers.ids(part, "References"))]))


def _key(named: str, sender: str, part: Part, raw: bytes) -> str:
    """What knows a mail again that comes by another way: its id and its sender, else its content.

    What is added to a mail on its way stands before its own headers or in headers of its own.
    """
    if named:
        return _digest(named.encode(), sender.lower().encode())
    own = [
        *(value for name in ("From", "To", "Subject", "Date") for value in headers.raw(part, name))
    ]
    said = raw.partition(b"\r\n\r\n")[2] or raw.partition(b"\n\n")[2]
    head = "\n".join(own).encode("utf-8", "surrogateescape")
    return _digest(head, b"".join(said.split()) if own or said else raw)


def _digest(*parts: bytes) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "big") + part)
    return found.hexdigest()


class _Body:
    """Gathers what the parts of a mail say and what is attached."""

    def __init__(self) -> None:
        self._plain: list[str] = []
        self._html: list[str] = []
        self._files: list[File] = []

    def take(self, part: Part, depth: int = 0) -> None:
        """Take in a part with all in it."""
        kind = headers.content_type(part)
        if kind == RFC822:
            self._attach(part, kind, _enclosed(part))
        elif part.is_multipart() and depth < DEEPEST:
            for within in headers.parts(part):
                self.take(within, depth + 1)
        elif part.is_multipart():
            self._attach(part, RFC822, part.as_bytes())
        else:
            self._leaf(part, kind)

    def _leaf(self, part: Part, kind: str) -> None:
        content = _payload(part)
        named = bool(_name(part))
        said = headers.disposition(part) != "attachment" and not named
        # What says that it has parts and has none is text.
        if said and (kind == "text/plain" or kind.startswith("multipart/")):
            self._plain.append(_text(part, content))
        elif kind == "text/html" and said:
            self._html.append(_text(part, content))
        elif content or named:
            self._attach(part, kind, content)

    def _attach(self, part: Part, kind: str, data: bytes) -> None:
        number = len(self._files) + 1
        called = _name(part) or f"attachment-{number}{_ending(kind)}"
        self._files.append(File(called, kind[:100], data))

    def told(self, raw: bytes) -> tuple[str, str, str, tuple[File, ...]]:
        """Text, older text, safe HTML and files."""
        html = "\n".join(self._html)
        safe = markup.safe(html[:LONGEST_HTML]) if html.strip() else ""
        plain = "\n".join(self._plain).replace("\r\n", "\n").replace("\r", "\n")
        whole = plain.strip() or markup.text(safe)
        text, quoted = quoting.folded(whole[:LONGEST_READ])
        if len(self._files) > MOST_FILES:
            self._files = [File(WHOLE, RFC822, raw)]
        if max(len(text), len(quoted)) > talk.LONGEST_TEXT or len(whole) > LONGEST_READ:
            self._files.append(File("message.txt", "text/plain", whole.encode()))
        if len(html) > LONGEST_HTML or len(safe) > LONGEST_HTML:
            self._files.append(File("message.html", "text/html", html.encode()))
            safe = ""
        longest = talk.LONGEST_TEXT
        return text[:longest], quoted[:longest], safe, tuple(self._files)


def _enclosed(part: Part) -> bytes:
    """The mail in a mail, as it came."""
    return b"\n".join(each.as_bytes() for each in headers.parts(part)) or _payload(part)


def _payload(part: Part) -> bytes:
    """What a part holds; of broken base64 all that can be read."""
    data, given = part.get_payload(decode=True), part.get_payload()
    content = data if isinstance(data, bytes) else b""
    coded = headers.first(part, "Content-Transfer-Encoding").lower() == "base64"
    undone = isinstance(given, str) and content[:99] == given[:99].encode("ascii", "ignore")
    if not coded or not undone:
        return content
    letters = _NOT_BASE64.sub("", str(given).partition("=")[0])
    return base64.b64decode(letters[: len(letters) - (len(letters) % 4 == 1)] + "==")


def _text(part: Part, data: bytes) -> str:
    charset = headers.parameter(part, "Content-Type", "charset")
    return headers.seen(headers.decoded(data, charset))


def _name(part: Part) -> str:
    """What a file is called: nothing of a path, nothing unseen."""
    given = headers.parameter(part, "Content-Disposition", "filename")
    given = given or headers.parameter(part, "Content-Type", "name")
    called = _IN_NAME.sub("_", given.replace("\\", "/").rpartition("/")[2]).strip(" .")
    if len(called) <= LONGEST_NAME:
        return called
    stem, dot, ending = called.rpartition(".")
    keep = LONGEST_NAME - len(ending) - 1
    return f"{stem[:keep]}.{ending}" if dot and keep > 0 else called[:LONGEST_NAME]


def _ending(kind: str) -> str:
    if kind == RFC822:
        return ".eml"
    if kind == "text/calendar":
        return ".ics"
    return mimetypes.guess_extension(kind) or ".bin"
