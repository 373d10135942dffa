"""Members who sign in: one of each role, and the sessions by which a test asks as them."""

from __future__ import annotations

from typing import Any, NamedTuple

from litestar.testing import TestClient

from user360.access import keys, members, signing
from user360.access.change import Change
from user360.doors import gate
from user360.platform import Platform

ADMIN = "admin"
PASSWORD = "correct horse battery"


class Session(NamedTuple):
    """A session: what its cookie holds, and the token with which its pages write."""

    secret: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """What a deed of its pages carries."""
        return {gate.CSRF: self.token}


def member(platform: Platform, role: str) -> int:
    """The member of this role, made when there is none: `admin@example.com` and so on."""
    address = f"{role}@example.com"
    for held in platform.members.values():
        if held.email == address:
            return held.id
    if role != ADMIN:
        member(platform, ADMIN)  # the first of all is one

    def make(change: Change) -> int:
        if role == ADMIN:
            return members.first(change, address, role.title(), PASSWORD)
        _, secret = members.invite(change, address, role.title(), role)
        return members.join(change, secret, PASSWORD)

    number = platform.write(lambda c: make(platform.change(c, platform.default, "key:1")))
    platform.reload_members()
    return number


def begin(platform: Platform, role: str) -> Session:
    """A new session of the member of this role."""
    number, workspace, now = member(platform, role), platform.default.id, platform.now()
    secret = platform.write(lambda c: signing.begin(c, number, workspace, "a test", now))
    platform.reload_members()
    return Session(secret, platform.sign_ins[keys.fingerprint(secret)].csrf)


def come(platform: Platform, client: TestClient[Any], role: str) -> dict[str, str]:
    """Begin a session in this browser; the headers with which its pages write."""
    session = begin(platform, role)
    client.cookies.set(gate.COOKIE, session.secret)
    return session.headers
