"""What the product needs to stand ready with many people and events: memory, and time to start."""

from __future__ import annotations

import time
from pathlib import Path

from bench import loaded, questions, server, timing
from bench.population import Size
from bench.report import Figure, Result, at_most

_CALM = 2.0  # seconds after the start until memory is looked at


def measure(cache: Path, size: Size, rounds: int) -> Result:
    """Start a server some times; see when it is ready and what it holds then."""
    data = loaded.directory(cache, size)
    runs = [_run(data) for _ in range(rounds)]
    started, after_start, after_questions = (
        timing.median(list(each)) for each in zip(*runs, strict=True)
    )
    return Result(
        name="footprint",
        title="Memory and start",
        method=(
            f"A server is started on {size.records:,} records and {size.events:,} events, its "
            "files in the system's cache: from the start of the process until `GET /readyz` "
            f"answers 200, its resident memory {_CALM:g} seconds later, and after a preview of "
            f"each of the two questions. Medians of {rounds} starts."
        ),
        figures=[
            at_most("start until ready", started, 3, "s"),
            at_most("memory after the start", after_start, 400, "MB"),
            Figure("memory after the questions", after_questions, "MB"),
            *(Figure(f"on disk: {file.name}", _megabytes(file), "MB") for file in _files(data)),
        ],
    )


def _run(data: Path) -> tuple[float, float, float]:
    """Seconds until ready, MB then, MB after the questions."""
    with server.running(data) as running:
        time.sleep(_CALM)
        before = running.memory()["VmRSS"]
        for each in questions.ALL:
            running.ask("POST", "/api/v1/segments/preview", {"where": each.tree})
        return running.started, before, running.memory()["VmRSS"]


def _files(data: Path) -> list[Path]:
    return sorted(file for file in data.iterdir() if file.stat().st_size > 1_000_000)


def _megabytes(file: Path) -> float:
    return file.stat().st_size / 1_048_576
