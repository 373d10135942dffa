"""Events: sending them, and reading the whole workspace's."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from litestar import Response
from litestar.params import JSONBody, QueryParameter

from user360 import ids
from user360.doors import gate
from user360.doors.api import bodies, shapes
from user360.doors.api.bodies import Body, Broken, Rows
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Place
from user360.errors import Invalid, Problem
from user360.events import store as event_store
from user360.events import timeline
from user360.ingest import call as inner
from user360.ingest.call import Call, Outcome
from user360.segments.compiler import event_filter
from user360.storage.ledger import Connection
from user360.storage.warehouse import Warehouse

MOST_ROWS = 10_000
NAME = "Order Completed"
Where = Annotated[
    str | None,
    QueryParameter(description="JSON: a list of conditions on what the events hold"),
]


class InSession(Body):
    """One conversation or device on one channel."""

    channel: str
    id: str


class NewEvent(Body):
    """Something that happened to a user, or in a session, or both.

    Sent twice with the same `id` it is stored once. Without `timestamp` it happened now.
    """

    name: str
    user_id: str | None = None
    session: InSession | None = None
    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    timestamp: str | None = None
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=255)] | None = None


class NewEvents(Rows):
    """Up to 10,000 events; a bad one fails alone."""

    ROWS: ClassVar[str] = "events"
    ROW: ClassVar[type[Any]] = NewEvent
    events: Annotated[list[NewEvent], msgspec.Meta(max_length=MOST_ROWS)]


class EventOutcome(Answer):
    """What became of one event.

    `duplicate` was stored before, `dropped` is of a definition that is not active.
    """

    status: Literal["stored", "duplicate", "dropped", "failed"]
    id: str | None = None
    record_id: str | None = None
    errors: list[Place] = msgspec.field(default_factory=list)


class EventOutcomes(Answer):
    """An outcome for each event, in their order, and how many there are of each status."""

    outcomes: list[EventOutcome]
    counts: dict[str, int]


@operation(
    "POST",
    "/events",
    "ingest",
    "Send events",
    tag="events",
    example=Example(
        body={
            "events": [
                {
                    "userId": "asha@example.com",
                    "name": NAME,
                    "properties": {"amount": 1250.5, "currency": "INR"},
                    "id": "order-1042",
                },
                {"session": {"channel": "web", "id": "visit-17"}, "name": "Page Viewed"},
            ]
        }
    ),
)
async def send(request: Asked, data: JSONBody[NewEvent | NewEvents]) -> Response[EventOutcomes]:
    """One event, or `{"events": [...]}`. A single bad one is refused, in a list it fails alone."""
    rows: list[NewEvent | Broken] = [data] if isinstance(data, NewEvent) else list(data.events)
    single = isinstance(data, NewEvent)
    calls, failed = _calls(request, rows, "" if single else "events")
    settled = await gate.settle(gate.platform_of(request), list(calls.values())) if calls else []
    outcomes = dict(zip(calls, settled, strict=True))
    if single:
        _refuse_single(failed, outcomes)
    if failed:
        await _count_broken(request, rows, failed)
    told = [_told(outcomes.get(i), failed.get(i)) for i in range(len(rows))]
    seq = max((outcome.seq for outcome in settled), default=None)
    counts: Counter[str] = Counter(outcome.status for outcome in told)
    return gate.answer(EventOutcomes(outcomes=told, counts=dict(counts)), seq=seq)


def _calls(
    request: Asked, rows: list[NewEvent | Broken], path: str
) -> tuple[dict[int, Call], dict[int, Problem]]:
    """The calls of the rows that can be read, and what is wrong with the others, by place."""
    calls: dict[int, Call] = {}
    failed: dict[int, Problem] = {}
    workspace = gate.actor_of(request).workspace
    for i, row in enumerate(rows):
        at = f"{path}.{i}" if path else ""
        if isinstance(row, Broken):
            failed[i] = Invalid(faults=row.faults)
            continue
        call = _call(request, row, at)
        try:
            call.at = shapes.moment(row.timestamp, workspace, call.at)
        except Problem as problem:
            failed[i] = problem.under(at)
        else:
            calls[i] = call
    return calls, failed


def _call(request: Asked, row: NewEvent, path: str) -> Call:
    session = row.session
    return shapes.call(
        request,
        user_id=row.user_id,
        session=inner.Session(session.channel, session.id) if session else None,
        event=inner.Event(row.name, row.properties, row.id),
        path=path,
    )


def _refuse_single(failed: dict[int, Problem], outcomes: dict[int, Outcome]) -> None:
    problem = failed.get(0) or (outcomes[0].problem if outcomes else None)
    if problem is not None:
        raise problem


def _told(outcome: Outcome | None, problem: Problem | None) -> EventOutcome:
    problem = problem or (outcome.problem if outcome else None)
    if problem is not None:
        return EventOutcome(status="failed", errors=shapes.places(problem))
    assert outcome is not None
    status: Any = outcome.status if outcome.status in ("duplicate", "dropped") else "stored"
    record = None if outcome.record is None else ids.public_record_id(outcome.record)
    return EventOutcome(status=status, id=outcome.event_id, record_id=record)


async def _count_broken(
    request: Asked, rows: list[NewEvent | Broken], failed: dict[int, Problem]
) -> None:
    """Count what never reached the steps, so that the event hub shows it too."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    counts: Counter[event_store.Rejection] = Counter()
    for place, problem in failed.items():
        row = rows[place]
        name = "event" if isinstance(row, Broken) else row.name[:200]
        for fault in problem.faults:
            parts = [p for p in fault.path.split(".") if not p.isdigit()]
            told = (fault.code, ".".join(parts)[:200], fault.message)
            counts[event_store.Rejection("api", name, *told)] += 1

    def save(connection: Connection) -> None:
        event_store.save_rejections(connection, workspace.id, dict(counts), platform.now())

    await gate.write(platform, save)


@operation(
    "GET",
    "/events",
    "records.read",
    "List events",
    tag="events",
    waits=True,
    example=Example(
        query={"name": NAME, "where": '[{"path": "amount", "op": "gte", "values": [1000]}]'}
    ),
)
async def listing(
    request: Asked,
    names: shapes.Names = None,
    sources: shapes.Sources = None,
    since: shapes.Since = None,
    until: shapes.Until = None,
    where: Where = None,
    limit: shapes.Limit = 50,
    cursor: shapes.Cursor = None,
) -> Response[shapes.Events]:
    """All events of the workspace, the newest first, system events among them."""
    workspace = gate.actor_of(request).workspace
    first, last = shapes.period(workspace, since, until)
    given = [] if where is None else bodies.parse(where.encode(errors="replace"))
    tests = event_filter.read(given, workspace)
    now = gate.platform_of(request).now()

    def page(warehouse: Warehouse) -> timeline.Page:
        wanted = timeline.Wanted(
            names=names or (),
            sources=sources or (),
            since=first,
            until=last,
            condition=event_filter.to_sql(tests, workspace, now, warehouse.dialect),
        )
        return timeline.timeline(warehouse, workspace.id, wanted, limit=limit, cursor=cursor)

    found = await gate.ask(request, page)
    return gate.answer({"events": found.events, "cursor": found.cursor})


ROUTES = [send, listing]
