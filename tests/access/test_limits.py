"""Calls a minute, counted for each key."""

from __future__ import annotations

from tests.waiting import early_in_a_minute
from user360.access.keys import Key
from user360.access.limits import LimitReached, Limits


def key(number: int) -> Key:
    return Key(number, 1, "k", "reader", "u3_abc", 0)


def test_a_key_has_as_many_calls_as_it_is_given_and_others_have_their_own() -> None:
    early_in_a_minute()
    limits = Limits()
    rooms = [limits.take(key(1), 3) for _ in range(5)]
    assert [allowed for _, allowed in rooms] == [True, True, True, False, False]
    assert [room.remaining for room, _ in rooms] == [2, 1, 0, 0, 0]
    assert all(room.limit == 3 and 1 <= room.reset <= 60 for room, _ in rooms)
    assert limits.take(key(2), 3)[1]


def test_what_is_left_is_told_in_headers_and_when_to_come_back() -> None:
    room, _ = Limits().take(key(1), 10)
    assert room.headers() == {
        "RateLimit-Limit": "10",
        "RateLimit-Remaining": "9",
        "RateLimit-Reset": str(room.reset),
    }
    problem = LimitReached(room)
    assert problem.status == 429
    assert problem.retry_after == room.reset
    assert "10 calls a minute" in problem.detail
