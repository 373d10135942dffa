"""How soon segments follow: enter and exit after the write that caused it, many segments kept."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from bench import http_load, loaded, messages, server, timing
from bench.population import COUNTRIES, NAMES, Size
from bench.report import Figure, Result, at_most

SEGMENTS = 200
EVENTS = 1_000  # a second
BATCH = 50
SECONDS = 60
CONNECTIONS = 2
PROBE = "Bench Probe"
PAUSE = 0.15  # seconds between two probes
APART = 20  # persons between who enters and who leaves: some seconds, so that both are told
PATIENCE = 300.0


def measure(cache: Path, size: Size) -> Result:
    """The same stream without segments and with many, and how late each change was told."""
    with loaded.copy(cache, size) as data:
        with server.running(data) as running:
            bare = _stream(running, size, probe=False)
        with server.running(data) as running:
            began = time.perf_counter()
            for name, where in segments().items():
                running.ask("POST", "/api/v1/segments", {"name": name, "where": where})
            _filled(running)
            filled = time.perf_counter() - began
            kept = _stream(running, size, probe=True)
            memory = running.memory()
        late = timing.spread(_late(data))
    return Result(
        name="following",
        title="From a write to enter and exit",
        method=(
            f"With {size.records:,} records and {size.events:,} events there and {SEGMENTS} active "
            "segments (counts, sums, periods that move with the clock, sequences, properties, "
            f"segments within segments), batches of {BATCH} make {EVENTS:,} events a second for "
            f"{SECONDS} seconds. Meanwhile one `track` after another makes somebody enter a "
            "segment, and a second one leave it; the time from when it was received to the "
            "`SEGMENT_ENTER` or `SEGMENT_EXIT` that it caused counts. Processor time is the "
            "server's, in cores, without segments and with them."
        ),
        figures=[
            at_most("enter or exit after its write, p99", late["p99"] / 1_000, 1, "s"),
            *(Figure(f"after its write, {name}", value, "ms") for name, value in late.items()),
            Figure("segments", SEGMENTS, "segments"),
            Figure("events sent meanwhile", kept["rate"], "events/s"),
            Figure("processor without segments", bare["cores"], "cores"),
            Figure("processor with segments", kept["cores"], "cores"),
            at_most("memory at most", memory["VmHWM"] / 1_024, 2, "GB"),
            Figure("until all segments were filled", filled, "s"),
        ],
    )


def segments() -> dict[str, dict[str, Any]]:
    """Conditions as people write them, by name."""
    found: dict[str, dict[str, Any]] = {
        "Probed once": {"event": PROBE, "count": {"op": "is", "value": 1}}
    }
    names, countries = list(NAMES), [name for name in COUNTRIES if name]
    for i in range(1, SEGMENTS):
        name, other = names[i % 10], names[(i * 7 + 3) % 10]
        lives = {"property": "country", "op": "is", "values": [countries[i % len(countries)]]}
        during = {"last": {"amount": 7 * (1 + i % 12), "unit": "days"}}
        kinds: list[dict[str, Any]] = [
            {"event": name, "count": {"op": "gte", "value": 1 + i % 5}, "during": during},
            {"all": [lives, {"property": "emailOptin", "op": "isTrue"}]},
            {"all": [lives, {"event": name, "count": {"op": "gte", "value": 3}}]},
            {"all": [{"event": name}, {"event": other, "occurred": False, "during": during}]},
            {"property": "lifetimeValue", "op": "gte", "values": [i * 10]},
            {"event": name, "during": {"period": ("today", "thisWeek", "lastMonth")[i % 3]}},
            {"event": "Purchase", "sum": {"path": "amount", "op": "gte", "value": i}},
            {"all": [lives, {"property": "updatedAt", "op": "inLast", "values": [during["last"]]}]},
            {
                "sequence": [{"event": name}, {"event": other}],
                "within": {"amount": 48, "unit": "hours"},
                "during": during,
            },
            {"all": [lives, {"segment": 1, "in": False}, {"event": name, "during": during}]},
        ]
        found[f"Segment {i}"] = kinds[i % len(kinds)]
    return found


def _filled(running: server.Server) -> None:
    """Wait until every segment was evaluated."""
    end = time.perf_counter() + PATIENCE
    while time.perf_counter() < end:
        listed = running.ask("GET", "/api/v1/segments")["segments"]
        if all(each["freshness"] for each in listed):
            return
        time.sleep(0.5)
    raise server.Failed("the segments were never filled")


def _stream(running: server.Server, size: Size, probe: bool) -> dict[str, float]:
    """Send events at their pace; the rate reached, and the cores the server took."""
    requests = (running.port, _requests, size.records, 79 if probe else 78)
    before = running.processor_seconds()
    began = time.perf_counter()
    with http_load.steady(*requests, every=BATCH / EVENTS) as finish:
        _probe(running.port, began + SECONDS, probe)
        load = finish()
        taken, passed = running.processor_seconds() - before, time.perf_counter() - began
    running.settled()
    time.sleep(2)  # the last changes are told after the last round
    return {"rate": len(load.answers) * BATCH / load.seconds, "cores": taken / passed}


def _requests(people: int, seed: int) -> list[list[bytes]]:
    count = 2 * SECONDS * EVENTS // BATCH  # more than can be sent in the time
    bodies = messages.batches(count, BATCH, people, seed, datetime.now(UTC))
    requests = [http_load.post("/v1/batch", body) for body in bodies]
    return [requests[k::CONNECTIONS] for k in range(CONNECTIONS)]


def _probe(port: int, end: float, probe: bool) -> None:
    """One event each time, in turns: somebody's first, who enters, and a second one, who leaves."""
    number = 0
    with contextlib.closing(server.line(port)) as connection:
        while time.perf_counter() < end:
            time.sleep(PAUSE)
            person = number // 2 - (APART if number % 2 else 0)
            if probe and person >= 0:
                body = {"userId": f"u{person + 1:08}", "event": PROBE}
                server.ask(connection, "POST", "/v1/track", body)
            number += 1


def _late(data: Path) -> list[float]:
    """Milliseconds from each probe to what it caused, by the server's own clock."""
    with duckdb.connect(str(data / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "WITH told AS (SELECT record_id, received_at, seq, row_number() OVER"
            "  (PARTITION BY record_id ORDER BY seq) AS nth FROM w1.events"
            "  WHERE name IN ('SEGMENT_ENTER', 'SEGMENT_EXIT')"
            "  AND json_extract(properties, '$.segmentId') = 1),"
            " sent AS (SELECT record_id, received_at, row_number() OVER"
            "  (PARTITION BY record_id ORDER BY seq) AS nth FROM w1.events WHERE name = ?)"
            " SELECT epoch_ms(told.received_at) - epoch_ms(sent.received_at)"
            " FROM sent LEFT JOIN told USING (record_id, nth)",
            [PROBE],
        ).fetchall()
    missing = sum(1 for (late,) in rows if late is None)
    if missing or not rows:
        raise server.Failed(f"{missing} of {len(rows)} changes were never told")
    return [float(late) for (late,) in rows]
