"""Whom mails go to: who is answered, who else a mail went to, who may be sent a copy."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from user360.access.workspaces import Workspace
from user360.channels.email import addresses, store
from user360.channels.email.addresses import CHANNEL
from user360.channels.email.store import Kept
from user360.conversations import talk
from user360.conversations.talk import Conversation, Message
from user360.errors import Fault, Invalid
from user360.storage.ledger import Connection

COPIES = "cc"  # in a message's detail, and as the API calls it
MOST = 50
LONGEST = 320
_ROBOT = re.compile(
    r"^(?:no|do[-_.]?not|never)[-_.]?reply\b|^(?:mailer-?daemon|mail-daemon|postmaster|bounces?)\b",
    re.IGNORECASE,
)


def answered(heard: Sequence[Kept]) -> str:
    """Where who began a thread wants answers; empty where nobody wrote.

    Whoever else wrote in it is not answered: what is said to a customer is theirs alone.
    """
    begun = addresses.alike(str(heard[0].detail.get("from", ""))) if heard else ""
    theirs = [
        each.detail
        for each in heard
        if begun and addresses.alike(str(each.detail.get("from", ""))) == begun
    ]
    return str(theirs[-1].get("replyTo") or theirs[-1]["from"]) if theirs else ""


def others(workspace: Workspace, held: Message) -> list[str]:
    """To whom else a mail went, as it is shown: not to us, nor to who wrote it."""
    known = [*_list(held.detail, "to"), *_list(held.detail, COPIES)]
    if not known:
        return []
    return _distinct(workspace, known, without=[str(held.detail.get("from", ""))])


def offered(connection: Connection, workspace: Workspace, held: Conversation) -> list[str]:
    """Who gets a copy when all are answered: who else wrote the newest mail, or got it.

    Our own address is left out, and those at which nobody reads.
    """
    if held.channel != CHANNEL:
        return []
    kept = store.thread(connection, workspace.id, held.session)
    heard = [each for each in kept if each.sender == talk.CUSTOMER]
    if not heard:
        return []
    newest = heard[-1].detail
    wrote = newest.get("replyTo") or newest.get("from", "")
    known = [str(wrote), *_list(newest, "to"), *_list(newest, COPIES)]
    begun = str(heard[0].detail.get("from", ""))
    found = _distinct(workspace, known, without=[answered(heard), begun])
    return [each for each in found if not _ROBOT.match(each)][:MOST]


def stamp(given: Sequence[str]) -> str:
    """Changes whenever these do."""
    return hashlib.blake2b("\n".join(given).encode(), digest_size=8).hexdigest()


def checked(workspace: Workspace, channel: str, given: Sequence[str]) -> list[str]:
    """Addresses that are to get a copy, each once. Raises `Invalid` with each that cannot."""
    if given and channel != CHANNEL:
        raise Invalid.at(COPIES, "Copies go with e-mails alone")
    if len(given) > MOST:
        raise Invalid.at(COPIES, f"A mail goes to at most {MOST} others")
    faults = []
    for i, each in enumerate(given):
        if len(each) > LONGEST or not addresses.alike(each):
            faults.append(Fault(f"{COPIES}.{i}", "invalid", f"{COPIES}.{i} is no e-mail address"))
        elif addresses.is_ours(workspace, each):
            told = f"{COPIES}.{i} is the address of this channel: the mail would come back"
            faults.append(Fault(f"{COPIES}.{i}", "invalid", told))
    if faults:
        raise Invalid(faults[0].message, faults=faults)
    return _distinct(workspace, given)


def _list(detail: Mapping[str, Any], name: str) -> list[str]:
    found = detail.get(name, ())
    return [str(each) for each in found] if isinstance(found, list | tuple) else []


def _distinct(workspace: Workspace, given: Iterable[str], without: Iterable[str] = ()) -> list[str]:
    """Each mailbox once, as it was written first; none of ours and none of `without`."""
    left = {addresses.alike(each) for each in without}
    found: dict[str, str] = {}
    for each in given:
        whole = addresses.alike(each)
        if whole and whole not in left and not addresses.is_ours(workspace, each):
            found.setdefault(whole, each.strip())
    return list(found.values())
