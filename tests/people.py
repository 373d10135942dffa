"""Whom the tests of the pages meet: people, what they did, and segments of them."""

from __future__ import annotations

import itertools
from typing import Any

from user360.access.change import Change
from user360.ingest.call import Call, Outcome
from user360.platform import Platform
from user360.segments import define

HOSTILE = "<img src=x onerror=alert(1)>"
INDIA = {"property": "country", "op": "is", "values": ["IN"]}
NUMBERS = itertools.count(1)


def call(platform: Platform, user: str | None, **known: Any) -> Call:
    """A call about somebody as the first key makes it now; `known` says more, or otherwise."""
    given = {"source": "api", "ref": "key:1", "at": platform.now(), "user_id": user}
    numbered = {"workspace": platform.default.id, "message_id": f"{next(NUMBERS):06}"}
    return Call(**{**numbered, **given, **known})


def settle(platform: Platform, *calls: Call) -> list[Outcome]:
    """Write calls of which none may be refused; returns once they are seen."""
    outcomes = platform.settle(calls)
    assert [outcome.problem.faults for outcome in outcomes if outcome.problem] == []
    platform.wait(outcomes[-1].seq)
    return outcomes


def write(platform: Platform, user: str | None, **known: Any) -> int:
    """One such write; the record it ended at."""
    (outcome,) = settle(platform, call(platform, user, **known))
    assert outcome.record is not None
    return outcome.record


def segment(platform: Platform, name: str, where: Any) -> int:
    """A segment made by the first key, a list when `where` is none; its number."""

    def make(change: Change) -> int:
        return define.create(change, name, "", where).id

    return platform.write(lambda c: make(platform.change(c, platform.default, "key:1")))
