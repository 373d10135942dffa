"""Which mails nobody wrote by hand, by what they say of themselves (RFC 3834, and older ways)."""

from __future__ import annotations

import re

from user360.channels.email import headers
from user360.channels.email.headers import Part

# An answer that nobody wrote, a mail to many, one that a machine made, a report on another mail.
REPLY, LIST, GENERATED, BOUNCE = "reply", "list", "generated", "bounce"
KINDS = (REPLY, LIST, GENERATED, BOUNCE)
_TO_MANY = ("bulk", "list", "junk")
_OF_MAILERS = re.compile(r"^(?:mailer-daemon|postmaster|mail-daemon|mailerdaemon)@", re.IGNORECASE)
_KEYWORD = re.compile(r"[;\s(]")
_AWAY = re.compile(
    r"^\s*(?:automatic reply|auto(?:matic)?[ -]?(?:reply|response)|out of (?:the )?office"
    r"|automatische antwort|abwesenheitsnotiz|réponse automatique|respuesta automática"
    r"|risposta automatica|resposta automática|automatisch antwoord)\b",
    re.IGNORECASE,
)


def kind_of(part: Part, sender: str, subject: str, envelope: str | None) -> str:
    """Which of `KINDS` a mail is, empty for one that somebody wrote.

    `envelope` is its sender by SMTP, None where that is unknown.
    """
    said = _KEYWORD.split(headers.first(part, "Auto-Submitted").lower())[0]
    nobody = envelope == "" or headers.first(part, "Return-Path") == "<>"
    if is_report(part) or _OF_MAILERS.match(sender):
        return BOUNCE
    if said == "auto-replied" or _answers_by_itself(part) or _AWAY.match(subject) or nobody:
        return REPLY
    if said and said != "no":
        return GENERATED
    precedence = headers.first(part, "Precedence").lower()
    if precedence in _TO_MANY or headers.raw(part, "List-Id") or headers.raw(part, "List-Post"):
        return LIST
    return LIST if headers.raw(part, "List-Unsubscribe") else ""


def is_report(part: Part) -> bool:
    """Whether a mail reports on another one (RFC 6522)."""
    if headers.content_type(part) != "multipart/report":
        return False
    kind = headers.parameter(part, "Content-Type", "report-type").lower()
    return kind in ("", "delivery-status")


def _answers_by_itself(part: Part) -> bool:
    if headers.first(part, "Precedence").lower() == "auto_reply":
        return True
    return any(headers.raw(part, name) for name in ("X-Autoreply", "X-Autorespond"))
