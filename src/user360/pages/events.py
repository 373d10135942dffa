"""The event hub: definitions with their volume, and one of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360 import clock
from user360.doors import gate
from user360.errors import NotFound
from user360.events import define, store, timeline
from user360.events.definitions import Definition
from user360.pages import bars, events_live, forms, render, route
from user360.pages.bars import Chart
from user360.pages.render import Asked
from user360.storage.warehouse import Warehouse

# How far back charts look, in days; None is as far as there are events.
PERIODS: Mapping[str, int | None] = {"30d": 30, "90d": 90, "1y": 365, "all": None}
NAMES = {"30d": "30 days", "90d": "90 days", "1y": "1 year", "all": "All time"}
NEWEST = 25


class Row(msgspec.Struct, frozen=True):
    """One definition as the list shows it."""

    definition: Definition
    chart: Chart


class Span(msgspec.Struct, frozen=True):
    """The days that are looked at, both included, and the name of the period."""

    period: str
    first: date
    last: date

    def bounds(self, zone: tzinfo) -> tuple[int, int]:
        """Where its first day begins and its last one ends, in microseconds."""
        days = (self.first, self.last + timedelta(days=1))
        first, end = (clock.to_us(datetime.combine(day, time.min, zone)) for day in days)
        return first, end


def _span(request: Asked, found: Mapping[str, Definition]) -> Span:
    """The period asked for; else 30 days, or everything when nothing happened since."""
    workspace, now = gate.actor_of(request).workspace, gate.platform_of(request).clock.now()
    today = clock.to_datetime(now).astimezone(workspace.zone).date()
    seen = [d for d in found.values() if d.first_seen is not None and d.last_seen is not None]
    newest = max((d.last_seen or 0 for d in seen), default=now)
    usual = "30d" if newest > now - 30 * 86_400_000_000 else "all"
    period = request.query_params.get("period", usual)
    days = PERIODS.get(period, 30)
    if days is not None:
        return Span(period if period in PERIODS else "30d", today - timedelta(days=days - 1), today)
    oldest = min((d.first_seen or now for d in seen), default=now)
    first, last = (clock.to_datetime(at).astimezone(workspace.zone) for at in (oldest, newest))
    return Span("all", first.date(), max(first.date(), last.date()))


async def _definitions(request: Asked) -> dict[str, Definition]:
    workspace = gate.actor_of(request).workspace
    return await gate.read(
        gate.platform_of(request), lambda c: store.load_definitions(c, workspace.id)
    )


async def _charts(
    request: Asked, span: Span, names: list[str], *, every: bool = False
) -> dict[str, Chart]:
    """A chart of each of these definitions; asking about `every` one costs less than by name."""
    workspace = gate.actor_of(request).workspace
    since, until = span.bounds(workspace.zone)

    def ask(warehouse: Warehouse) -> dict[str, dict[date, int]]:
        given = ([] if every else names, since, until, workspace.zone)
        return timeline.per_day(warehouse, workspace.id, *given)

    counts = await gate.ask(request, ask)
    return {name: bars.chart(counts.get(name, {}), span.first, span.last) for name in names}


@route.shown("/events", may="declarations.read")
async def listing(request: Asked) -> Response[str]:
    """All definitions with what happened of each."""
    found = await _definitions(request)
    span = _span(request, found)
    charts = await _charts(request, span, list(found), every=True) if found else {}
    order = request.query_params.get("sort", "volume")
    rows = [Row(definition, charts[name]) for name, definition in found.items()]
    if order == "last":
        rows.sort(key=lambda row: -(row.definition.last_seen or 0))
    elif order != "name":
        rows.sort(key=lambda row: -row.definition.volume)
    return render.page(
        request, "events/list.html", rows=rows, span=span, periods=NAMES, order=order
    )


@route.deed("/events", may="declarations.write")
async def create(request: Asked) -> Response[str]:
    """Define an event before it is seen."""
    form = await forms.read(request)
    name, description = form.get("name", ""), form.get("description", "")
    made, _ = await gate.change(request, lambda c: define.create(c, name, description, True))
    return render.go(request, "/events?sort=name", tell=f"Defined {made.name}")


@route.shown("/events/of/{name:str}", may="declarations.read")
async def shown(request: Asked, name: FromPath[str]) -> Response[str]:
    """One definition: its days, its properties, its newest events."""
    found = await _definitions(request)
    if name not in found:
        raise NotFound("There is no event definition of this name")
    span = _span(request, {name: found[name]})
    charts = await _charts(request, span, [name])
    workspace, cursor = gate.actor_of(request).workspace, request.query_params.get("cursor")

    def ask(warehouse: Warehouse) -> timeline.Page:
        wanted = timeline.Wanted(names=[name])
        return timeline.timeline(warehouse, workspace.id, wanted, limit=NEWEST, cursor=cursor)

    page = await gate.ask(request, ask)
    given: dict[str, Any] = {"definition": found[name], "chart": charts[name], "span": span}
    return render.page(
        request,
        "events/one.html",
        newest=events_live.told(page.events),
        following=page.cursor,
        older=cursor is not None,
        periods=NAMES,
        **given,
    )


@route.deed("/events/of/{name:str}", may="declarations.write")
async def edit(request: Asked, name: FromPath[str]) -> Response[str]:
    """Change what is said of a definition."""
    description = (await forms.read(request)).get("description", "")
    await gate.change(request, lambda c: define.edit(c, name, description, None))
    return render.page(request, "nothing.html", headers=render.said("Saved"))


@route.deed("/events/of/{name:str}/active", may="declarations.write")
async def activate(request: Asked, name: FromPath[str]) -> Response[str]:
    """Take in events of this name from now on, or drop them; the switch anew."""
    active = (await forms.read(request)).get("active") == "on"
    kept, _ = await gate.change(request, lambda c: define.edit(c, name, None, active))
    told = f"{name} is taken in" if active else f"{name} is dropped from now on"
    return render.page(request, "events/switch.html", definition=kept, headers=render.said(told))


ROUTES: list[HTTPRouteHandler] = [
    listing,
    create,
    shown,
    edit,
    activate,
    *events_live.ROUTES,
]
