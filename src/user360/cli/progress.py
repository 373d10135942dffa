"""A bar with rate and remaining time for whatever takes long. Imported where it is needed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from user360.cli import output

Result = TypeVar("Result")
Reached = Callable[[float], None]  # told how much is done in all
LOOK_SECONDS = 0.5


class Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "")


@contextlib.contextmanager
def bar(what: str, total: float | None = None) -> Iterator[Reached]:
    """A bar on standard error, which is told how much of `total` is done.

    Without a total it says how long it has taken. Where standard error is no terminal nothing is
    drawn.
    """
    console = output.console(stderr=True)
    columns = [TextColumn("{task.description}"), BarColumn()]
    columns += [TimeElapsedColumn()] if total is None else [TaskProgressColumn(), Rate()]
    if total is not None:
        columns.append(TimeRemainingColumn(elapsed_when_finished=True))
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


def watch(what: str, total: float, job: Callable[[], Result], done: Callable[[], float]) -> Result:
    """Run a job that says nothing while `done` is asked how far it is; returns its result."""
    finished = threading.Event()

    def look(reached: Reached) -> None:
        while not finished.wait(LOOK_SECONDS):
            reached(done())

    with bar(what, total) as reached:
        looking = threading.Thread(target=look, args=[reached], daemon=True)
        looking.start()
        try:
            result = job()
            reached(total)
            return result
        finally:
            finished.set()
            looking.join()
