"""Reports on mails that did not arrive, or not yet (RFC 3464)."""

from __future__ import annotations

import re

import msgspec

from user360.channels.email import headers
from user360.channels.email.headers import Part

LONGEST_REASON = 300
FAILED, DELAYED = "failed", "delayed"
_ADDRESS = re.compile(r"<?[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+>?")
_ORIGINAL = re.compile(r"(?im)^message-id:\s*<([^<>\s]{1,990})>")
_MOST_PARTS = 20
# What the second and third number of a status (RFC 3463) mean, where that helps who reads it.
_MEANS = {
    "1.1": "there is no such mailbox",
    "1.2": "there is no such domain",
    "1.3": "the address is not valid",
    "1.10": "the domain takes no mail",
    "2.1": "the mailbox takes no mail now",
    "2.2": "the mailbox is full",
    "2.3": "the mail is too large",
    "3.4": "the mail is too large",
    "4.1": "the other mail server did not answer",
    "4.4": "there is no way to the domain",
    "4.7": "it was tried for too long",
    "7.1": "the other mail server refused it",
}


class Report(msgspec.Struct, frozen=True):
    """What a mail server says of a mail of ours: `action` is `failed` or `delayed`.

    `originals` are the ids of that mail as the report tells them. `hard` when trying again would
    not help. `reason` names no address; `recipients` are those for whom it failed.
    """

    action: str
    originals: tuple[str, ...]
    hard: bool
    reason: str
    recipients: tuple[str, ...] = ()


def read(part: Part) -> Report | None:
    """The report in a mail, if it is one that tells of a mail that did not arrive."""
    if headers.content_type(part) != "multipart/report":
        return None
    # The groups of fields: one of the report, then one of each recipient.
    groups: list[Part] = []
    originals: list[str] = []
    for within in headers.parts(part)[:_MOST_PARTS]:
        kind = headers.content_type(within)
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            groups += headers.parts(within)[:_MOST_PARTS]
        elif kind.startswith("message/") or kind == "text/rfc822-headers":
            originals += _originals(within)
    told = [g for g in groups if _action(g) in (FAILED, DELAYED)]
    if not told:
        return None
    # One report may tell of several; what failed weighs more than what is late.
    worst = next((g for g in told if _action(g) == FAILED), told[0])
    status = headers.first(worst, "Status")
    return Report(
        _action(worst),
        tuple(originals),
        _is_hard(worst, status),
        _reason(worst, status),
        tuple(_recipient(group) for group in told if _action(group) == FAILED),
    )


def _recipient(group: Part) -> str:
    """Who it was sent to, as we wrote them where the report says so; empty where it does not."""
    said = headers.first(group, "Original-Recipient") or headers.first(group, "Final-Recipient")
    return said.partition(";")[2].strip().strip("<>")


def _originals(part: Part) -> list[str]:
    if within := headers.parts(part):
        return [each for p in within for each in headers.ids(p, "Message-ID")]
    head = _ORIGINAL.search(str(part.get_payload())[: headers.LONGEST])
    return [head[1]] if head else []


def _action(group: Part) -> str:
    return headers.first(group, "Action").lower()


def _is_hard(group: Part, status: str) -> bool:
    return _action(group) == FAILED and not status.startswith("4")


def _reason(group: Part, status: str) -> str:
    number = re.match(r"[245]\.(\d{1,3}\.\d{1,3})", status)
    means = _MEANS.get(number[1], "") if number else ""
    said = headers.first(group, "Diagnostic-Code").partition(";")[2].strip()
    told = means or _ADDRESS.sub("the address", said) or "the other mail server gave no reason"
    return (f"{told} ({status})" if number else told)[:LONGEST_REASON]
