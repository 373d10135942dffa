"""Names for things that have none of their own.

A record's number is `workspace << 40 | n`, with `n` counted within the workspace: whole numbers
join and compress well, never collide between workspaces, and the public form (`r1042`) tells
nobody how much other workspaces hold.
"""

from __future__ import annotations

import os
import re
from hashlib import blake2b

RECORD_BITS = 40
_PUBLIC = re.compile(r"([rcm])([1-9][0-9]{0,12})\Z")


def record_number(workspace: int, n: int) -> int:
    """The number of the n-th record (or conversation, or message) of a workspace."""
    return workspace << RECORD_BITS | n


def public_record_id(number: int) -> str:
    """`r1042`: how a record is named outside."""
    return f"r{_within(number)}"


def public_conversation_id(number: int) -> str:
    """`c17`: how a conversation is named outside."""
    return f"c{_within(number)}"


def public_message_id(number: int) -> str:
    """`m230`: how a message is named outside."""
    return f"m{_within(number)}"


def _within(number: int) -> int:
    return number & ((1 << RECORD_BITS) - 1)


def parse_record_id(workspace: int, text: str) -> int | None:
    """The number behind a record's public id, or None when the text is not one."""
    return _parsed("r", workspace, text)


def parse_conversation_id(workspace: int, text: str) -> int | None:
    """The number behind a conversation's public id, or None when the text is not one."""
    return _parsed("c", workspace, text)


def parse_message_id(workspace: int, text: str) -> int | None:
    """The number behind a message's public id, or None when the text is not one."""
    return _parsed("m", workspace, text)


def _parsed(kind: str, workspace: int, text: str) -> int | None:
    found = _PUBLIC.match(text)
    if found is None or found[1] != kind or (n := int(found[2])) >> RECORD_BITS:
        return None
    return record_number(workspace, n)


def new_id() -> str:
    """A fresh random identifier of 32 hexadecimal digits."""
    return os.urandom(16).hex()


def digest(workspace: int, event_id: str) -> str:
    """The fixed-length fingerprint under which an event id is remembered for ever.

    120 bits: at ten billion events the chance that any two share one is below 1e-16.
    """
    return blake2b(f"{workspace}:{event_id}".encode(), digest_size=15).hexdigest()
