"""Figures on disk, and the page made from them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
PAGE = ROOT / "docs" / "reference" / "benchmarks.md"

ORDER = (
    "ingest",
    "identify",
    "segments",
    "segments-large",
    "following",
    "freshness",
    "why",
    "bulk",
    "bulk-out",
    "pages",
    "inbox",
    "footprint",
    "floors",
)
_INTRODUCTION = """\
# Benchmarks

Every figure stands next to a floor or a peer that was measured in the same run, in turns with it,
so that the ratio means something on any machine. `python -m bench NAME` measures one again,
`make bench` all of them; both write this page from `bench/results/`. What is asked, and of which
people and events, is in `bench/questions.py` and `bench/population.py`.
"""


class Figure(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a result. `reach` says what is promised, `ok` whether it was kept."""

    what: str
    value: float
    unit: str
    reach: str = ""
    ok: bool | None = None


class Result(msgspec.Struct, frozen=True):
    """What one benchmark found out."""

    name: str
    title: str
    method: str
    figures: list[Figure]
    machine: dict[str, Any] = {}


def at_least(what: str, value: float, least: float, unit: str = "ratio") -> Figure:
    """A figure that must not be below `least`."""
    return Figure(what, value, unit, f"at least {least:g}", value >= least)


def at_most(what: str, value: float, most: float, unit: str = "ratio") -> Figure:
    """A figure that must not be above `most`."""
    return Figure(what, value, unit, f"at most {most:g}", value <= most)


def publish(result: Result) -> None:
    """Write the result and make the page anew from all there are."""
    RESULTS.mkdir(exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(result), indent=2)
    (RESULTS / f"{result.name}.json").write_bytes(text + b"\n")
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(stored()), encoding="utf-8")


def stored() -> list[Result]:
    """All results on disk, in the order of the page."""
    files = [RESULTS / f"{name}.json" for name in ORDER]
    return [msgspec.json.decode(f.read_bytes(), type=Result) for f in files if f.exists()]


def page(results: Iterable[Result]) -> str:
    """The page in Markdown."""
    return "\n".join([_INTRODUCTION, *map(section, results)])


def section(result: Result) -> str:
    """One benchmark: how it is measured, its figures, and on what."""
    lines = [
        f"## {result.title}",
        "",
        textwrap.fill(result.method, 100),
        "",
        "| | measured | promised |",
        "|---|---:|---|",
        *(f"| {f.what} | {shown(f)} | {promise(f)} |" for f in result.figures),
        "",
        _machine(result.machine),
        "",
    ]
    return "\n".join(lines)


def shown(figure: Figure) -> str:
    """`12.3 ms`, `51,000 events/s`, `0.71`."""
    value = figure.value
    if figure.unit == "ratio":
        return f"{value:.2f}" if value >= 0.1 else f"{value:.3f} (1/{1 / value:.0f})"
    if value >= 100:
        return f"{value:,.0f} {figure.unit}"
    return f"{value:.3g} {figure.unit}"


def promise(figure: Figure) -> str:
    """What is promised, and a word when it was not kept."""
    if figure.ok is None:
        return figure.reach
    return figure.reach if figure.ok else f"{figure.reach}: **missed**"


def _machine(facts: dict[str, Any]) -> str:
    libraries = ", ".join(f"{name} {version}" for name, version in facts["libraries"].items())
    return (
        f"{facts['date']}, {facts['cores']} cores, {facts['memoryGB']} GB, {facts['system']}, "
        f"load before {facts['loadBefore']}; Python {facts['python']}, SQLite {facts['sqlite']}, "
        f"{libraries}."
    )
