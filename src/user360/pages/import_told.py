"""What a page tells of one import: how far it is, what became of its rows, which failed."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import msgspec

from user360.doors import gate
from user360.doors.api import imported, jobs
from user360.doors.api import imports as api
from user360.doors.api.imported import Import
from user360.imports import failures
from user360.imports.failures import Failed
from user360.jobs.job import Job
from user360.pages import card_words, words
from user360.pages.render import Asked

MOST_FAILED = 50  # that a page shows; all of them are in the report
# What becomes of a row: its words, and how its part of the bar looks.
WORDS = (
    ("new", "new", "good"),
    ("conflicting", "already here", "known"),
    ("failed", "failed", "bad"),
    ("empty", "empty", "none"),
    ("skipped", "skipped", "none"),
)


class Part(msgspec.Struct, frozen=True):
    """So many of the rows, from `start` on, of 100 in all."""

    words: str
    look: str
    count: int
    start: float
    width: float


class Told(msgspec.Struct, frozen=True):
    """One import, the job whose end is waited for (itself, or its undoing), its failed rows."""

    one: Import
    waits: str
    parts: list[Part]
    failed: list[Failed]
    undoing: Job | None

    @property
    def share(self) -> float | None:
        """How far the job at work is, of 100."""
        if self.undoing is not None:
            return round(100 * float(self.undoing.progress.get("share", 0)), 1)
        return round(100 * self.one.done / self.one.expected, 1) if self.one.expected else None

    @property
    def left(self) -> str:
        """`about 3 min left`, or nothing when nobody knows."""
        seconds = self.one.time_left
        if seconds is None:
            return ""
        if seconds < words.MINUTE:
            return f"about {max(round(seconds), 1)} s left"
        return f"about {seconds / words.MINUTE:.0f} min left"


def who(request: Asked) -> Callable[[str], str]:
    """The name of who asked for an import, from how a job keeps them."""
    platform = gate.platform_of(request)
    return lambda ref: card_words.writer(platform, ref)


async def of(request: Asked, import_id: str) -> Told:
    """What is told of an import. Raises `NotFound`."""
    platform = gate.platform_of(request)
    job = await api.find(request, import_id)
    one = imported.shown(platform, job)
    undoing = None
    if one.undo is not None and one.status != "undone":
        undoing = await jobs.find(request, one.undo)
        undoing = None if undoing.finished else undoing
    failed: list[Failed] = []
    if one.failed:
        failed = await gate.read(
            platform, lambda c: list(itertools.islice(failures.read(c, job.id), MOST_FAILED))
        )
    waits = undoing.id if undoing is not None else "" if job.finished else job.id
    return Told(one, waits, parts(one), failed, undoing)


def parts(one: Import) -> list[Part]:
    """What became of the rows, as stretches of a bar."""
    found, start = list[Part](), 0.0
    for name, said, look in WORDS:
        count = getattr(one, name)
        width = 100 * count / one.total if one.total else 0.0
        found.append(Part(said, look, count, round(start, 3), round(width, 3)))
        start += width
    return found
