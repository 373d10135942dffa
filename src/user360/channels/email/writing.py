"""A message of ours written as a mail: nothing that is put into it can act as a header."""

from __future__ import annotations

import email.utils
import html
import re
from email import policy
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage

import email_validator
import msgspec

from user360.channels.bringing import Permanent
from user360.channels.email import headers, tokens
from user360.channels.email.reading import plain_subject

MOST_REFERENCES = 20
_ID = re.compile(r"[!-;=?-~]{1,980}@[!-;=?-~]{1,980}\Z")
LONGEST_ID = 980
_LINK = re.compile(r"https?://[^\s<>\"']{1,2000}[^\s<>\"'.,;:!?)\]]")


class File(msgspec.Struct, frozen=True):
    """Something that is attached."""

    name: str
    type: str
    data: bytes


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail is made of. `token` finds back to the conversation; `answers` are the ids of the
    thread, the newest last. `copies` are who else gets it. `automatic` when no agent wrote it.
    """

    id: str
    token: str
    address: str
    name: str
    to: str
    subject: str
    text: str
    by_address: bool
    copies: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    automatic: bool = False
    at: float | None = None


class Written(msgspec.Struct, frozen=True):
    """A mail ready to be handed in, with its envelope. `utf8` when its addresses need SMTPUTF8."""

    sender: str
    recipient: str
    content: bytes
    utf8: bool
    copies: tuple[str, ...] = ()


def write(letter: Letter) -> Written:
    """The mail of a letter. Raises `Permanent` for an address that nothing can be sent to."""
    sender, own_utf8 = _deliverable(letter.address)
    recipient, utf8 = _deliverable(letter.to)
    copies = dict(map(_deliverable, letter.copies))
    utf8 = utf8 or own_utf8 or any(copies.values())
    also = [each for each in copies if each.lower() != recipient.lower()]
    local, _, domain = sender.rpartition("@")
    tagged = f"{local}+{letter.token}@{domain}"
    message = EmailMessage(policy=policy.SMTPUTF8 if utf8 else policy.SMTP)
    message["From"] = _mailbox(letter.name, sender)
    message["To"] = _mailbox("", recipient)
    if also:
        message["Cc"] = [_mailbox("", each) for each in also]
    message["Subject"] = _subject(letter)
    message["Date"] = email.utils.formatdate(letter.at)
    if letter.by_address:
        message["Reply-To"] = _mailbox(letter.name, tagged)
    message["X-Loop"] = letter.address.lower()
    if letter.automatic:
        message["Auto-Submitted"] = "auto-replied"
    message.set_content(letter.text, charset="utf-8", cte="quoted-printable")
    message.add_alternative(_html(letter.text), "html", charset="utf-8", cte="quoted-printable")
    for file in letter.files:
        kind, _, of = _type(file.type).partition("/")
        message.add_attachment(file.data, kind, of, cte="base64", filename=_one_line(file.name))
    content = _threading(letter) + message.as_bytes()
    from_ = tagged if letter.by_address else sender
    return Written(from_, recipient, content, utf8, tuple(also))


def _deliverable(address: str) -> tuple[str, bool]:
    """An address as it goes over the wire, and whether that takes SMTPUTF8."""
    try:
        found = email_validator.validate_email(
            address, check_deliverability=False, test_environment=True, allow_domain_literal=True
        )
    except email_validator.EmailNotValidError:
        raise Permanent("There is no address that a mail could be sent to") from None
    return (found.ascii_email or found.normalized), found.ascii_email is None


def _mailbox(name: str, address: str) -> Mailbox:
    local, _, domain = address.rpartition("@")
    return Mailbox(_one_line(name), local, domain)


def _subject(letter: Letter) -> str:
    plain = plain_subject(tokens.without(_one_line(letter.subject)))
    token = "" if letter.by_address else f" [{letter.token}]"
    return f"Re: {plain}{token}" if plain else f"Your message{token}"


def _one_line(given: str) -> str:
    return " ".join(headers.seen(given).split())


def _threading(letter: Letter) -> bytes:
    """The headers that hold ids. Written here, for the library would encode and break long ones."""
    known = [each for each in letter.answers if _ID.match(each) and len(each) <= LONGEST_ID]
    lines = [f"Message-ID: <{letter.id}>"]
    if known:
        kept = dict.fromkeys([known[0], *known[-MOST_REFERENCES:]])
        references = "\r\n ".join(f"<{each}>" for each in kept)
        lines += [f"In-Reply-To: <{known[-1]}>", f"References: {references}"]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _html(text: str) -> str:
    """The same text as HTML: paragraphs, lines, links."""
    parts = re.split(r"\n{2,}", text.replace("\r\n", "\n").strip())
    shown = "\n".join(f"<p>{_linked(part)}</p>" for part in parts)
    return f"<!doctype html>\n<html><body>\n{shown}\n</body></html>\n"


def _linked(text: str) -> str:
    found, at = [], 0
    for match in _LINK.finditer(text):
        href = html.escape(match[0])
        found += [html.escape(text[at : match.start()]), f'<a href="{href}">{href}</a>']
        at = match.end()
    return "".join([*found, html.escape(text[at:])]).replace("\n", "<br>\n")


def _type(given: str) -> str:
    """The type a file is sent as; what would be a mail or a part of one is sent as plain bytes."""
    usable = re.fullmatch(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", given, re.ASCII)
    if usable is None or given.startswith(("message/", "multipart/")):
        return "application/octet-stream"
    return given
