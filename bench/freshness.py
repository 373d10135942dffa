"""How soon what was answered is seen: probes among a steady stream of events."""

from __future__ import annotations

import contextlib
import http.client
import random
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench import http_load, loaded, messages, server, timing
from bench.population import Size
from bench.report import Figure, Result, at_most

EVENTS = 2_000  # a second
BATCH = 100
SECONDS = 45
CONNECTIONS = 2
PROBE = "Bench Probe"
PATH = "/api/v1/segments/preview"
_JITTER = 0.1  # seconds at most between two probes, so that they fall on any moment of a round
_PATIENCE = 30.0


class Seen(msgspec.Struct, frozen=True):
    """One probe: seconds from its answer until a preview showed it; what each preview took."""

    after: float
    previews: list[float]


def measure(cache: Path, size: Size) -> Result:
    """Send events without pause, probe by probe look when one is seen."""
    with loaded.copy(cache, size) as data, server.running(data) as running:
        requests = (running.port, _stream, size.records)
        with http_load.steady(*requests, every=BATCH / EVENTS) as finish:
            seen = _probes(running.port)
            load = finish()
        behind = running.settled()
    sent = len(load.answers) * BATCH / load.seconds
    after = timing.spread([each.after * 1_000 for each in seen])
    asked = timing.spread([one * 1_000 for each in seen for one in each.previews])
    return Result(
        name="freshness",
        title="From the answer to what previews show",
        method=(
            f"With {size.records:,} records and {size.events:,} events there, batches of {BATCH} "
            f"make {EVENTS:,} events a second for {SECONDS} seconds. Meanwhile one `track` after "
            "another is sent, and from its answer on a preview that asks for this very event is "
            "repeated until it counts one person; the time until that preview is answered counts."
        ),
        figures=[
            at_most("answered until seen, p99", after["p99"] / 1_000, 1, "s"),
            *(Figure(f"answered until seen, {name}", value, "ms") for name, value in after.items()),
            Figure("probes", len(seen), "events"),
            Figure("events sent meanwhile", sent, "events/s"),
            *(Figure(f"one preview, {name}", value, "ms") for name, value in asked.items()),
            Figure("until the warehouse shows the last", behind * 1_000, "ms"),
        ],
    )


def _stream(people: int) -> list[list[bytes]]:
    count = 2 * SECONDS * EVENTS // BATCH  # more than can be sent in the time
    bodies = messages.batches(count, BATCH, people, 77, datetime.now(UTC))
    requests = [http_load.post("/v1/batch", body) for body in bodies]
    return [requests[k::CONNECTIONS] for k in range(CONNECTIONS)]


def _probes(port: int) -> list[Seen]:
    pauses = random.Random(360)
    seen: list[Seen] = []
    end = time.perf_counter() + SECONDS
    with contextlib.closing(server.line(port)) as connection:
        while time.perf_counter() < end:
            time.sleep(pauses.uniform(0, _JITTER))
            seen.append(_probe(connection, len(seen)))
    return seen


def _probe(connection: http.client.HTTPConnection, number: int) -> Seen:
    """Send one event, then ask for it until it is counted. Raises `Failed` when it never is."""
    body = {"userId": "u00000001", "event": PROBE, "properties": {"number": number}}
    server.ask(connection, "POST", "/v1/track", body)
    answered = time.perf_counter()
    test = {"path": "number", "op": "is", "values": [number]}
    given = {"where": {"event": PROBE, "occurred": True, "where": [test]}}
    previews: list[float] = []
    while time.perf_counter() < answered + _PATIENCE:
        began = time.perf_counter()
        count = server.ask(connection, "POST", PATH, given)["count"]
        previews.append(time.perf_counter() - began)
        if count:
            return Seen(time.perf_counter() - answered, previews)
    raise server.Failed("a probe was never seen")
