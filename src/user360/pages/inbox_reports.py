"""The inbox's reports: numbers of a period, drawn and as a table, and what is behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from user360 import clock, ids
from user360.conversations import reading, shown, store
from user360.doors import gate
from user360.doors.api import inbox_reports as api
from user360.doors.api.shapes import Record
from user360.errors import Invalid
from user360.identity import people
from user360.inbox import reports
from user360.inbox.reports import Row, Spread
from user360.pages import card_words, inbox_view, render, route
from user360.pages.render import Asked
from user360.storage.ledger import Connection

WAYS = {
    "day": "Day",
    "hour": "Hour",
    "channel": "Channel",
    "state": "State",
    "agent": "Agent",
    "tag": "Tag",
    "segment": "Segment",
    "topic": "Rising topics",
}
# How far back a report looks, in days, today among them.
PERIODS = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "1 year"}
USUAL = "30"
COUNTS = {
    "conversations": "Conversations",
    "active": "Active",
    "resolved": "Resolved",
    "missed": "Missed",
}
TIMES = {
    "first_response": "First response",
    "agent_response": "By an agent",
    "resolution": "Resolved after",
}
# What the number is called by that opens what a time, or the messages, are of.
OPENS = {
    "first_response": "firstResponse",
    "agent_response": "agentResponse",
    "resolution": "resolution",
}
SAYS = {
    **COUNTS,
    "chats": "Chats",
    "tickets": "Tickets",
    "messages": "Conversations",
    "firstResponse": "Conversations that were answered",
    "agentResponse": "Conversations that an agent answered",
    "resolution": "Resolved",
}
DRAWN = (reports.DAY, reports.HOUR)
AT_ONCE = 50


class Bar(msgspec.Struct, frozen=True):
    """One bar of a drawing; `share` is of the highest."""

    name: str
    count: int
    share: float


class Drawing(msgspec.Struct, frozen=True):
    """Bars in their order, and the same in a sentence."""

    bars: list[Bar]
    most: int
    says: str


class Chosen(msgspec.Struct, frozen=True):
    """What the address chooses: the days, both included, how they were chosen, and by what."""

    by: str
    period: str
    first: date
    last: date

    @property
    def query(self) -> dict[str, str]:
        """The period as it stands in an address."""
        if self.period:
            return {"period": self.period}
        return {"from": str(self.first), "to": str(self.last)}


@route.shown("/inbox/reports", may="inbox.reports")
async def report(request: Asked) -> Response[str]:
    """The numbers of a period, by day unless another way is asked for."""
    chosen = _chosen(request)
    asked = _asked(request, chosen)
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    made = await asyncio.to_thread(reports.made, platform, workspace, asked)
    return render.page(
        request,
        "reports/inbox.html",
        chosen=chosen,
        report=made,
        drawing=_drawing(made.rows) if chosen.by in DRAWN else None,
        most=max((row.numbers.conversations for row in made.rows), default=0),
        ways=WAYS,
        periods=PERIODS,
        counts=COUNTS,
        times=TIMES,
        opens=OPENS,
        named=lambda row: _named(chosen.by, row.name),
        took=took,
        within=within,
        away=lambda by: "/inbox/reports?" + urlencode({"by": by, **chosen.query}),
        behind=lambda key, measure: _behind(chosen, key, measure),
        file="/api/v1/reports/inbox?" + api.query(asked, None, format="csv"),
    )


@route.shown("/inbox/reports/behind", may="inbox.reports")
async def behind(request: Asked) -> Response[str]:
    """The conversations behind one number."""
    chosen = _chosen(request)
    given = request.query_params
    key, measure = given.get("key"), given.get("measure", "conversations")
    found = await api.numbers(request, _asked(request, chosen), key, measure)
    start = _start(given.get("after", ""), found, gate.actor_of(request).workspace.id)
    page = found[start : start + AT_ONCE]
    more = start + AT_ONCE < len(found)
    following = _behind(chosen, key, measure, ids.public_conversation_id(page[-1])) if more else ""
    return render.page(
        request,
        "reports/behind.html",
        rows=await _rows(request, page),
        total=len(found),
        back="/inbox/reports?" + urlencode({"by": chosen.by, **chosen.query}),
        says=_says(request, chosen, key, measure),
        following=following,
        channels=inbox_view.CHANNELS,
        states=inbox_view.STATES,
    )


def _chosen(request: Asked) -> Chosen:
    """Raises `Invalid` for days that are none."""
    given, zone = request.query_params, gate.actor_of(request).workspace.zone
    by = given.get("by", reports.DAY)
    by = by if by in WAYS else reports.DAY
    today = clock.to_datetime(gate.platform_of(request).clock.now()).astimezone(zone).date()
    if given.get("from") and given.get("to"):
        first, last = sorted(_date(given[name], name) for name in ("from", "to"))
        return Chosen(by, "", first, last)
    period = given.get("period", USUAL)
    period = period if period in PERIODS else USUAL
    return Chosen(by, period, today - timedelta(days=int(period) - 1), today)


def _date(text: str, path: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid.at(path, f"{path} must be a date, such as 2026-11-22") from error


def _asked(request: Asked, chosen: Chosen) -> reports.Asked:
    zone = gate.actor_of(request).workspace.zone
    try:
        first = reports.midnight(chosen.first, zone)
        end = reports.midnight(chosen.last + timedelta(days=1), zone)
    except OverflowError as error:
        raise Invalid.at("from", "from and to must be dates within the calendar") from error
    asked = api.asked_by(request, chosen.by, None, None)
    return msgspec.structs.replace(asked, since=first, until=end)


def _drawing(rows: list[Row]) -> Drawing:
    counts = [row.numbers.conversations for row in rows]
    most = max(counts, default=0)
    bars = [
        Bar(row.name, count, count / most if most else 0.0)
        for row, count in zip(rows, counts, strict=True)
    ]
    if not most:
        return Drawing(bars, 0, "no conversations began")
    top = max(bars, key=lambda bar: bar.count)
    return Drawing(bars, most, f"{sum(counts):,} in all, most at {top.name}: {top.count:,}")


def took(spread: Spread | None) -> str:
    """The middle of some times, in words."""
    return "" if spread is None else _time(spread.median)


def within(spread: Spread) -> str:
    """What nine of ten stay within, in words."""
    return _time(spread.p90)


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3_600:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3_600:
        return f"{seconds / 3_600:.1f} h"
    return f"{seconds / 86_400:.1f} days"


def _behind(chosen: Chosen, key: str | None, measure: str, after: str = "") -> str:
    given = {"by": chosen.by, **chosen.query, "measure": measure}
    given |= {} if key is None else {"key": key}
    given |= {"after": after} if after else {}
    return "/inbox/reports/behind?" + urlencode(given)


def _start(after: str, found: list[int], workspace: int) -> int:
    number = ids.parse_conversation_id(workspace, after)
    return found.index(number) + 1 if number in found else 0


def _named(by: str, name: str) -> str:
    """A line's name as the inbox calls it."""
    if by == "channel":
        return inbox_view.CHANNELS.get(name, name)
    return inbox_view.STATES.get(name, name) if by == "state" else name


def _says(request: Asked, chosen: Chosen, key: str | None, measure: str) -> str:
    """What is listed, in a sentence. What is `before` is of as many days before."""
    first, last, which = chosen.first, chosen.last, SAYS.get(measure, "Conversations")
    if measure == reports.BEFORE:
        days = last - first
        last = first - timedelta(days=1)
        first = last - days
    told = f"{which} that began from {first:%-d %b %Y} to {last:%-d %b %Y}"
    if key is None:
        return told
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    name = _named(chosen.by, reports.name_of(platform, workspace, chosen.by, key))
    return f"{told}. {'Word' if chosen.by == reports.TOPIC else WAYS[chosen.by]}: {name}"


async def _rows(request: Asked, numbers: list[int]) -> list[Mapping[str, Any]]:
    """The conversations of a page, each with who it is with."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    dialect = platform.ledger.dialect

    def read(connection: Connection) -> list[Mapping[str, Any]]:
        held = store.load(connection, dialect, workspace.id, numbers)
        living = reading.living(connection, dialect, {c.record for c in held.values()})
        roots = sorted({n for n in living.values() if n is not None})
        known = {r["id"]: r for r in people.many(connection, dialect, workspace, roots)}
        told = [shown.conversation(held[n], living[held[n].record]) for n in numbers if n in held]
        return [{**each, "who": _who(known.get(each["recordId"] or ""))} for each in told]

    return await gate.read(platform, read)


def _who(record: Mapping[str, Any] | None) -> str:
    if record is None:
        return "Somebody who was deleted"
    return card_words.name_of(msgspec.convert(record, Record))


ROUTES: list[HTTPRouteHandler] = [report, behind]
