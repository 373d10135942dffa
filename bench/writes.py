"""Writing over HTTP: batches of events and single identify calls, against bare SQLite.

Both sides know the same people before they begin, and keep their files through all rounds. The
floor's side holds no HTTP and no client; the product's holds both, on the same machine.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench import floors, http_load, loaded, messages, server, timing
from bench.http_load import Loaded
from bench.peers import BATCH, PEOPLE
from bench.population import Size
from bench.report import Figure, Result, at_least, at_most

CLIENTS = 4
CONNECTIONS = 16
BATCHES = 100  # in a round
CALLS = 16_000  # in a round

Make = Callable[[int], list[list[bytes]]]
Floor = Callable[[sqlite3.Connection, int], float]


class Round(msgspec.Struct, frozen=True):
    """One round of the product: what the client saw, what the server used, how it caught up."""

    load: Loaded
    processor_seconds: float
    behind: float  # seconds until the warehouse showed the last of it

    def rate(self, each: int) -> float:
        """Of what was sent, `each` to a request, how many were on disk in a second."""
        return len(self.load.answers) * each / self.load.seconds


def ingest(cache: Path, rounds: int) -> Result:
    """Segment batches of 500 events from four clients."""
    product, floor = _in_turns(
        cache,
        rounds,
        _batches_over_http,
        BATCHES * BATCH,
        lambda bare, number: floors.ingest(bare, _batches(number), floors.MSGSPEC),
    )
    rates = [each.rate(BATCH) for each in product]
    events = BATCHES * BATCH
    figures = [
        at_least("product / floor", timing.median(rates) / timing.median(floor), 0.5),
        Figure("product", timing.median(rates), "events/s"),
        Figure("floor: bare SQLite", timing.median(floor), "events/s"),
        *_shared(product, BATCH, "event"),
    ]
    return Result(
        name="ingest",
        title="Durable ingest over HTTP",
        method=(
            f"Segment batches of {BATCH} `track` calls from {CLIENTS} clients on the same machine, "
            f"each answered once it is on disk. Floor: the same bodies into bare SQLite from "
            f"Python, {floors.MSGSPEC.name}: {floors.METHOD}, one commit a batch. Both know "
            f"{PEOPLE:,} people. Medians of {rounds} rounds of {events:,} events, in turns."
        ),
        figures=figures,
    )


def identify(cache: Path, rounds: int) -> Result:
    """Single identify calls from sixteen connections."""
    product, floor = _in_turns(
        cache,
        rounds,
        _calls_over_http,
        CALLS * 9 // 10,  # a few happen to say what is known already
        lambda bare, number: floors.identify(bare, _calls(number), floors.MSGSPEC),
    )
    rates = [each.rate(1) for each in product]
    slowest = timing.percentile(_answers(product), 99)
    figures = [
        at_least("product / floor", timing.median(rates) / timing.median(floor), 0.6),
        at_most("answer, p99", slowest, 30, "ms"),
        Figure("product", timing.median(rates), "calls/s"),
        Figure("floor: bare SQLite", timing.median(floor), "calls/s"),
        *_shared(product, 1, "call"),
    ]
    return Result(
        name="identify",
        title="Single identify calls",
        method=(
            f"One `identify` with two traits a request from {CONNECTIONS} connections, each "
            f"answered once it is on disk. Floor: the same bodies into bare SQLite from Python, "
            f"{floors.METHOD}, one commit a call. Both know {PEOPLE:,} people. "
            f"Medians of {rounds} rounds of {CALLS:,} calls, in turns."
        ),
        figures=figures,
    )


def _in_turns(
    cache: Path, rounds: int, make: Make, wrote: int, floor: Floor
) -> tuple[list[Round], list[float]]:
    """What the product and the floor did in each round; the first of both is not counted."""
    with (
        loaded.copy(cache, Size(PEOPLE, 0)) as data,
        floors.people(cache, PEOPLE) as bare,
        server.running(data) as running,
    ):
        both = [(_round(running, make, n, wrote), floor(bare, n)) for n in range(rounds + 1)][1:]
    return [ours for ours, _ in both], [theirs for _, theirs in both]


def _round(running: server.Server, make: Make, number: int, wrote: int) -> Round:
    """Raises `server.Failed` when the log does not tell of what was written."""
    with http_load.prepared(running.port, make, number) as send:
        used, position = running.processor_seconds(), running.position()
        load = send()
        behind = running.settled()
        told = running.position() - position
        if told < wrote:
            raise server.Failed(f"of {wrote} things to tell of, the log tells {told}")
        return Round(load, running.processor_seconds() - used, behind)


def _batches(number: int) -> list[bytes]:
    return list(messages.batches(BATCHES, BATCH, PEOPLE, number, datetime.now(UTC)))


def _calls(number: int) -> list[bytes]:
    """Made now, as a client makes them: an older write than the one that holds changes nothing."""
    return list(messages.identifies(CALLS, PEOPLE, number, datetime.now(UTC)))


def _batches_over_http(number: int) -> list[list[bytes]]:
    return _dealt([http_load.post("/v1/batch", body) for body in _batches(number)], CLIENTS)


def _calls_over_http(number: int) -> list[list[bytes]]:
    return _dealt([http_load.post("/v1/identify", body) for body in _calls(number)], CONNECTIONS)


def _dealt(requests: list[bytes], hands: int) -> list[list[bytes]]:
    return [requests[k::hands] for k in range(hands)]


def _answers(rounds: Iterable[Round]) -> list[float]:
    """How long every answer of all rounds took, in milliseconds."""
    return [took * 1_000 for each in rounds for took in each.load.answers]


def _shared(rounds: list[Round], each: int, what: str) -> list[Figure]:
    """What both benchmarks tell beside their rates; `each` of `what` are in one request."""
    answers = timing.spread(_answers(rounds))
    sent = [len(one.load.answers) * each for one in rounds]
    used = [one.processor_seconds / n for one, n in zip(rounds, sent, strict=True)]
    client = [one.load.processor_seconds / n for one, n in zip(rounds, sent, strict=True)]
    behind = timing.median([one.behind for one in rounds])
    return [
        *(Figure(f"answer, {name}", value, "ms") for name, value in answers.items()),
        Figure("until the warehouse shows the last", behind * 1_000, "ms"),
        Figure(f"the server's processor time for one {what}", timing.median(used) * 1e6, "µs"),
        Figure(f"the client's processor time for one {what}", timing.median(client) * 1e6, "µs"),
    ]
