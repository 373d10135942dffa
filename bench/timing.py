"""Taking times so that two sides can be compared: in turns, with the median of each."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes, in seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turns(sides: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Each side's answers over `rounds` rounds, A B A B, so that a slow minute slows both."""
    answers: dict[str, list[T]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, work in sides.items():
            answers[name].append(work())
    return answers


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * percent // 100))
    return ordered[int(rank) - 1]


def spread(values: Sequence[float]) -> dict[str, float]:
    """p50, p95, p99 and the longest of some times, in their own unit."""
    return {
        "p50": percentile(values, 50),
        "p95": percentile(values, 95),
        "p99": percentile(values, 99),
        "max": max(values),
    }


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def milliseconds(ask: Callable[[], int], expected: int) -> Callable[[], float]:
    """How long `ask` takes, for `in_turns`; a wrong answer is a `ValueError`, not a time."""

    def timed() -> float:
        began = time.perf_counter()
        answer = ask()
        took = time.perf_counter() - began
        if answer != expected:
            raise ValueError(f"answered {answer}, expected {expected}")
        return took * 1_000

    return timed


class Warm:
    """A way to take a time that asks again and again for a while, for the median of what it took.

    What the others left in the processor's caches is no matter of a question, nor how deep a
    machine sleeps between two: `first` keeps what the first in each turn took, which does not
    count.
    """

    LASTS = 1.0  # seconds, so that everybody gets as long

    def __init__(self, work: Callable[[], float]) -> None:
        self.work = work
        self.first: list[float] = []

    def __call__(self) -> float:
        end = time.perf_counter() + self.LASTS
        self.first.append(self.work())
        taken = [self.work()]
        while time.perf_counter() < end:
            taken.append(self.work())
        return median(taken)
