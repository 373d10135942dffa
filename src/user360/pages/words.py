"""How numbers, times and names are written for people: the filters of the templates."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Any

import msgspec
from markupsafe import Markup

from user360 import clock

MINUTE, HOUR, DAY = 60, 3_600, 86_400
# Where each unit ends, how many seconds it has, and what it is called.
STEPS = ((HOUR, MINUTE, "min"), (DAY, HOUR, "h"), (30 * DAY, DAY, "d"))
WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# The formats of files that leave: what each is called, and for whom it is.
FORMATS = {
    "csv": ("CSV", "For spreadsheets and most other systems."),
    "xlsx": ("Excel", "A workbook."),
    "jsonl": ("JSON lines", "For programs: one line each."),
    "parquet": ("Parquet", "For analysts and warehouses."),
}


def number(value: float | None) -> str:
    """`23570` -> `23,570`; nothing for None."""
    if value is None:
        return ""
    whole = isinstance(value, int) or value.is_integer()
    return f"{int(value):,}" if whole else f"{value:,.2f}"


def size(count: int) -> str:
    """Bytes: `812 bytes`, `1.3 MB`."""
    amount, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1_000:
            break
        amount, unit = amount / 1_000, larger
    return f"{amount:.0f} {unit}" if unit == "bytes" or amount >= 100 else f"{amount:.1f} {unit}"


def percent(part: float, whole: float) -> str:
    """How much of a whole a part is: `12 %`; `< 1 %` is not nothing, `> 99 %` not all."""
    if not whole:
        return "0 %"
    share = 100 * part / whole
    if 0 < share < 1:
        return "< 1 %"
    return "> 99 %" if 99 < share < 100 else f"{share:.0f} %"


def moment(value: str | int | datetime) -> datetime:
    """A time from ISO 8601, or microseconds."""
    if isinstance(value, datetime):
        return value
    return clock.to_datetime(value) if isinstance(value, int) else datetime.fromisoformat(value)


def exact(value: str | int | datetime, zone: tzinfo) -> str:
    """`22 November 2026, 05:40:00 CET`, by the clocks of a workspace."""
    local = moment(value).astimezone(zone)
    return f"{local.day} {local:%B %Y, %H:%M:%S %Z}"


def since(value: str | int | datetime, now: int) -> str:
    """`just now`, `5 min ago`, `3 d ago`; a date when it is long ago, `in 5 min` when ahead."""
    at = moment(value)
    seconds = (clock.to_datetime(now) - at).total_seconds()
    away = abs(seconds)
    if away < 5:
        return "just now"
    if away < MINUTE:
        told = f"{away:.0f} s"
    else:
        for limit, unit, name in STEPS:
            if away < limit:
                told = f"{int(away // unit)} {name}"
                break
        else:
            return f"{at.day} {at:%b %Y}"
    return f"{told} ago" if seconds > 0 else f"in {told}"


def ago(value: str | int | datetime | None, zone: tzinfo, now: int) -> Markup:
    """A relative time with the exact one on hover."""
    if value is None:
        return Markup("")
    stamp = moment(value).astimezone(UTC).isoformat().replace("+00:00", "Z")
    told = Markup('<time datetime="{}" title="{}" data-ago>{}</time>')
    return told.format(stamp, exact(value, zone), since(value, now))


def title(name: str) -> str:
    """A name of a program as people write it: `emailOptin` -> `Email optin`, `USER_CREATE` too."""
    text = name.replace("_", " ").lower() if name.isupper() else WORD.sub(" ", name).lower()
    return text[:1].upper() + text[1:]


def value(held: Any) -> str:
    """The value of a property as a person reads it; lists with commas, yes and no."""
    match held:
        case None:
            return ""
        case bool():
            return "yes" if held else "no"
        case int() | float():
            return number(held)
        case str():
            return held
        case list():
            return ", ".join(value(each) for each in held)
        case _:
            return msgspec.json.encode(held).decode()


BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"))
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"))
OTHERS = (("Mac OS", "Mac"), ("Linux", "Linux"))


def browser(agent: str) -> str:
    """`Firefox on Linux`, as far as a browser tells what it is; else what it said, in short."""
    known = (*BROWSERS, ("Safari", "Safari"))
    name = next((said for part, said in known if part in agent), "")
    system = next((said for part, said in (*SYSTEMS, *OTHERS) if part in agent), "")
    if name and system:
        return f"{name} on {system}"
    return name or system or agent[:40] or "unknown"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 person`, `2,000 people`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"
