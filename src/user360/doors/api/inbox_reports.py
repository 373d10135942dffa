"""The inbox's reports, and the conversations behind each of their numbers."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from litestar import Response
from litestar.params import QueryParameter

from user360 import clock, ids
from user360.conversations import scope as scopes
from user360.doors import gate
from user360.doors.api import shapes
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Moment
from user360.exports.harmless import harmless
from user360.inbox import reports
from user360.inbox.reports import Numbers, Row

CSV = "text/csv"
TIMES = ("first_response", "agent_response", "resolution")
HEADER = (
    *("key", "name", *reports.MEASURES, "messages"),
    *(f"{name}{part}" for name in TIMES for part in ("_median", "_p90")),
    "before",
)
Way = Annotated[
    Literal["channel", "day", "hour", "tag", "segment", "agent", "state", "topic"],
    QueryParameter(name="by", description="a line for each of these; topics are those that rose"),
]
Form = Annotated[Literal["json", "csv"], QueryParameter(description="csv is a file")]
Key = Annotated[str | None, QueryParameter(description="of the line; without it the total")]
Measure = Annotated[
    Literal[
        "conversations",
        "chats",
        "tickets",
        "active",
        "resolved",
        "missed",
        "messages",
        "firstResponse",
        "agentResponse",
        "resolution",
        "before",
    ],
    QueryParameter(description="which of the line's numbers; of a time, those it is of"),
]


class Line(Answer):
    """One line of a report; `behind` is the query that finds its conversations."""

    key: str
    name: str
    numbers: Numbers
    behind: str


class Report(Answer):
    """What began in a period, in the workspace's time zone.

    Times are seconds: the median, and what nine of ten stay within. In `total` a conversation
    counts once. Of segments it is who is in them now; topics are words of customers that more
    conversations have than in the period of the same length before.
    """

    by: str
    since: Moment
    until: Moment
    time_zone: str
    total: Numbers
    lines: list[Line]


class Behind(Answer):
    """The conversations behind a number, the newest first; `total` is how many there are."""

    conversations: list[str]
    total: int
    cursor: str | None


@operation(
    "GET",
    "/reports/inbox",
    "inbox.reports",
    "A report of the inbox",
    tag="conversations",
    waits=True,
    gives=(CSV,),
    example=Example(query={"from": "2026-11-01", "to": "2026-12-01", "by": "channel"}),
)
async def report(
    request: Asked,
    by: Way = "channel",
    since: shapes.Since = None,
    until: shapes.Until = None,
    format: Form = "json",
) -> Response[Report]:
    """Of conversations that began in the period, the last 30 days unless it is said.

    A supervisor's is of her groups.
    """
    gate.min_seq(request)  # all there is is read; what is asked for must make sense all the same
    asked = asked_by(request, by, since, until)
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    made = await asyncio.to_thread(reports.made, platform, workspace, asked)
    if format == "csv":
        name = f"{workspace.name}_inbox_{by}.csv"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        }
        file: Response[Any] = Response(as_csv(made), media_type=CSV, headers=headers)
        return file
    told = Report(
        by=by,
        since=clock.to_iso(asked.since),
        until=clock.to_iso(asked.until),
        time_zone=str(workspace.zone),
        total=made.total,
        lines=[
            Line(key=row.key, name=row.name, numbers=row.numbers, behind=query(asked, row.key))
            for row in made.rows
        ],
    )
    return gate.answer(told)


@operation(
    "GET",
    "/reports/inbox/conversations",
    "inbox.reports",
    "The conversations behind a number",
    tag="conversations",
    waits=True,
    example=Example(query={"by": "channel", "key": "web", "measure": "missed", "limit": 2}),
)
async def behind(
    request: Asked,
    by: Way = "channel",
    key: Key = None,
    measure: Measure = "conversations",
    since: shapes.Since = None,
    until: shapes.Until = None,
    limit: shapes.Limit = 50,
    cursor: shapes.Cursor = None,
) -> Response[Behind]:
    """By the rules of the report; a line's `behind` is what to ask, and `measure` which number."""
    gate.min_seq(request)
    asked = asked_by(request, by, since, until)
    workspace = gate.actor_of(request).workspace
    found = await numbers(request, asked, key, measure)
    after = None if cursor is None else ids.parse_conversation_id(workspace.id, cursor)
    start = found.index(after) + 1 if after in found else 0
    page = [ids.public_conversation_id(n) for n in found[start : start + limit]]
    more = start + limit < len(found)
    return gate.answer(
        Behind(conversations=page, total=len(found), cursor=page[-1] if more else None)
    )


async def numbers(request: Asked, asked: reports.Asked, key: str | None, measure: str) -> list[int]:
    """The numbers of the conversations behind one of a report's."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    return await asyncio.to_thread(reports.behind, platform, workspace, asked, key, measure)


def asked_by(request: Asked, by: str, since: str | None, until: str | None) -> reports.Asked:
    """What is asked of a report by whoever asks. Raises `Invalid`."""
    actor, now = gate.actor_of(request), gate.platform_of(request).clock.now()
    first, end = reports.usual(now, actor.workspace.zone)
    found = shapes.period(actor.workspace, since, until)
    if found[1] is not None and found[0] is None:
        first = found[1] - (end - first)
    member = None if actor.sign_in is None else actor.sign_in.member
    return reports.Asked(
        by=by,
        since=first if found[0] is None else found[0],
        until=end if found[1] is None else found[1],
        scope=scopes.of(actor.role, member, actor.workspace.desk),
    )


def query(asked: reports.Asked, key: str | None, **more: str) -> str:
    """What finds the conversations behind a line's numbers."""
    given = {"by": asked.by, "from": clock.to_iso(asked.since), "to": clock.to_iso(asked.until)}
    return urlencode({**given, **({} if key is None else {"key": key}), **more})


def as_csv(made: reports.Report) -> bytes:
    """The lines and then the total as a table; names are harmless in a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_camel(name) for name in HEADER])
    for row in (*made.rows, Row("", "total", made.total)):
        writer.writerow([harmless(row.key), harmless(row.name), *_cells(row.numbers)])
    return text.getvalue().encode()


def _cells(held: Numbers) -> list[Any]:
    times = [getattr(held, name) for name in TIMES]
    spreads = [cell for each in times for cell in ((each.median, each.p90) if each else ("", ""))]
    counted = [getattr(held, name) for name in (*reports.MEASURES, "messages")]
    return [*counted, *spreads, "" if held.before is None else held.before]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


ROUTES = [report, behind]
