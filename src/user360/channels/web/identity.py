"""Who is signed in on a page, as the page's own server says: a JSON Web Token signed with HS256.

The key is the workspace's own, so that nobody else can say it; the token ends soon, so that one
that was caught is worth nothing for long.
"""

from __future__ import annotations

from typing import Any

import jwt
import msgspec

from user360.clock import SECOND
from user360.errors import Problem
from user360.identity import identifier

ALGORITHM = "HS256"
LONGEST = 16_384  # characters
LASTS = 86_400  # seconds that a token is good at most
SLACK = 120  # seconds that the clocks of two servers may differ
NEEDED = ("sub", "iat", "exp")


class Refused(Problem):
    """Who is signed in on this page cannot be believed."""

    code = "identityRefused"


class Identity(msgspec.Struct, frozen=True):
    """Somebody who is signed in on a page, and what the page's server says of them."""

    user_id: str
    properties: dict[str, Any]


def read(given: str, key: str, now: int) -> Identity:
    """The identity that a token carries, at a time in microseconds. Raises `Refused` with why."""
    if not key:
        raise Refused("This workspace has no signing key for the channel web")
    if len(given) > LONGEST:
        raise Refused(f"The identity is longer than {LONGEST} characters")
    claims = _claims(given, key)
    _in_time(claims, now // SECOND)
    properties = claims.get("properties", {})
    if not isinstance(properties, dict):
        raise Refused("properties of the identity must be an object")
    try:
        user_id = identifier.clean_user_id(claims["sub"])
    except Problem as problem:
        raise Refused(f"sub of the identity is no userId: {problem.detail}") from problem
    return Identity(user_id, properties)


def _claims(given: str, key: str) -> dict[str, Any]:
    # Times are held against the platform's clock, below.
    options: Any = {"require": list(NEEDED)}
    options |= dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf", "verify_aud"), False)
    try:
        claims: dict[str, Any] = jwt.decode(given, key, algorithms=[ALGORITHM], options=options)
    except jwt.InvalidSignatureError as error:
        raise Refused("The identity was signed with another key") from error
    except jwt.MissingRequiredClaimError as error:
        raise Refused(f"The identity must hold {', '.join(NEEDED)}") from error
    except jwt.InvalidAlgorithmError as error:
        raise Refused(f"The identity must be signed with {ALGORITHM}") from error
    except (jwt.InvalidTokenError, ValueError) as error:
        raise Refused("The identity is no JSON Web Token") from error
    return claims


def _in_time(claims: dict[str, Any], now: int) -> None:
    issued, ends = claims["iat"], claims["exp"]
    for name, given in (("iat", issued), ("exp", ends)):
        if isinstance(given, bool) or not isinstance(given, int | float) or given != given:
            raise Refused(f"{name} of the identity must be a time in seconds since 1970")
    if issued > now + SLACK:
        raise Refused("The identity was issued in the future; check the clock of its server")
    if ends <= now - SLACK:
        raise Refused("The identity has expired")
    if ends - issued > LASTS or ends > now + LASTS + SLACK:
        raise Refused(f"The identity must expire within {LASTS // 3600} hours")
