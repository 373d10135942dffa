"""When a schedule's turn comes next, by the clocks of the workspace, daylight saving included.

A time that the clocks skip when they go forward is an hour later; one that they show twice when
they go back counts once.
"""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

from user360.clock import to_datetime, to_us
from user360.errors import Invalid
from user360.imports.schedules.schedule import Calendar, Cron, Daily, Monthly, Once, Weekly

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# The months that lack a day of this number: there the last one is taken.
_SHORT = {29: "2", 30: "2", 31: "2,4,6,9,11"}


def next_time(calendar: Calendar, after: int, zone: tzinfo) -> int | None:
    """The first moment after `after` (both microseconds), or None when there is none.

    Raises `Invalid` naming what of the calendar cannot be understood.
    """
    if isinstance(calendar, Once):
        at = _moment(calendar.at, zone)
        return at if at > after else None
    found = [_after(expression, after, zone) for expression in _expressions(calendar)]
    return min((at for at in found if at is not None), default=None)


def _expressions(calendar: Daily | Weekly | Monthly | Cron) -> list[str]:
    """A calendar as cron expressions, any of which may be next."""
    if isinstance(calendar, Cron):
        return [calendar.cron]
    found = _TIME.fullmatch(calendar.time)
    if found is None:
        raise Invalid.at("time", "time must be written as 09:30")
    clock = f"{int(found[2])} {int(found[1])}"
    if isinstance(calendar, Daily):
        return [f"{clock} * * *"]
    if isinstance(calendar, Weekly):
        return [f"{clock} * * {(_DAYS.index(calendar.weekday) + 1) % 7}"]
    if not 1 <= calendar.day <= 31:
        raise Invalid.at("day", "day must be a number from 1 to 31")
    short = _SHORT.get(calendar.day)
    return [f"{clock} {calendar.day} * *", *([f"{clock} L {short} *"] if short else [])]


def _after(expression: str, after: int, zone: tzinfo) -> int | None:
    from cronsim import CronSim, CronSimError

    message = "cron must be an expression of five fields, such as 30 9 * * MON-FRI"
    if len(expression.split()) != 5:
        raise Invalid.at("cron", message)
    try:
        found = next(CronSim(expression.upper(), to_datetime(after).astimezone(zone)), None)
    except (CronSimError, ValueError, OverflowError):
        raise Invalid.at("cron", message) from None
    return None if found is None else to_us(found)


def _moment(text: str, zone: tzinfo) -> int:
    try:
        found = datetime.fromisoformat(text.strip())
        return to_us(found if found.tzinfo else found.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        raise Invalid.at("at", "at must be a moment such as 2026-11-22 09:30") from None
