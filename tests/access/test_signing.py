"""Sessions: what is kept of them, how they end, how often a wrong password is let through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from user360.access import keys, signing
from user360.access.signing import Attempts, TooMany
from user360.platform import Platform
from user360.storage.ledger import Connection


@pytest.fixture
def connection() -> Iterator[Connection]:
    with Platform.temporary() as platform, platform.ledger.write() as connection:
        yield connection
        connection.rollback()


def test_only_a_hash_of_the_secret_is_kept(connection: Connection) -> None:
    secret = signing.begin(connection, 1, 1, "Firefox" * 100, 5)
    kept = signing.all_sign_ins(connection, 6)
    assert list(kept) == [keys.fingerprint(secret)]
    assert secret not in str(connection.execute(sa.text("SELECT * FROM sign_ins")).all())
    assert len(kept[keys.fingerprint(secret)].agent) == signing.LONGEST_AGENT


def test_sessions_end_by_themselves_and_one_by_one(connection: Connection) -> None:
    old = signing.begin(connection, 1, 1, "a", 5)
    assert signing.all_sign_ins(connection, 5 + signing.LASTS) == {}
    new = signing.begin(connection, 1, 1, "b", 6 + signing.LASTS)
    left = connection.execute(sa.text("SELECT hash FROM sign_ins")).scalars().all()
    assert left == [keys.fingerprint(new)], "what ended is not kept"
    assert old != new
    number = next(iter(signing.all_sign_ins(connection, 7 + signing.LASTS).values())).id
    assert not signing.end(connection, 2, number), "nobody ends another's session"
    assert signing.end(connection, 1, number)


def test_passwords_cannot_be_tried_for_long() -> None:
    attempts = Attempts()
    for _ in range(signing.BY_EMAIL.amount):
        attempts.check("asha@example.com", "10.0.0.1")
        attempts.failed("asha@example.com", "10.0.0.1")
    with pytest.raises(TooMany, match="five minutes"):
        attempts.check("asha@example.com", "10.0.0.2")
    attempts.check("ravi@example.com", "10.0.0.1")
    for n in range(signing.BY_PLACE.amount):
        attempts.failed(f"{n}@example.com", "10.0.0.9")
    with pytest.raises(TooMany):
        attempts.check("ravi@example.com", "10.0.0.9")
