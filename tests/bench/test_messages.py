"""Messages look like those of Segment's SDK, and are the same in every run."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import Any

from segment.analytics.client import Client

from bench import messages

AT = datetime(2026, 11, 1, tzinfo=UTC)


def sent(seed: int = 1) -> list[dict[str, Any]]:
    bodies = messages.batches(3, 50, people=100, seed=seed, at=AT)
    return [m for body in bodies for m in json.loads(body)["batch"]]


def test_the_same_seed_makes_the_same_bodies() -> None:
    assert sent() == sent()


def test_no_two_messages_share_an_id_whatever_the_seeds() -> None:
    ids = [m["messageId"] for m in itertools.chain(sent(1), sent(2))]
    assert len(set(ids)) == len(ids) == 300


def test_messages_have_the_fields_of_the_sdk() -> None:
    client = Client("key", send=False)
    _, track = client.track("u1", "Purchase", {"amount": 1})
    _, identify = client.identify("u1", {"plan": "pro"})
    assert {tuple(m) for m in sent()} == {tuple(track)}
    call = json.loads(next(messages.identifies(1, people=100, seed=1, at=AT)))
    assert tuple(call) == tuple(identify)
    assert call["context"] == identify["context"]
