"""The floors and peers by themselves: what this machine can do without the product."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec
import psycopg

from bench import (
    clickhouse,
    floors,
    messages,
    postgres,
    questions,
    report,
    timing,
    warehouse_floor,
)
from bench.population import Size
from bench.questions import Question
from bench.report import Figure

PEOPLE = 100_000  # known to the SQLite floors before they begin
BATCH = 500
AT = datetime(2026, 11, 1, tzinfo=UTC)
# How the peers are called in the figures.
FIRST = ", the first in its turn"
DUCK = "DuckDB, arrival order"
CLICK = "ClickHouse, ordered by record and time"
SERVER = "PostgreSQL, obvious indexes"


def measure(cache: Path, size: Size, rounds: int) -> report.Result:
    """All floors and peers in turns, as medians of `rounds`."""
    figures = [*writes(cache, rounds), *reads(cache, size, rounds)]
    return report.Result(
        name="floors",
        title="The floors and peers by themselves",
        method=(
            f"Bare SQLite from Python (write-ahead log, full sync) that knows {PEOPLE:,} people; "
            f"hand-written DuckDB and PostgreSQL over {size.records:,} records and "
            f"{size.events:,} events, warm, equal answers checked. Medians of {rounds} rounds."
        ),
        figures=figures,
    )


def writes(cache: Path, rounds: int) -> list[Figure]:
    """The SQLite floors with both JSON readers."""
    bodies = list(messages.batches(200, BATCH, PEOPLE, 1, AT))
    calls = list(messages.identifies(3_000, PEOPLE, 1, AT))

    def ingest(form: floors.Json) -> Callable[[], float]:
        return lambda: fresh(cache, lambda db: floors.ingest(db, bodies, form))

    def identify() -> float:
        return fresh(cache, lambda db: floors.identify(db, calls, floors.MSGSPEC))

    sides = {f.name: ingest(f) for f in (floors.STANDARD, floors.MSGSPEC)}
    found = timing.in_turns({**sides, "identify": identify}, rounds)
    identified = timing.median(found.pop("identify"))
    return [
        *(
            Figure(f"SQLite, batches of {BATCH}, {name}", timing.median(rates), "events/s")
            for name, rates in found.items()
        ),
        Figure("SQLite, one commit per identify", identified, "calls/s"),
    ]


def fresh(cache: Path, work: Callable[[sqlite3.Connection], float]) -> float:
    """What `work` answers on a new SQLite file that is thrown away afterwards."""
    with floors.people(cache, PEOPLE) as connection:
        return work(connection)


class Engines(msgspec.Struct, frozen=True):
    """The peers that are asked, loaded with the same people and events."""

    duck: duckdb.DuckDBPyConnection
    click: clickhouse.Engine | None = None
    server: psycopg.Connection | None = None


def reads(cache: Path, size: Size, rounds: int) -> list[Figure]:
    """The questions on DuckDB, ClickHouse and PostgreSQL, in milliseconds."""
    with engines(cache, size, with_server=True) as peers:
        return [
            Figure(f"{question.name}: {side}", timing.median(times), "ms")
            for question in questions.ALL
            for side, times in asked(peers, question, {}, rounds).items()
        ]


@contextlib.contextmanager
def engines(cache: Path, size: Size, with_server: bool) -> Iterator[Engines]:
    """The peers, each loaded first when it is not yet; PostgreSQL only where it is wanted."""
    file = cache / f"arrival-{size}.duckdb"
    warehouse_floor.build(file, size)
    with (
        clickhouse.running(cache, size, file) as click,
        warehouse_floor.connect(file) as duck,
        postgres.running(cache, size) if with_server else contextlib.nullcontext() as server,
    ):
        yield Engines(duck, click, server)


def asked(
    peers: Engines,
    question: Question,
    product: Mapping[str, Callable[[], int]],
    rounds: int,
    expected: int | None = None,
) -> dict[str, list[float]]:
    """Times in milliseconds of the product's ways to answer, in turns with its peers.

    In its turn each is asked again and again for a second, and its median counts; what the first
    of a turn took is told beside it. PostgreSQL is asked twice over: with the indexes anybody
    would make, and with an index and a query made for this very question. `expected` is the right
    answer, where it is known already.
    """
    duck, click, server = peers.duck, peers.click, peers.server
    if expected is None:
        expected = warehouse_floor.count(duck, question.duckdb)
    asks = {**product, DUCK: lambda: warehouse_floor.count(duck, question.duckdb)}
    if click is not None:
        asks[CLICK] = lambda: click.count(question.clickhouse)
    plain, tuned = question.postgres, question.tuned
    if server is None or plain is None or tuned is None:
        return _timed(asks, expected, rounds)
    asks[SERVER] = lambda: postgres.count(server, plain)
    with postgres.obvious_indexes(server):
        times = _timed(asks, expected, rounds)
    by_hand = {"PostgreSQL, tuned by hand": lambda: postgres.count(server, tuned)}
    return times | _timed(by_hand, expected, rounds)


def _timed(
    asks: Mapping[str, Callable[[], int]], expected: int, rounds: int
) -> dict[str, list[float]]:
    sides = {name: timing.Warm(timing.milliseconds(ask, expected)) for name, ask in asks.items()}
    times = timing.in_turns(sides, rounds)
    # The very first of all found nothing in memory.
    firsts = {f"{name}{FIRST}": side.first[1:] or side.first for name, side in sides.items()}
    return times | firsts
