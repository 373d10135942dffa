"""Where a time zone is: what a browser tells by itself gives the country.

From the table of the time zone database that names one country a zone; older names of zones, which
browsers still use, stand for newer ones.
"""

from __future__ import annotations

import functools
from importlib import resources

LONGEST = 64


def country_of(zone: str) -> str | None:
    """The country (`IN`) of a time zone (`Asia/Kolkata`); None for one of none, such as UTC."""
    return _countries().get(zone) or _countries().get(_links().get(zone, ""))


def known(zone: object) -> bool:
    """Whether a time zone is one: never a path, whatever it is made of."""
    return isinstance(zone, str) and (zone in _countries() or zone in _links() or zone == "UTC")


@functools.cache
def _countries() -> dict[str, str]:
    rows = [line.split("\t") for line in _lines("zone.tab") if not line.startswith("#")]
    return {row[2]: row[0] for row in rows if len(row) > 2}


@functools.cache
def _links() -> dict[str, str]:
    rows = [line.split() for line in _lines("tzdata.zi") if line.startswith("L ")]
    return {row[2]: row[1] for row in rows}


def _lines(name: str) -> list[str]:
    return (resources.files("tzdata.zoneinfo") / name).read_text("utf-8").splitlines()
