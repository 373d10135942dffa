"""The questions to the product, in turns with DuckDB, ClickHouse and PostgreSQL."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import loaded, peers, postgres, questions, server, timing, warehouse_floor
from bench.peers import CLICK, DUCK, SERVER
from bench.population import Size
from bench.questions import Question
from bench.report import Figure, Result, at_most
from user360.platform import Platform
from user360.segments.compiler import questions as asking
from user360.segments.language import tree

PRODUCT = "product"
ASKED = (questions.BEHAVIOUR, questions.PROPERTIES, questions.SEQUENCE)
# What each question may cost, as a part of what a peer takes for it.
REACH: Mapping[str, Mapping[str, float]] = {
    questions.BEHAVIOUR.name: {DUCK: 1 / 2, CLICK: 1 / 5, SERVER: 1 / 50},
    questions.PROPERTIES.name: {DUCK: 1.5},
    questions.SEQUENCE.name: {},
}
SEQUENCE_MS = 1_000
TYPED = ("b", "ba", "bau", "bau", "baue", "bauer")  # what somebody looking for a name types


def measure(cache: Path, size: Size, rounds: int) -> Result:
    """All questions: the product within this process, its peers, and the product over HTTP."""
    data = loaded.directory(cache, size)
    with peers.engines(cache, size, with_server=True) as others:
        version = postgres.version(others.server) if others.server else ""
        counts = {each.name: warehouse_floor.count(others.duck, each.duckdb) for each in ASKED}
        with Platform.open(data) as platform:
            times = {
                each.name: peers.asked(
                    others,
                    each,
                    {PRODUCT: counter(platform, each.tree)},
                    min(rounds, 3) if each is questions.SEQUENCE else rounds,
                    counts[each.name],
                )
                for each in ASKED
            }
    figures = [figure for each in ASKED for figure in compared(each, times[each.name])]
    return Result(
        name="segments",
        title="Which people, how many",
        method=(
            f"Questions over {size.records:,} records and {size.events:,} events. "
            f"{_words(counts)} The product reads the condition, compiles it and counts, within "
            "the measuring process. DuckDB: the hand-written query over a table in the order of "
            "arrival. ClickHouse: its engine embedded (chDB), a MergeTree ordered by record and "
            f"time. PostgreSQL {version}: the obvious indexes and the natural query; tuned by "
            "hand: one index more, made for the question, and a rewritten query. Equal answers "
            "checked, in turns; in its turn each is asked again and again for a second, and the "
            "median counts, so that all are warm; the first in each turn is told beside it. "
            f"Medians of {rounds} rounds (the sequence: 3). Over "
            "HTTP, from one connection: a preview, which also shows some of the people; while "
            "typing: previews of a condition on properties that holds one letter more each time."
        ),
        figures=figures + _over_http(data, counts, rounds),
    )


def counter(platform: Platform, condition: dict[str, Any]) -> Callable[[], int]:
    """A way to count the people for whom a condition of the API holds."""
    workspace = platform.default
    warehouse = platform.wait()

    def ask() -> int:
        node = tree.parse(condition, workspace.catalogue)
        return asking.count(warehouse, workspace, node, platform.now())

    return ask


def _words(counts: dict[str, int]) -> str:
    return " ".join(
        f"{each.name.capitalize()}: {each.words} ({counts[each.name]:,} people)." for each in ASKED
    )


def compared(question: Question, times: dict[str, list[float]]) -> list[Figure]:
    """The ratios that were promised, then each side's median, in milliseconds."""
    middle = {side: timing.median(taken) for side, taken in times.items()}
    figures = [
        at_most(
            f"{question.name}: product / {side.split(',')[0]}", middle[PRODUCT] / middle[side], r
        )
        for side, r in REACH[question.name].items()
        if side in middle
    ]
    if question is questions.SEQUENCE:
        what = f"{question.name}: product, within its limit"
        figures.append(at_most(what, middle[PRODUCT], SEQUENCE_MS, "ms"))
    return figures + [Figure(f"{question.name}: {s}", value, "ms") for s, value in middle.items()]


def _over_http(data: Path, counts: dict[str, int], rounds: int) -> list[Figure]:
    with _previews(data) as preview:
        figures = []
        for each in questions.ALL:
            ask = functools.partial(preview, each.tree)
            timed = timing.milliseconds(ask, counts[each.name])
            taken = [timed() for _ in range(rounds + 2)][2:]
            name = f"{each.name}: product, a preview over HTTP"
            figures.append(Figure(name, timing.median(taken), "ms"))
        return [*_typing(preview, rounds), *figures]


def _typing(preview: Callable[[dict[str, Any]], int], rounds: int) -> list[Figure]:
    trees = [
        {
            "all": [
                {"property": "lastName", "op": "contains", "values": [typed]},
                *questions.PROPERTIES.tree["all"],
            ]
        }
        for typed in TYPED
    ]
    for each in trees:
        preview(each)
    taken = [
        timing.seconds(functools.partial(preview, each)) * 1_000
        for _ in range(5 * rounds)
        for each in trees
    ]
    return [
        at_most("preview while typing, p95", timing.percentile(taken, 95), 60, "ms"),
        Figure("preview while typing, p50", timing.percentile(taken, 50), "ms"),
    ]


@contextlib.contextmanager
def _previews(data: Path) -> Iterator[Callable[[dict[str, Any]], int]]:
    """A server, and a way to ask it for the count of a preview."""
    with (
        server.running(data) as running,
        contextlib.closing(server.line(running.port)) as connection,
    ):

        def preview(condition: dict[str, Any]) -> int:
            given = {"where": condition}
            answer = server.ask(connection, "POST", "/api/v1/segments/preview", given)
            return int(answer["count"])

        yield preview
