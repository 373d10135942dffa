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
_RECORD = re.compile(r"r([1-9][0-9]{0,12})\Z")


def record_number(workspace: int, n: int) -> int:
    """The number of the n-th record of a workspace."""
    return workspace << RECORD_BITS | n


def public_record_id(number: int) -> str:
    """`r1042`: how a record is named outside."""
    return f"r{number & ((1 << RECORD_BITS) - 1)}"


def parse_record_id(workspace: int, text: str) -> int | None:
    """The number behind a public id, or None when the text is not one."""
    found = _RECORD.match(text)
    if found is None or (n := int(found[1])) >> RECORD_BITS:
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
