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
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

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
# Codes that are sent in one conversation, and to one address from whatever conversation.
BY_CONVERSATION, BY_ADDRESS = parse("5 per hour"), parse("5 per hour")
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


class Codes:
    """How many codes may be sent. Kept in memory: whoever restarts the server forgets it."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def allows(self, workspace: int, conversation: int, address: str) -> bool:
        """Whether one more may be sent; it is counted then."""
        of_address = ("address", str(workspace), address.lower())
        if not self._limiter.test(BY_ADDRESS, *of_address):
            return False
        if not self._limiter.hit(BY_CONVERSATION, "conversation", str(conversation)):
            return False
        return self._limiter.hit(BY_ADDRESS, *of_address)


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
    conversation: int,
    claim: Claim,
) -> str:
    """Keep a claim with a fresh code; the code, which is for the address alone."""
    code = f"{random.randbelow(10**6):06d}"
    now = platform.clock.now()
    proof = Proof(
        _hash(platform, workspace, conversation, claim, code), _text(claim), now + LASTS, 0
    )
    store.save_proof(connection, conversation, proof)
    return code


def keep(connection: Connection, conversation: int, claim: Claim) -> None:
    """Keep a claim that cannot be proven."""
    store.save_proof(connection, conversation, Proof("", _text(claim), 0, 0))


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
