"""Why somebody is in a segment: over HTTP, for one person after another."""

from __future__ import annotations

import contextlib
import http.client
import random
import time
from pathlib import Path
from typing import Any

from bench import loaded, population, server, timing
from bench.population import SEED, Size
from bench.report import Figure, Result, at_most

REACH = 50.0  # milliseconds, p95
PEOPLE = 400
_WARM = 20


def _during(days: int) -> dict[str, Any]:
    return {"last": {"amount": days, "unit": "days"}}


LOYAL: dict[str, Any] = {
    "all": [
        {"property": "country", "op": "is", "values": ["IN", "US"]},
        {"event": "Purchase", "count": {"op": "gte", "value": 2}, "during": _during(90)},
    ]
}
EIGHT: dict[str, Any] = {
    "any": [
        {
            "all": [
                *LOYAL["all"],
                {"property": "emailOptin", "op": "isTrue"},
                {"event": "Plan Downgraded", "occurred": False, "during": _during(90)},
            ]
        },
        {
            "all": [
                {"property": "plan", "op": "is", "values": ["pro"]},
                {"event": "Page Viewed", "during": _during(60)},
                {"event": "Signed In", "count": {"op": "lt", "value": 2}, "during": _during(30)},
                {"event": "Support Requested", "occurred": False, "during": _during(90)},
            ]
        },
    ]
}
STEPS = ("Product Viewed", "Product Added", "Purchase")
SEQUENCE: dict[str, Any] = {
    "sequence": [{"event": name} for name in STEPS],
    "within": {"amount": 48, "unit": "hours"},
    "during": _during(90),
}
TREES = {
    "a property and events": LOYAL,
    "eight conditions": EIGHT,
    "a sequence of three steps": SEQUENCE,
}


def measure(cache: Path, size: Size) -> Result:
    """Ask about people drawn by lot, a segment that is there and conditions that are not saved."""
    with (
        loaded.copy(cache, size) as data,
        server.running(data) as running,
        contextlib.closing(server.line(running.port)) as connection,
    ):
        made = server.ask(connection, "POST", "/api/v1/segments", {"name": "Loyal", "where": LOYAL})
        path = f"/api/v1/segments/{made['id']}/why/"
        asked: dict[str, tuple[str, dict[str, Any] | None]] = {"a segment": (path, None)}
        asked |= {name: ("/api/v1/segments/why", tree) for name, tree in TREES.items()}
        figures = []
        for name, (where, tree) in asked.items():
            before = running.processor_seconds()
            found = timing.spread(_taken(connection, size, where, tree))
            spent = (running.processor_seconds() - before) * 1_000 / (PEOPLE + _WARM)
            figures.append(at_most(f"{name}: p95", found["p95"], REACH, "ms"))
            rest = [Figure(f"{name}: {each}", found[each], "ms") for each in ("p50", "p99", "max")]
            figures += [*rest, Figure(f"{name}: processor time of an answer", spent, "ms")]
    return Result(
        name="why",
        title="Why somebody is in a segment",
        method=(
            f"{PEOPLE} people drawn by lot from {size.records:,} with {size.events:,} events, one "
            "after the other over one connection, each asked about once after a few others. The "
            "answer holds every condition with what decided it and when it will change. The "
            "segment asks for a property and events; the others are conditions that are not saved."
        ),
        figures=figures,
    )


def _taken(
    connection: http.client.HTTPConnection, size: Size, path: str, tree: dict[str, Any] | None
) -> list[float]:
    """Milliseconds of each answer."""
    chance = random.Random(SEED)
    taken = []
    for _ in range(PEOPLE + _WARM):
        who = population.user_id(chance.randrange(size.records))
        began = time.perf_counter()
        if tree is None:
            answer = server.ask(connection, "GET", path + who)
        else:
            answer = server.ask(connection, "POST", path, {"who": who, "where": tree})
        taken.append((time.perf_counter() - began) * 1_000)
        if answer["userId"] != who:
            raise ValueError(f"answered for {answer['userId']}, expected {who}")
    return taken[_WARM:]
