"""The files that are imported, made once and kept: the same people whenever they are made."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

HEADER = (
    "userId",
    "firstName",
    "lastName",
    "email",
    "phone",
    "country",
    "city",
    "dob",
    "emailOptin",
    "plan",
    "lifetimeValue",
    "orders",
    "seenAt",
)
CHANGED = 100  # one row of so many has another city in the second file
_CITIES = ("Pune", "Berlin", "São Paulo", "Lagos", "Paris")
_COUNTRIES = ("India", "Germany", "Brazil", "Nigeria", "France")
_FILLING = 5_000  # characters that make a row of the large file long

Row = list[str]


def first(cache: Path, rows: int) -> Path:
    """People with twelve properties each."""
    return _kept(cache / f"people-{rows}.csv", lambda: _people(rows))


def second(cache: Path, rows: int) -> Path:
    """The same people; one of a hundred has moved."""
    return _kept(cache / f"people-{rows}-later.csv", lambda: _moved(_people(rows)))


def large(cache: Path, size: int) -> Path:
    """A file of about so many bytes: few columns are people's, the rest is text nobody imports."""
    return _kept(cache / f"large-{size}.csv", lambda: _long(size // _FILLING))


def _kept(path: Path, rows: Callable[[], Iterator[Sequence[str]]]) -> Path:
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows())
        part.rename(path)
    return path


def _people(rows: int) -> Iterator[Sequence[str]]:
    draw = random.Random(360)
    yield HEADER
    for number in range(rows):
        place, days = draw.randrange(len(_CITIES)), draw.randrange(28)
        yield [
            f"u{number:08d}",
            f"First {draw.randrange(5_000)}",
            f"Last {draw.randrange(50_000)}",
            f"user{number}@mail.example.net",
            f"+9198{draw.randrange(10**8):08d}",
            _COUNTRIES[place],
            _CITIES[place],
            f"19{draw.randrange(50, 100)}-{draw.randrange(1, 13):02d}-{days + 1:02d}",
            draw.choice(("true", "false")),
            draw.choice(("free", "plus", "pro")),
            f"{draw.randrange(10_000)}.{draw.randrange(1, 10)}",
            str(draw.randrange(100)),
            f"2026-0{draw.randrange(1, 10)}-{days + 1:02d} {draw.randrange(24):02d}:15:00",
        ]


def _moved(rows: Iterator[Sequence[str]]) -> Iterator[Sequence[str]]:
    city = HEADER.index("city")
    for number, row in enumerate(rows):
        moved = number and number % CHANGED == 0
        yield [*row[:city], "Vienna", *row[city + 1 :]] if moved else row


def _long(rows: int) -> Iterator[Sequence[str]]:
    yield ("userId", "city", "remarks")
    for number in range(rows):
        yield (
            f"l{number:08d}",
            _CITIES[number % len(_CITIES)],
            (f"{number} " * _FILLING)[:_FILLING],
        )
