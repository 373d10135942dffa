"""Who somebody says they are: believed, proven, or kept as a claim until it is.

Whether an existing record is joined on somebody's word is the inbox's setting `proof`. With `proof`
it takes a number that the channel itself vouches for, or a one-time code that was sent to an
address of that person's. Who is new is nobody else, so that needs none.
"""

from __future__ import annotations

import hmac
import secrets as random
from typing import Literal

import msgspec

from user360.access.workspaces import Workspace
from user360.clock import SECOND
from user360.conversations.talk import Conversation
from user360.flows import store
from user360.flows.store import PROVEN, Proof
from user360.identity import people
from user360.identity import store as identity_store
from user360.platform import Platform
from user360.records import phones
from user360.storage.ledger import Connection

LASTS = 600 * SECOND
MOST_ATTEMPTS = 5
# Codes that are sent in a while: in one session, and to one address from whatever session.
MOST_CODES, WHILE = 5, 3_600 * SECOND
WHATSAPP, EMAIL = "whatsapp", "email"


class Claim(msgspec.Struct, frozen=True, rename="camel"):
    """What somebody says: the `property` that identifies them, its value, and the userId it means.

    `way` and `address` are where a code was sent, empty where none could be.
    """

    property: str
    value: str | int | float
    user_id: str
    way: str = ""
    address: str = ""


class Standing(msgspec.Struct, frozen=True):
    """A claim that is not proven: whether a code is waited for, and how often one was tried."""

    claim: Claim
    waits: bool
    attempts: int


Judged = Literal["right", "wrong", "expired", "tooOften"]


def of(platform: Platform, conversation: int) -> Standing | None:
    """What is claimed in a conversation and not proven; None when there is nothing."""
    with platform.ledger.read() as connection:
        found = store.proof(connection, conversation)
    if found is None or found.hash == PROVEN:
        return None
    waits = bool(found.hash) and found.until > platform.clock.now()
    claim = msgspec.json.decode(found.claim, type=Claim)
    return Standing(claim, waits and found.attempts < MOST_ATTEMPTS, found.attempts)


def is_somebody_else(
    connection: Connection, platform: Platform, workspace: Workspace, record: int, user_id: str
) -> int | None:
    """The existing record that a userId would lead to, unless it is whom this record shows."""
    dialect = platform.ledger.dialect
    number = identity_store.of_user(connection, workspace.id, user_id)
    if number is None:
        return None
    theirs = identity_store.roots_of(connection, dialect, [number])
    own = identity_store.roots_of(connection, dialect, [record])
    return next(iter(theirs - own), None)


def vouched(conversation: Conversation) -> str | None:
    """The number that a channel itself vouches for: whose WhatsApp writes, in E.164."""
    if conversation.channel != WHATSAPP:
        return None
    return phones.e164("+" + conversation.session.strip().lstrip("+"))


def is_vouched(conversation: Conversation, claim: Claim, properties: dict[str, object]) -> bool:
    """Whether the channel vouches for the claim itself, or for the phone of whom it leads to."""
    number = vouched(conversation)
    return number is not None and number in (claim.user_id, properties.get("phone"))


def properties_of(platform: Platform, workspace: Workspace, record: int) -> dict[str, object]:
    """The properties of a record."""
    with platform.ledger.read() as connection:
        found = people.one(connection, platform.ledger.dialect, workspace, record)
    return {} if found is None else dict(found["properties"])


def addresses(claim: Claim, properties: dict[str, object]) -> list[tuple[str, str]]:
    """Where a code may be sent: what was claimed, then what the record has; ways and addresses.

    Whoever holds what was typed has proven that; whoever holds the record's own has proven more.
    """
    found = []
    if claim.property == "email":
        found.append((EMAIL, claim.user_id))
    if claim.property == "phone":
        found.append((WHATSAPP, claim.user_id))
    for way, name in ((EMAIL, "email"), (WHATSAPP, "phone")):
        held = properties.get(name)
        if isinstance(held, str):
            found.append((way, held))
    return list(dict.fromkeys(found))


def begin(
    connection: Connection,
    platform: Platform,
    workspace: Workspace,
    conversation: Conversation,
    claim: Claim,
) -> str | None:
    """Keep a claim with a fresh code; the code, which is for the address alone.

    None when as many were sent as may be: then nothing is kept. One more is counted else.
    """
    now = platform.clock.now()
    if not _may_send(connection, platform, workspace, conversation, claim, now):
        return None
    code = f"{random.randbelow(10**6):06d}"
    hashed = _hash(platform, workspace, conversation.id, claim, code)
    store.save_proof(connection, conversation.id, Proof(hashed, _text(claim), now + LASTS, 0))
    return code


def _may_send(
    connection: Connection,
    platform: Platform,
    workspace: Workspace,
    conversation: Conversation,
    claim: Claim,
    now: int,
) -> bool:
    """Whether one more code may be sent, by who asked and by who would get it; it is counted then.

    What is kept of both are hashes with this server's key, as long as they count.
    """
    named = (
        f"codes in:{conversation.channel}:{conversation.session}",
        f"codes to:{claim.way}:{claim.address.lower()}",
    )
    whose = [platform.vault.digest(workspace.id, each) for each in named]
    store.forget_codes(connection, now - WHILE)
    if any(store.codes_sent(connection, each) >= MOST_CODES for each in whose):
        return False
    store.count_code(connection, whose, now)
    return True


def keep(connection: Connection, conversation: int, claim: Claim) -> None:
    """Keep a claim that cannot be proven."""
    store.save_proof(connection, conversation, Proof("", _text(claim), 0, 0))


def told(claim: Claim) -> str:
    """A claim that cannot be proven, as a message brings it along: `Said.claim`."""
    return _text(claim)


def judge(
    connection: Connection, platform: Platform, workspace: Workspace, conversation: int, typed: str
) -> tuple[Judged, Claim | None]:
    """Whether what was typed is the code; each attempt counts, in the writer's transaction."""
    found = store.proof(connection, conversation)
    if found is None or not found.hash:
        return "expired", None
    claim = msgspec.json.decode(found.claim, type=Claim)
    if found.hash == PROVEN:  # judged already, and not told before the process ended
        return "right", claim
    if found.until <= platform.clock.now():
        return "expired", claim
    if found.attempts >= MOST_ATTEMPTS:
        return "tooOften", claim
    digits = "".join(c for c in typed if c.isascii() and c.isdigit())
    given = _hash(platform, workspace, conversation, claim, digits)
    right = hmac.compare_digest(given, found.hash)
    changed = found._replace(attempts=found.attempts + 1)
    store.save_proof(connection, conversation, changed._replace(hash=PROVEN) if right else changed)
    if right:
        return "right", claim
    return ("tooOften" if changed.attempts >= MOST_ATTEMPTS else "wrong"), claim


def masked(way: str, address: str) -> str:
    """As much of an address as tells its owner which one it is."""
    if way == EMAIL:
        name, _, domain = address.partition("@")
        return f"{name[:1]}***@{domain[:1]}***{domain[domain.rfind('.') :]}"
    return f"{address[:3]}***{address[-2:]}"


def _hash(
    platform: Platform, workspace: Workspace, conversation: int, claim: Claim, code: str
) -> str:
    return platform.vault.digest(workspace.id, f"code:{conversation}:{claim.user_id}:{code}")


def _text(claim: Claim) -> str:
    return msgspec.json.encode(claim).decode()
