"""Users: many at a time. Searching, and writing in bulk."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from litestar import Response
from litestar.params import JSONBody

from user360 import ids
from user360.doors import gate
from user360.doors.api import conditions, shapes
from user360.doors.api.bodies import Body, Broken, Rows
from user360.doors.api.conditions import INDIA, Condition
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Place, Record
from user360.errors import Fault, InvalidProperty, Problem
from user360.ingest.call import Call, Outcome
from user360.segments.compiler import questions

MOST_ROWS = 10_000


class Row(Body):
    """One user of a bulk write."""

    user_id: str
    properties: dict[str, Any] = msgspec.field(default_factory=dict)


class Bulk(Rows):
    """Users to write; `onConflict` says what becomes of those that exist.

    `update` writes what is given, `replace` also clears what is not given, `skip` leaves them.
    """

    ROWS: ClassVar[str] = "users"
    ROW: ClassVar[type[Any]] = Row
    users: Annotated[list[Row], msgspec.Meta(max_length=MOST_ROWS)]
    on_conflict: Literal["update", "replace", "skip"] = "update"


class RowOutcome(Answer):
    """What became of one row: `id` is the record, `errors` say why it failed."""

    user_id: str | None
    status: Literal["created", "updated", "unchanged", "skipped", "failed"]
    id: str | None
    errors: list[Place]


class BulkOutcome(Answer):
    """An outcome for each row, in their order, and how many there are of each status."""

    outcomes: list[RowOutcome]
    counts: dict[str, int]


class Sort(Body):
    """One part of an order."""

    by: str
    desc: bool = False


class Search(Body):
    """Whom to find: a condition, a text in userId, names, e-mail or phone, or both."""

    where: Condition | None = None
    text: shapes.Text | None = None
    sort: Annotated[list[Sort], msgspec.Meta(max_length=10)] = msgspec.field(default_factory=list)
    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 50
    cursor: shapes.Text | None = None
    properties: Annotated[list[str], msgspec.Meta(max_length=1_000)] | None = None


class Found(Answer):
    """How many there are in all, one page of them, and where the next page begins."""

    total: int
    users: list[Record]
    cursor: str | None


@operation(
    "POST",
    "/users/search",
    "records.read",
    "Search users",
    tag="users",
    waits=True,
    example=Example(
        body={
            "where": INDIA,
            "text": "asha",
            "sort": [{"by": "createdAt", "desc": True}],
            "limit": 10,
        }
    ),
)
async def search(request: Asked, data: JSONBody[Search]) -> Response[Found]:
    """Everybody, or those for whom the condition and the text hold; the newest first.

    `properties` leaves out all others of the answer.
    """
    node = await conditions.read(request, data.where)
    actor, now = gate.actor_of(request), gate.platform_of(request).now()
    _refuse_unknown(actor.workspace.catalogue.by_name, data.properties)
    page = await gate.ask(
        request,
        lambda warehouse: questions.search(
            warehouse,
            actor.workspace,
            node,
            text=data.text,
            sort=[questions.By(part.by, part.desc) for part in data.sort],
            limit=data.limit,
            cursor=data.cursor,
            now=now,
        ),
    )
    users = await shapes.records(request, page.numbers)
    if data.properties is not None:
        for user in users:
            shown = user.properties
            user.properties = {name: shown[name] for name in data.properties if name in shown}
    return gate.answer(Found(total=page.total, users=users, cursor=page.cursor))


def _refuse_unknown(known: Any, names: list[str] | None) -> None:
    faults = [
        Fault(f"properties.{i}", "invalidProperty", "expected the name of a declared property")
        for i, name in enumerate(names or ())
        if name not in known
    ]
    if faults:
        raise InvalidProperty(faults[0].message, faults=faults)


@operation(
    "POST",
    "/users/bulk",
    "records.write",
    "Write many users",
    tag="users",
    example=Example(
        body={
            "users": [
                {"userId": "asha@example.com", "properties": {"city": "Pune"}},
                {"userId": "ravi@example.com", "properties": {"firstName": "Ravi"}},
            ],
            "onConflict": "update",
        }
    ),
)
async def bulk(request: Asked, data: JSONBody[Bulk]) -> Response[BulkOutcome]:
    """Up to 10,000 users. A bad row fails alone, and says where and why."""
    rows: list[Row | Broken] = list(data.users)
    calls = [_row_call(request, row, i, data) for i, row in enumerate(rows) if isinstance(row, Row)]
    settled = iter(await gate.settle(gate.platform_of(request), calls))
    seq, told = 0, []
    for row in rows:
        if isinstance(row, Broken):
            told.append(_failed(None, Problem(faults=row.faults)))
        else:
            outcome = next(settled)
            seq = outcome.seq
            told.append(_told(row.user_id, outcome))
    counts: Counter[str] = Counter(outcome.status for outcome in told)
    return gate.answer(BulkOutcome(outcomes=told, counts=dict(counts)), seq=seq or None)


def _row_call(request: Asked, row: Row, place: int, data: Bulk) -> Call:
    return shapes.call(
        request,
        user_id=row.user_id,
        properties=row.properties,
        if_exists=data.on_conflict,
        complete=True,
        path=f"users.{place}",
    )


def _told(user_id: str, outcome: Outcome) -> RowOutcome:
    if outcome.problem is not None:
        return _failed(user_id, outcome.problem)
    record = None if outcome.record is None else ids.public_record_id(outcome.record)
    status: Any = outcome.status
    return RowOutcome(user_id=user_id, status=status, id=record, errors=[])


def _failed(user_id: str | None, problem: Problem) -> RowOutcome:
    return RowOutcome(user_id=user_id, status="failed", id=None, errors=shapes.places(problem))


ROUTES = [search, bulk]
