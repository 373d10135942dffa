"""What a card shows: somebody, and the panel that its address asks for."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response

from user360 import clock
from user360.doors import gate
from user360.doors.api import person, shapes
from user360.doors.api.person import Provenance
from user360.doors.api.shapes import Record
from user360.events import timeline
from user360.identity import history, merges, people
from user360.pages import card_timeline, card_words, inbox_of, render
from user360.pages.render import Asked
from user360.records.properties import Property
from user360.segments.memberships import Membership

AT_ONCE = 40  # events
SESSIONS = 100  # that are listed; of some devices there are thousands
TABS = (
    ("timeline", "Timeline"),
    ("properties", "Properties"),
    ("identity", "Sessions and merges"),
    ("conversations", "Conversations"),
)


class View(msgspec.Struct, frozen=True):
    """What an address asks of a card: which panel, and what is chosen in it."""

    tab: str = "timeline"
    names: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    search: str = ""
    cursor: str | None = None
    after: str = ""  # the day at which the page before ended

    @classmethod
    def of(cls, query: str) -> View:
        """What the query of an address says; what it does not know it passes over."""
        given = parse_qs(query)

        def last(name: str) -> str:
            return given.get(name, [""])[-1]

        tab = last("tab")
        return cls(
            tab=tab if tab in dict(TABS) else "timeline",
            names=tuple(dict.fromkeys(given.get("name", ()))),
            since=last("from"),
            until=last("to"),
            search=last("q").strip(),
            cursor=last("cursor") or None,
            after=last("after"),
        )

    def query(self, **other: Any) -> str:
        """The query of an address that asks for this, with something else in places."""
        chosen = msgspec.structs.replace(self, **{"cursor": None, "after": "", **other})
        given = {
            "tab": "" if chosen.tab == "timeline" else chosen.tab,
            "name": chosen.names,
            "from": chosen.since,
            "to": chosen.until,
            "q": chosen.search,
            "cursor": chosen.cursor or "",
            "after": chosen.after,
        }
        return urlencode({key: value for key, value in given.items() if value}, doseq=True)

    def toggled(self, name: str) -> str:
        """The query with one more name, or without it."""
        less = tuple(each for each in self.names if each != name)
        return self.query(names=less if len(less) < len(self.names) else (*less, name))


def view_of(request: Asked) -> View:
    """What the page shows from which one of its parts asks."""
    return View.of(urlsplit(request.headers.get("hx-current-url", "")).query)


def number_of(request: Asked, record_id: str) -> int:
    """The number of the record that an address names. Raises `NotFound`."""
    return shapes.number_of(gate.actor_of(request).workspace, record_id)


def living(request: Asked, record_id: str) -> tuple[int, Record]:
    """Somebody as the ledger has them, by any of their records. Raises `NotFound`."""
    record = shapes.record(request, number_of(request, record_id))
    return number_of(request, record.id), record


async def whole(request: Asked, record: Record, view: View, seq: int = 0) -> dict[str, Any]:
    """All that a card shows, seen no earlier than position `seq`."""
    number = number_of(request, record.id)
    found = await segments(request, number)
    return {
        **known(request, record),
        "segments": found,
        "others": others(request, found),
        "pending": seq,
        **await panel(request, record, view, seq),
    }


def known(request: Asked, record: Record) -> dict[str, Any]:
    """What every part of a card may name."""
    return {
        "record": record,
        "name": card_words.name_of(record),
        "complete": card_words.known_part(record),
        "optins": card_words.OPTINS,
        "base": f"/users/{record.id}",
        "label": card_words.label,
        "there": _there(request, record),
    }


def part(request: Asked, template: str, record: Record, **given: Any) -> Response[str]:
    """A part of somebody's card, from its template and what it shows beside what is known."""
    return render.page(request, template, **known(request, record), **given)


def _there(request: Asked, record: Record) -> str:
    """What time it is where somebody lives; nothing where that is not known."""
    name = record.properties.get("timezone")
    now = clock.to_datetime(gate.platform_of(request).clock.now())
    try:
        return f"{now.astimezone(ZoneInfo(name)):%H:%M}" if name else ""
    except (ValueError, OSError):
        return ""


async def segments(request: Asked, number: int) -> list[Membership]:
    """The segments somebody is in."""
    return await person.segments_of(request, number, gate.platform_of(request).now())


def others(request: Asked, found: list[Membership]) -> list[tuple[int, str]]:
    """The segments somebody is not in, by number and name."""
    inside = {each.segment.id for each in found}
    there = gate.actor_of(request).workspace.segments.values()
    rest = [(s.name, s.id) for s in there if s.archived_at is None and s.id not in inside]
    return [(number, name) for name, number in sorted(rest)]


async def panel(request: Asked, record: Record, view: View, seq: int = 0) -> dict[str, Any]:
    """What the panel shows that an address asks for."""
    common = {"view": view, "tabs": TABS}
    match view.tab:
        case "properties":
            return common | {"rows": await properties(request, record, view.search)}
        case "identity":
            return common | await identity(request, record)
        case "conversations":
            rows = await inbox_of.conversations(request, number_of(request, record.id))
            return common | {"rows": rows}
        case _:
            return common | await _timeline(request, record, view, seq)


async def _timeline(request: Asked, record: Record, view: View, seq: int) -> dict[str, Any]:
    workspace, number = gate.actor_of(request).workspace, number_of(request, record.id)
    everything = timeline.Wanted(record=number)
    zone = workspace.settings.time_zone
    counted = await gate.ask(
        request, lambda w: timeline.activity(w, workspace.id, everything, zone), seq
    )
    return {
        **await events(request, record, view, seq),
        "strip": card_timeline.strip(counted, view.names, view.since, view.until),
        "names": card_timeline.names(counted, view.names),
        "box": (card_timeline.WIDTH, card_timeline.HEIGHT),
    }


async def events(request: Asked, record: Record, view: View, seq: int = 0) -> dict[str, Any]:
    """One page of the timeline, by day; `more` is the query of the next."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    since, until = shapes.period(workspace, view.since or None, view.until or None)
    wanted = timeline.Wanted(
        record=number_of(request, record.id), names=view.names, since=since, until=until
    )
    page = await gate.ask(
        request,
        lambda w: timeline.timeline(w, workspace.id, wanted, limit=AT_ONCE, cursor=view.cursor),
        seq,
    )
    today = clock.to_datetime(platform.clock.now()).astimezone(workspace.zone).date()
    days = card_timeline.days(page.events, workspace.zone, today)
    more = view.query(cursor=page.cursor, after=days[-1].key) if page.cursor else ""
    return {"view": view, "days": days, "more": more}


class Row(NamedTuple):
    """One property of a card: its value, and where that came from."""

    declared: Property
    value: Any
    found: Provenance | None
    origin: str


async def properties(request: Asked, record: Record, search: str = "") -> list[Row]:
    """All properties in the order of their declaration, or those that a search finds."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    number = number_of(request, record.id)
    told = await gate.read(
        platform, lambda c: history.provenance(c, platform.ledger.dialect, workspace, number)
    )
    rows = []
    for declared in workspace.catalogue:
        if declared.name in ("userId", "tags"):
            continue
        source = told.get(declared.name)
        found = None if source is None else msgspec.convert(source, Provenance)
        rows.append(_row(request, record, declared, found))
    wanted = search.casefold()
    return [row for row in rows if wanted in _searched(row)]


def _row(request: Asked, record: Record, declared: Property, found: Provenance | None) -> Row:
    value = record.properties.get(declared.name)
    said = "" if found is None else card_words.origin(gate.platform_of(request), found)
    return Row(declared, value, found, said)


def _searched(row: Row) -> str:
    name = row.declared.name
    return f"{name}\n{card_words.label(name)}\n{row.value}\n{row.declared.description}".casefold()


async def identity(request: Asked, record: Record) -> dict[str, Any]:
    """The sessions and the merges of somebody."""
    platform, number = gate.platform_of(request), number_of(request, record.id)
    dialect = platform.ledger.dialect
    sessions = await gate.read(platform, lambda c: people.sessions(c, dialect, number))
    merged = await gate.read(platform, lambda c: merges.of_person(c, dialect, number))
    told = [
        {
            **each,
            "by": card_words.writer(platform, each["ref"]),
            "undoer": card_words.writer(platform, each["undoneBy"] or ""),
        }
        for each in reversed(merged)
    ]
    return {
        "sessions": sessions[:SESSIONS],
        "count": len(sessions),
        "channels": sorted({each["channel"] for each in sessions}),
        "merges": told,
    }
