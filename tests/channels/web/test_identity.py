"""Who a page says is signed in: believed when its server signed it, and not for long."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as some

from user360.access.vault import Vault
from user360.channels.web import identity, sessions, zones
from user360.channels.web.sessions import Held, NoSession, Visitor

KEY, OTHER = "k" * 32, "o" * 32
NOW = 1_795_326_000  # seconds
VAULT = Vault(b"v" * 32)


def token(key: str = KEY, algorithm: str | None = "HS256", **claims: Any) -> str:
    held = {"sub": "asha", "iat": NOW, "exp": NOW + 300, **claims}
    kept = {name: value for name, value in held.items() if value is not None}
    return jwt.encode(kept, key if algorithm != "none" else "", algorithm=algorithm)


def read(given: str, key: str = KEY, now: int = NOW) -> identity.Identity:
    return identity.read(given, key, now * 1_000_000)


def test_a_signed_identity_says_who_it_is_and_what_is_known() -> None:
    found = read(token(sub=" asha ", properties={"firstName": "Asha"}))
    assert (found.user_id, found.properties) == ("asha", {"firstName": "Asha"})


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (token(OTHER), "signed with another key"),
        (token(algorithm="none"), "must be signed with HS256"),
        (token("k" * 64, algorithm="HS512"), "must be signed with HS256"),
        (token(exp=None), "must hold sub, iat, exp"),
        (token(sub=None), "must hold sub, iat, exp"),
        (token(exp=NOW - 200), "has expired"),
        (token(exp=NOW + 90_000), "must expire within 24 hours"),
        (token(iat=NOW + 600, exp=NOW + 900), "issued in the future"),
        (token(sub="null"), "is no userId"),
        (token(properties=["x"]), "must be an object"),
        (token()[:-3], "another key"),
        ("x" * 20_000, "longer than"),
        ("", "no JSON Web Token"),
        ("a.b.c", "no JSON Web Token"),
        ("é.é.é", "no JSON Web Token"),
    ],
)
def test_what_cannot_be_believed_says_why(given: str, why: str) -> None:
    with pytest.raises(identity.Refused) as refused:
        read(given)
    assert why in refused.value.detail


def test_one_that_was_caught_is_worth_nothing_tomorrow() -> None:
    caught = token(exp=NOW + identity.LASTS)
    assert read(caught, now=NOW + identity.LASTS - 1).user_id == "asha"
    with pytest.raises(identity.Refused, match="expired"):
        read(caught, now=NOW + identity.LASTS + identity.SLACK + 1)


def test_without_a_key_nobody_is_believed() -> None:
    with pytest.raises(identity.Refused, match="no signing key"):
        read(token(), key="")


def times() -> Any:
    return some.one_of(
        some.none(),
        some.booleans(),
        some.integers(),
        some.floats(),
        some.text(),
        some.lists(some.none()),
    )


@given(some.one_of(some.text(), some.binary().map(lambda b: b.decode("latin-1"))))
def test_no_text_at_all_does_harm(given: str) -> None:
    with pytest.raises(identity.Refused):
        read(given)


@given(times(), times(), some.one_of(times(), some.dictionaries(some.text(), times())))
def test_nothing_that_is_signed_does_harm(iat: Any, exp: Any, properties: Any) -> None:
    body = {"sub": "asha", "iat": iat, "exp": exp, "properties": properties}
    parts = [json.dumps(each).encode() for each in ({"alg": "HS256"}, body)]
    said = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    mac = jwt.get_algorithm_by_name("HS256").sign(said.encode(), KEY.encode())
    try:
        found = read(f"{said}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}")
    except identity.Refused:
        return
    assert found.user_id == "asha"


def test_a_session_is_read_by_its_own_token_alone() -> None:
    visitor = sessions.begin(3)
    given = sessions.token(VAULT, visitor, NOW * 1_000_000)
    assert sessions.read(VAULT, given) == Held(visitor, NOW)
    _, session, at, signature = given.split(".")
    other = "1" if signature[-1] == "0" else "0"
    for forged in (
        "",
        "3",
        f"3.{session}",
        f"3.{session}.{signature}",
        f"4.{session}.{at}.{signature}",
        f"3.{sessions.begin(3).session}.{at}.{signature}",
        f"3.{session}.{NOW + 1}.{signature}",
        f"3.{session}.{at}.{signature[:-1]}{other}",
        f"٣.{session}.{at}.{signature}",
        f"3.{session}.{at}.x.{signature}",
        f"{'9' * 400}.{session}.{at}.{signature}",
    ):
        with pytest.raises(NoSession):
            sessions.read(VAULT, forged)
    with pytest.raises(NoSession):
        sessions.read(Vault(b"w" * 32), given)


@given(some.text())
def test_no_other_text_is_a_session(given: str) -> None:
    with pytest.raises(NoSession):
        sessions.read(VAULT, given)


def test_the_address_of_a_file_opens_no_other() -> None:
    keys = {sessions.file_key(VAULT, w, f) for w in (1, 2) for f in ("a", "b")}
    assert len(keys) == 4
    assert sessions.file_key(VAULT, 1, "a") != sessions.token(VAULT, Visitor(1, "a"), NOW)


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        ("Europe/Berlin", "DE"),
        ("Asia/Calcutta", "IN"),
        ("Asia/Kolkata", "IN"),
        ("US/Pacific", "US"),
        ("UTC", None),
        ("Mars/Olympus", None),
        ("../../etc/passwd", None),
    ],
)
def test_a_time_zone_tells_the_country(zone: str, country: str | None) -> None:
    assert zones.country_of(zone) == country
    assert zones.known(zone) is (country is not None or zone == "UTC")
