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
    TimeRemainingColumn,
)
from rich.text import Text

from user360.cli import output

Result = TypeVar("Result")
Reached = Callable[[float, float], None]  # told how much is done, and of how much
LOOK_SECONDS = 0.5


class Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "")


@contextlib.contextmanager
def bar(what: str) -> Iterator[Reached]:
    """A bar on standard error, which is told how much is done and of how much.

    Where standard error is no terminal nothing is drawn.
    """
    console = output.console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        Rate(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def watch(what: str, total: float, job: Callable[[], Result], done: Callable[[], float]) -> Result:
    """Run a job that says nothing while `done` is asked how far it is; returns its result."""
    finished = threading.Event()

    def look(reached: Reached) -> None:
        while not finished.wait(LOOK_SECONDS):
            reached(done(), total)

    with bar(what) as reached:
        looking = threading.Thread(target=look, args=[reached], daemon=True)
        looking.start()
        try:
            result = job()
        finally:
            finished.set()
            looking.join()
        reached(total, total)
        return result
