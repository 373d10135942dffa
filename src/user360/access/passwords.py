"""Passwords of members: argon2, and what makes one acceptable."""

from __future__ import annotations

from functools import cache

import argon2

from user360.errors import Invalid

SHORTEST, LONGEST = 10, 200
# OWASP's smallest recommended cost (19 MiB, two passes): a sign-in may not take much of a small
# machine from those who send events.
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def check(password: str, *known: str) -> None:
    """Raises `Invalid` at `password` when it is too short, or one of what is `known` of them."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid.at("password", f"A password has {SHORTEST} to {LONGEST} characters")
    if password.casefold() in {each.casefold() for each in known} or len(set(password)) < 4:
        raise Invalid.at("password", "This password is too easily guessed")


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _HASHER.hash(password)


def fits(kept: str | None, password: str) -> bool:
    """Whether this is the password; it takes as long when nothing is kept."""
    try:
        _HASHER.verify(kept or _nobodys(), password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    return kept is not None


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody has this password")
