"""What a Segment SDK sends: JSON bodies of `/v1/batch` and `/v1/identify`, made from a seed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from bench import population

_LIBRARY = {"library": {"name": "analytics-python", "version": "2.4.0"}}
_PLANS = ("free", "pro", "team")


def batches(count: int, size: int, people: int, seed: int, at: datetime) -> Iterator[bytes]:
    """`count` bodies of `size` track calls by any of `people` persons, from `at` on.

    No two messages share an id, for any two seeds. Raises nothing; the bodies are plain JSON with
    the fields, and in the order, that Segment's Python SDK gives them.
    """
    for k in range(count):
        rng = np.random.default_rng([seed, 3, k])
        sent = at + timedelta(milliseconds=k * size)
        calls = _tracks(rng, size, people, sent)
        yield _body({"batch": calls, "sentAt": _iso(sent)})


def _tracks(rng: np.random.Generator, size: int, people: int, at: datetime) -> list[dict[str, Any]]:
    names = list(population.NAMES)
    kinds = rng.choice(len(names), size, p=list(population.NAMES.values())).tolist()
    who = rng.integers(0, people, size).tolist()
    ids = message_ids(rng, size)
    return [
        {
            "integrations": {},
            "anonymousId": None,
            "properties": _properties(rng, names[kinds[n]]),
            "timestamp": _iso(at + timedelta(milliseconds=n)),
            "context": _LIBRARY,
            "userId": population.user_id(who[n]),
            "type": "track",
            "event": names[kinds[n]],
            "messageId": ids[n],
        }
        for n in range(size)
    ]


def identifies(count: int, people: int, seed: int, at: datetime) -> Iterator[bytes]:
    """`count` bodies of single identify calls, each setting a person's plan and lifetime value."""
    rng = np.random.default_rng([seed, 4])
    who = rng.integers(0, people, count).tolist()
    ids = message_ids(rng, count)
    for n in range(count):
        traits = {"plan": _PLANS[n % len(_PLANS)], "lifetimeValue": n % 5_000 + 0.5}
        yield _body(
            {
                "integrations": {},
                "anonymousId": None,
                "timestamp": _iso(at + timedelta(milliseconds=n)),
                "context": _LIBRARY,
                "type": "identify",
                "userId": population.user_id(who[n]),
                "traits": traits,
                "messageId": ids[n],
            }
        )


def message_ids(rng: np.random.Generator, count: int) -> list[str]:
    """Random ids in the form of a UUID."""
    plain: list[str] = population.hex_ids(rng, count).to_pylist()
    return [f"{t[:8]}-{t[8:12]}-{t[12:16]}-{t[16:20]}-{t[20:]}" for t in plain]


def _properties(rng: np.random.Generator, name: str) -> dict[str, Any]:
    item = f"{rng.integers(1_000, 10_000)}"
    if name == "Purchase":
        return {"amount": int(rng.integers(100, 50_000)) / 100, "sku": f"S{item}"}
    if name == "Page Viewed":
        return {"path": f"/p/{item}"}
    return {"sku": f"S{item}"} if name.startswith("Product ") else {}


def _body(call: dict[str, Any]) -> bytes:
    return json.dumps(call).encode()


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
