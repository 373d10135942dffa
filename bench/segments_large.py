"""The question over events at ten times the size: does it grow faster than the data?"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path

from bench import large, loaded, peers, questions, segments, timing
from bench.peers import CLICK, DUCK
from bench.population import Size
from bench.report import Figure, Result, at_most
from user360.platform import Platform

SIZE = Size(10_000_000, 200_000_000)
LIMIT = 1_000  # milliseconds


def measure(cache: Path, small: Size, rounds: int) -> Result:
    """The product at both sizes, DuckDB and ClickHouse at the larger one."""
    question = questions.BEHAVIOUR
    with peers.engines(cache, SIZE, with_server=False) as others:
        data = large.directory(cache, SIZE, cache / f"arrival-{SIZE}.duckdb")
        with Platform.open(data) as platform:
            ask = segments.counter(platform, question.tree)
            times = peers.asked(others, question, {segments.PRODUCT: ask}, rounds)
            with Platform.open(loaded.directory(cache, small)) as other:
                sizes = _sizes(ask, segments.counter(other, question.tree), 3 * rounds)
    middle = {side: timing.median(taken) for side, taken in times.items()}
    product = middle[segments.PRODUCT]
    grown = SIZE.events / small.events
    (now, busy), (before, busy_before) = sizes
    return Result(
        name="segments-large",
        title="The same at ten times the size",
        method=(
            f"{question.words.capitalize()}, over {SIZE.records:,} records and {SIZE.events:,} "
            "events: the product's warehouse, filled directly and in the order that compaction "
            "keeps, DuckDB over a table in the order of arrival, ClickHouse over a MergeTree "
            "ordered by record and time. Events have short ids and no properties, on all sides. "
            f"Warm, equal answers checked, in turns, medians of {rounds} rounds; then the product "
            f"alone in {3 * rounds} turns with itself at {small.records:,} records and "
            f"{small.events:,} events."
        ),
        figures=[
            at_most("product, within its limit", product, LIMIT, "ms"),
            at_most(f"product / product at {small.events:,} events", now / before, grown),
            at_most("the same in processor time", busy / busy_before, grown),
            *(
                at_most(f"product / {side.split(',')[0]}", product / middle[side], share)
                for side, share in segments.REACH[question.name].items()
                if side in (DUCK, CLICK)
            ),
            *(Figure(side, value, "ms") for side, value in middle.items()),
            Figure("product in processor time", busy, "ms"),
            Figure(f"product at {small.events:,} events", before, "ms"),
            Figure(f"product at {small.events:,} events, in processor time", busy_before, "ms"),
        ],
    )


def _sizes(
    larger: Callable[[], int], smaller: Callable[[], int], rounds: int
) -> list[tuple[float, float]]:
    """What each takes, in turns: medians of milliseconds, and of those of the processor."""

    def timed(ask: Callable[[], int]) -> tuple[float, float]:
        began, busy = time.perf_counter(), time.process_time()
        ask()
        return time.perf_counter() - began, time.process_time() - busy

    sides = {
        "larger": functools.partial(timed, larger),
        "smaller": functools.partial(timed, smaller),
    }
    timing.in_turns(sides, 1)
    taken = timing.in_turns(sides, rounds)
    return [
        (timing.median([t for t, _ in each]) * 1_000, timing.median([b for _, b in each]) * 1_000)
        for each in taken.values()
    ]
