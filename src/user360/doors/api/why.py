"""Why somebody is in a segment, or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from user360 import clock, ids
from user360.access.workspaces import Workspace
from user360.doors import gate
from user360.doors.api import conditions, members, shapes
from user360.doors.api.bodies import Body
from user360.doors.api.conditions import BOUGHT, INDIA, SCHEMA, Condition
from user360.doors.api.operation import PREFIX, Example, operation
from user360.doors.api.person import Provenance
from user360.doors.api.segments import FIRST
from user360.doors.api.shapes import Answer, Asked, Moment
from user360.errors import NotFound
from user360.identity import history, people
from user360.segments import conditions as stored
from user360.segments.explain import evidence
from user360.segments.explain import why as asking
from user360.segments.language import describe, nodes
from user360.segments.store import Segment
from user360.storage.warehouse import Warehouse

Link = Annotated[str | None, msgspec.Meta(description="where to read it; null without a userId")]
Written = Annotated[dict[str, Any], msgspec.Meta(extra_json_schema=SCHEMA)]


class Question(Body):
    """A condition, and whom it is asked of: a userId, or the id of a record."""

    who: str
    where: Condition


class PropertyReason(Answer):
    """The value that decided; null where it is unknown. `source` says where it came from."""

    name: str
    type: str
    value: Any
    source: Provenance | None
    history: Link


class EventReason(Answer):
    """One event that fits."""

    id: str
    timestamp: Moment
    record_id: str
    link: Link


class EventsReason(Answer):
    """The events that fit: how many, what they add up to, the newest ten of them.

    They were looked for from `from`, included, to `to`, not included; null: without end.
    """

    name: str
    asked: str
    count: int
    sum: float | None
    since: Moment | None = msgspec.field(name="from")
    until: Moment | None = msgspec.field(name="to")
    events: list[EventReason]
    link: Link


class StepReason(Answer):
    """One step of a sequence: whether the steps up to it were done in order and in time."""

    reached: bool
    events: EventsReason


class SegmentReason(Answer):
    """A segment that the condition names; `since` as far as it is stored."""

    id: int
    name: str | None
    kind: str
    member: bool
    since: Moment | None


class Reason(Answer, omit_defaults=True):
    """One node of the condition: whether it is true, and why.

    At `flipsAt` its truth changes if nothing happens but that time goes on; null: never, or with
    `soughtUntil`, not before that time.
    """

    true: bool
    says: str
    where: Written
    flips_at: Moment | None
    sought_until: Moment | None = None
    property: PropertyReason | None = None
    events: EventsReason | None = None
    steps: list[StepReason] | None = None
    segment: SegmentReason | None = None
    nodes: list[Reason] = msgspec.field(default_factory=list)


class Why(Answer):
    """Whether a condition is true of somebody, and why; `since` is of stored members."""

    member: bool
    since: Moment | None
    record_id: str
    user_id: str | None
    says: str
    as_of: Moment
    position: int
    why: Reason


@operation(
    "GET",
    "/segments/{segment_id:int}/why/{who:str}",
    "segments.read",
    "Why somebody is in a segment, or not",
    tag="segments",
    waits=True,
    refuses=(404,),
    example=Example(path={**FIRST, "who": "asha@example.com"}),
)
async def of_segment(
    request: Asked, segment_id: FromPath[int], who: FromPath[str]
) -> Response[Why]:
    """Asked of a userId, or else of the id of a record."""
    segment = await members.one(request, segment_id)
    return gate.answer(await told(request, person(request, who), segment))


@operation(
    "POST",
    "/segments/why",
    "segments.read",
    "Why a condition is true of somebody, or not",
    tag="segments",
    waits=True,
    refuses=(404,),
    example=Example(body={"who": "asha@example.com", "where": {"all": [INDIA, BOUGHT]}}),
)
async def of_condition(request: Asked, data: JSONBody[Question]) -> Response[Why]:
    """Before saving anything."""
    node = await conditions.read(request, data.where)
    return gate.answer(await told(request, person(request, data.who), node))


def person(request: Asked, who: str) -> int:
    """The record of a userId, or else the one with this id. Raises `NotFound`."""
    try:
        return shapes.number_of_user(request, who)
    except NotFound:
        number = ids.parse_record_id(gate.actor_of(request).workspace.id, who)
    if number is None:
        raise NotFound("There is no user with this userId, and no record with this id")
    return number


async def told(request: Asked, number: int, asked: Segment | nodes.Node | None) -> Why:
    """Why a segment's condition, or another, is true of a person or not. Raises `NotFound`."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    now = platform.now()

    def ask(warehouse: Warehouse) -> Why:
        segment = asked if isinstance(asked, Segment) else None
        node = stored.node_of(asked, workspace) if isinstance(asked, Segment) else asked
        assert node is not None
        named = () if segment is None else (segment.id,)
        found = asking.why(warehouse, workspace, node, number, now, named)
        with platform.ledger.read() as connection:
            given = (connection, platform.ledger.dialect, workspace, found.record)
            record = people.one(*given)
            sources = history.provenance(*given)
        if record is None:
            raise NotFound("There is no such record")
        return _why(found, segment, node, _Shown(workspace, record, sources))

    return await gate.ask(request, ask)


class _Shown(msgspec.Struct, frozen=True):
    """What the reasons for one person are shown with: the record and where its values came from."""

    workspace: Workspace
    record: Mapping[str, Any]
    sources: Mapping[str, Any]

    def reason(self, found: asking.Reason) -> Reason:
        decided = found.decided
        return Reason(
            true=found.true,
            says=found.says,
            where=found.where,
            flips_at=_moment(found.flip.at),
            sought_until=_moment(found.flip.sought),
            property=self._property(decided) if isinstance(decided, evidence.OfProperty) else None,
            events=self._events(decided) if isinstance(decided, evidence.OfEvents) else None,
            steps=self._steps(decided) if isinstance(decided, tuple) else None,
            segment=_segment(decided) if isinstance(decided, evidence.OfSegment) else None,
            nodes=[self.reason(each) for each in found.reasons],
        )

    def _property(self, found: evidence.OfProperty) -> PropertyReason:
        # The ledger may be further than the lists are: a newer value's source is not this one's.
        same = self.record["properties"].get(found.name) == found.value
        source = self.sources.get(found.name) if same else None
        return PropertyReason(
            name=found.name,
            type=found.type,
            value=found.value,
            source=None if source is None else msgspec.convert(source, Provenance),
            history=self._link("history"),
        )

    def _steps(self, found: tuple[evidence.OfStep, ...]) -> list[StepReason]:
        return [
            StepReason(reached=each.reached, events=self._events(each.events)) for each in found
        ]

    def _events(self, found: evidence.OfEvents) -> EventsReason:
        return EventsReason(
            name=found.name,
            asked=found.asked,
            count=found.count,
            sum=found.sum,
            since=_moment(found.since),
            until=_moment(found.until),
            events=[self._event(found.name, each) for each in found.events],
            link=self._timeline(found.name, found.since, found.until),
        )

    def _event(self, name: str, found: evidence.Happened) -> EventReason:
        return EventReason(
            id=found.id,
            timestamp=clock.to_iso(found.at),
            record_id=ids.public_record_id(found.record),
            link=self._timeline(name, found.at, found.at + 1),
        )

    def _timeline(self, name: str, since: int | None, until: int | None) -> str | None:
        bounds = {"name": name, "from": _moment(since), "to": _moment(until)}
        return self._link("events", {key: value for key, value in bounds.items() if value})

    def _link(self, what: str, query: Mapping[str, Any] | None = None) -> str | None:
        user_id = self.record["userId"]
        if user_id is None:
            return None
        asked = f"?{urlencode(query)}" if query else ""
        return f"{PREFIX}/users/{quote(user_id, safe='')}/{what}{asked}"


def _why(found: asking.Why, segment: Segment | None, node: nodes.Node, shown: _Shown) -> Why:
    workspace = shown.workspace
    names = {number: each.name for number, each in workspace.segments.items()}
    since = None if segment is None else found.since.get(segment.id)
    return Why(
        member=found.reason.true,
        since=_moment(since) if found.reason.true else None,
        record_id=ids.public_record_id(found.record),
        user_id=shown.record["userId"],
        says=describe.describe(node, workspace.catalogue, names),
        as_of=clock.to_iso(found.now),
        position=found.position,
        why=shown.reason(found.reason),
    )


def _segment(found: evidence.OfSegment) -> SegmentReason:
    return SegmentReason(
        id=found.number,
        name=found.name,
        kind=found.kind,
        member=found.inside,
        since=_moment(found.since),
    )


def _moment(us: int | None) -> str | None:
    """A time to the microsecond, where milliseconds do not say it whole."""
    if us is None or us % 1_000 == 0:
        return None if us is None else clock.to_iso(us)
    return clock.to_datetime(us).isoformat(timespec="microseconds").replace("+00:00", "Z")


ROUTES = [of_segment, of_condition]
