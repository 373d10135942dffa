"""Reading events: one person's timeline, the whole workspace's, and how many there were when.

A person's events are those written to its record and to every record merged into it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import date, timedelta, tzinfo
from typing import Any

import msgspec

from user360 import clock, ids
from user360.errors import Problem
from user360.events import days
from user360.storage.warehouse import Warehouse, schema_of

COLUMNS = 'seq, record_id, name, "at", received_at, id, source, channel, properties'

# Those found, as they are shown: with whom they belong to by now.
SHOWN = (
    ' SELECT f.seq, coalesce(m.survivor_id, f.record_id), f.name, epoch_us(f."at"),'
    " epoch_us(f.received_at), f.id, f.source, f.channel, f.properties, r.user_id"
    " FROM found f LEFT JOIN {schema}.merged m ON m.record_id = f.record_id"
    " LEFT JOIN {schema}.records r ON r.id = coalesce(m.survivor_id, f.record_id)"
)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which events: of one living record or of all, by name, source and period, or by a condition.

    `since` and `until` are microseconds, the first included and the second not; `condition` is
    SQL over the event's columns, made by the condition language.
    """

    record: int | None = None
    names: Sequence[str] = ()
    sources: Sequence[str] = ()
    since: int | None = None
    until: int | None = None
    condition: str | None = None


class Page(msgspec.Struct, frozen=True):
    """Events, newest first, and where the next page begins."""

    events: list[dict[str, Any]]
    cursor: str | None


def timeline(
    warehouse: Warehouse,
    workspace: int,
    wanted: Wanted,
    *,
    limit: int = 50,
    cursor: str | None = None,
) -> Page:
    """The newest events first. Raises `Problem` for a cursor that is not one of ours."""
    schema = schema_of(workspace)
    where, given = _where(warehouse, workspace, wanted)
    if cursor is not None:
        at, seq = _read_cursor(cursor)
        where.append('("at" < make_timestamp(?) OR ("at" = make_timestamp(?) AND seq < ?))')
        given += [at, at, seq]
    rows = warehouse.query(
        f"WITH found AS (SELECT {COLUMNS} FROM {schema}.events WHERE {' AND '.join(where)}"
        ' ORDER BY "at" DESC, seq DESC LIMIT ?)'
        f"{SHOWN.format(schema=schema)}"
        ' ORDER BY f."at" DESC, f.seq DESC',
        [*given, limit + 1],
    ).rows
    more = len(rows) > limit
    rows = rows[:limit]
    following = _write_cursor(rows[-1][3], rows[-1][0]) if more else None
    return Page([_event(row) for row in rows], following)


def activity(
    warehouse: Warehouse, workspace: int, wanted: Wanted, zone: str
) -> list[dict[str, Any]]:
    """How many events of each name on each day of the workspace's zone, newest day first."""
    where, given = _where(warehouse, workspace, wanted)
    rows = warehouse.query(
        "SELECT strftime((\"at\" AT TIME ZONE 'UTC') AT TIME ZONE ?, '%Y-%m-%d') AS day, name,"
        f" count(*) FROM {schema_of(workspace)}.events WHERE {' AND '.join(where)}"
        " GROUP BY ALL ORDER BY day DESC, name",
        [zone, *given],
    ).rows
    return [{"day": day, "name": name, "count": count} for day, name, count in rows]


def per_day(
    warehouse: Warehouse,
    workspace: int,
    names: Sequence[str],
    since: int,
    until: int,
    zone: tzinfo,
) -> dict[str, dict[date, int]]:
    """For each name how many events there were on each day of the zone that had any.

    From `since` on and before `until`, in microseconds. Which day it is is reckoned with whole
    numbers, which is many times faster than asking the engine for a zone's calendar.
    """
    where, given = _where(warehouse, workspace, Wanted(names=names, since=since, until=until))
    *changing, (_, last) = days.offsets(zone, since, until)
    cases = " ".join(f'WHEN "at" < make_timestamp({end}) THEN {by}' for end, by in changing)
    offset = f"CASE {cases} ELSE {last} END" if cases else str(last)
    rows = warehouse.query(
        f'SELECT name, (epoch_us("at") + {offset}) // {days.DAY} AS day, count(*)'
        f" FROM {schema_of(workspace)}.events WHERE {' AND '.join(where)}"
        " GROUP BY ALL ORDER BY name, day",
        given,
    ).rows
    found: dict[str, dict[date, int]] = {}
    for name, day, count in rows:
        found.setdefault(name, {})[days.FIRST + timedelta(days=day)] = count
    return found


class Arrived(msgspec.Struct, frozen=True):
    """What came in lately, newest first, and the position up to which it was looked for."""

    events: list[dict[str, Any]]
    position: int


def arrived(
    warehouse: Warehouse, workspace: int, after: int, names: Sequence[str] = (), limit: int = 50
) -> Arrived:
    """The newest events in the order of their arrival, of those after a position of the log."""
    schema = schema_of(workspace)
    where, given = _where(warehouse, workspace, Wanted(names=names))
    rows = warehouse.query(
        f"WITH found AS (SELECT {COLUMNS} FROM {schema}.events"
        f" WHERE seq > ? AND {' AND '.join(where)} ORDER BY seq DESC LIMIT ?)"
        f"{SHOWN.format(schema=schema)} ORDER BY f.seq DESC",
        [after, *given, limit],
    ).rows
    return Arrived([_event(row) for row in rows], rows[0][0] if rows else after)


def members(warehouse: Warehouse, workspace: int, record: int) -> list[int]:
    """The living record and every record merged into it."""
    found = warehouse.query(
        f"SELECT record_id FROM {schema_of(workspace)}.merged WHERE survivor_id = ?", [record]
    )
    return [record, *(row[0] for row in found.rows)]


def _where(warehouse: Warehouse, workspace: int, wanted: Wanted) -> tuple[list[str], list[Any]]:
    where, given = ["true"], list[Any]()
    if wanted.record is not None:
        numbers = members(warehouse, workspace, wanted.record)
        where.append(f"record_id IN ({', '.join(str(n) for n in numbers)})")
    for column, values in (("name", wanted.names), ("source", wanted.sources)):
        if values:
            where.append(f"{column} IN ({', '.join('?' * len(values))})")
            given += values
    for comparison, moment in ((">=", wanted.since), ("<", wanted.until)):
        if moment is not None:
            where.append(f'"at" {comparison} make_timestamp(?)')
            given.append(moment)
    if wanted.condition is not None:
        where.append(f"({wanted.condition})")
    return where, given


def _event(row: Sequence[Any]) -> dict[str, Any]:
    _, record, name, at, received, event_id, source, channel, properties, user_id = row
    return {
        "id": event_id,
        "name": name,
        "properties": msgspec.Raw(properties.encode()),
        "timestamp": clock.to_iso(at),
        "receivedAt": clock.to_iso(received),
        "source": source,
        "channel": channel,
        "userId": user_id,
        "recordId": ids.public_record_id(record),
    }


def _write_cursor(at: int, seq: int) -> str:
    return base64.urlsafe_b64encode(f"{at}.{seq}".encode()).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[int, int]:
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        at, seq = plain.split(".")
        return int(at), int(seq)
    except (binascii.Error, ValueError) as error:
        raise Problem.at("cursor", "cursor must be one that an earlier page answered") from error
