"""The two questions to the product, in turns with DuckDB and PostgreSQL over the same people."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import loaded, peers, postgres, questions, server, timing, warehouse_floor
from bench.population import Size
from bench.questions import Question
from bench.report import Figure, Result, at_most
from user360.platform import Platform
from user360.segments import questions as asking
from user360.segments import tree

REACH = {questions.BEHAVIOUR.name: 1.0, questions.PROPERTIES.name: 1.5}
POSTGRES = 25
PRODUCT = "product"


def measure(cache: Path, size: Size, rounds: int) -> Result:
    """Both questions: the product within this process, its peers, and the product over HTTP."""
    data = loaded.directory(cache, size)
    file = cache / f"arrival-{size}.duckdb"
    warehouse_floor.build(file, size)
    with warehouse_floor.connect(file) as duck, postgres.running(cache, size) as database:
        version = postgres.version(database)
        with Platform.open(data) as platform:
            times = {
                each.name: peers.asked(
                    duck, database, each, {PRODUCT: counter(platform, each.tree)}, rounds
                )
                for each in questions.ALL
            }
        counts = {each.name: warehouse_floor.count(duck, each.duckdb) for each in questions.ALL}
    figures = [figure for each in questions.ALL for figure in _compared(each, times[each.name])]
    return Result(
        name="segments",
        title="Which people, how many",
        method=(
            f"Two questions over {size.records:,} records and {size.events:,} events. "
            f"{_words(counts)} The product reads the condition, compiles it and counts, within "
            "the measuring process. DuckDB: the hand-written query over a table in the order of "
            f"arrival. PostgreSQL {version}: the obvious indexes and the natural query; tuned by "
            "hand: one index more, made for the question, and a rewritten query. All warm, equal "
            f"answers checked, in turns, medians of {rounds} rounds. Over HTTP: a preview, which "
            "also shows some of the people, from one connection."
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
        f"{each.name.capitalize()}: {each.words} ({counts[each.name]:,} people)."
        for each in questions.ALL
    )


def _compared(question: Question, times: dict[str, list[float]]) -> list[Figure]:
    """The ratios that were promised, then each side's median, in milliseconds."""
    middle = {side: timing.median(taken) for side, taken in times.items()}
    duck, natural = middle["DuckDB, arrival order"], middle["PostgreSQL, obvious indexes"]
    figures = [
        at_most(f"{question.name}: product / DuckDB", middle[PRODUCT] / duck, REACH[question.name])
    ]
    if question is questions.BEHAVIOUR:
        ratio = middle[PRODUCT] / natural
        figures.append(at_most(f"{question.name}: product / PostgreSQL", ratio, 1 / POSTGRES))
    sides = [Figure(f"{question.name}: {side}", value, "ms") for side, value in middle.items()]
    return figures + sides


def _over_http(data: Path, counts: dict[str, int], rounds: int) -> list[Figure]:
    with (
        server.running(data) as running,
        contextlib.closing(server.line(running.port)) as connection,
    ):
        figures = []
        for each in questions.ALL:
            given = {"where": each.tree}

            def ask(given: dict[str, Any] = given) -> int:
                answer = server.ask(connection, "POST", "/api/v1/segments/preview", given)
                return int(answer["count"])

            timed = timing.milliseconds(ask, counts[each.name])
            taken = [timed() for _ in range(rounds + 2)][2:]
            name = f"{each.name}: product, a preview over HTTP"
            figures.append(Figure(name, timing.median(taken), "ms"))
        return figures
