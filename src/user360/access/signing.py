"""Signing in: sessions of members, each with a secret in a cookie and one against forged forms."""

from __future__ import annotations

import secrets

import msgspec
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from user360.access.keys import fingerprint
from user360.errors import Problem
from user360.storage.ledger import Connection, text

LASTS = 14 * 86_400_000_000  # how long a session lasts, in microseconds
# Failed attempts that are let through, for an address of mail and for one of the network.
BY_EMAIL, BY_PLACE = parse("8 per 5 minutes"), parse("40 per 5 minutes")
LONGEST_AGENT = 300


class TooMany(Problem):
    """Too many attempts to sign in; wait a few minutes."""

    status = 429
    code = "tooManyAttempts"
    retry_after = 300


class SignIn(msgspec.Struct, frozen=True):
    """One session: whose it is, in which workspace they look, and until when (microseconds)."""

    id: int
    member: int
    workspace: int
    csrf: str
    agent: str
    created_at: int
    until: int


COLUMNS = "id, member_id, workspace_id, csrf, agent, created_at, until"


def all_sign_ins(connection: Connection, now: int) -> dict[str, SignIn]:
    """Every session that has not ended, by the hash of its secret."""
    rows = connection.execute(
        text(f"SELECT hash, {COLUMNS} FROM sign_ins WHERE until > :now"), {"now": now}
    )
    return {row[0]: SignIn(*row[1:]) for row in rows}


def begin(connection: Connection, member: int, workspace: int, agent: str, now: int) -> str:
    """Begin a session; its secret, which is for the cookie alone. Sessions that ended go."""
    secret = secrets.token_urlsafe(32)
    connection.execute(text("DELETE FROM sign_ins WHERE until <= :now"), {"now": now})
    number = connection.execute(text("SELECT coalesce(max(id), 0) + 1 FROM sign_ins")).scalar_one()
    connection.execute(
        text(
            f"INSERT INTO sign_ins (hash, {COLUMNS})"
            " VALUES (:hash, :id, :member, :workspace, :csrf, :agent, :now, :until)"
        ),
        {
            "hash": fingerprint(secret),
            "id": number,
            "member": member,
            "workspace": workspace,
            "csrf": secrets.token_urlsafe(24),
            "agent": agent[:LONGEST_AGENT],
            "now": now,
            "until": now + LASTS,
        },
    )
    return secret


def end(connection: Connection, member: int, number: int) -> bool:
    """End one session of a member; False when they have none of this number."""
    query = text("DELETE FROM sign_ins WHERE member_id = :member AND id = :id")
    return connection.execute(query, {"member": member, "id": number}).rowcount == 1


def look_into(connection: Connection, number: int, workspace: int) -> None:
    """Let a session look into another workspace from now on."""
    query = text("UPDATE sign_ins SET workspace_id = :workspace WHERE id = :id")
    connection.execute(query, {"workspace": workspace, "id": number})


class Attempts:
    """Counts failed attempts to sign in, so that nobody can try passwords for long."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def check(self, email: str, place: str) -> None:
        """Raises `TooMany` when no more attempts are let through."""
        allowed = self._limiter.test(BY_EMAIL, "email", email) and self._limiter.test(
            BY_PLACE, "place", place
        )
        if not allowed:
            raise TooMany("Too many attempts to sign in; wait five minutes")

    def failed(self, email: str, place: str) -> None:
        self._limiter.hit(BY_EMAIL, "email", email)
        self._limiter.hit(BY_PLACE, "place", place)
