"""What a segment answers: its count, its members, whether somebody is one of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from user360 import clock, ids
from user360.access.workspaces import Workspace
from user360.doors import gate
from user360.doors.api import conditions as asking
from user360.doors.api import shapes
from user360.doors.api.shapes import Answer, Asked, Moment, Record
from user360.errors import InvalidCondition
from user360.segments import conditions, define, memberships, stored, usage
from user360.segments.compiler import questions
from user360.segments.following.kept import Freshness
from user360.segments.language import nodes
from user360.segments.language.nodes import Node
from user360.segments.store import DYNAMIC, STATIC, Segment
from user360.storage.warehouse import Warehouse

MOST_USERS = 10_000
Result = TypeVar("Result")


class Named(Answer):
    """A segment by its id and name."""

    id: int
    name: str


class Fresh(Answer):
    """How true the stored members of a dynamic segment are.

    They were last right at `position` and `asOf`, null when that was before this process began;
    `lagMs` is 0 when nothing waits to be looked at.
    At `nextBoundary` at the latest the clock may change somebody's answer. While it cannot be
    evaluated it keeps its last members and is tried again at `retryAt`.
    """

    position: int
    as_of: Moment | None
    lag_ms: float
    next_boundary: Moment | None
    retry_at: Moment | None


class Shown(Answer):
    """A segment. `count` is as of `asOf`; where it cannot be evaluated, `error` says why.

    `says` is the condition in English, `version` counts its definitions from 1, `usedBy` are the
    segments that ask about it. `freshness` is null for a static one, and before a new definition
    was evaluated.
    """

    id: int
    name: str
    description: str
    kind: Literal["dynamic", "static"]
    where: dict[str, Any] | None
    says: str | None
    version: int
    count: int | None
    as_of: Moment | None
    position: int
    error: str | None
    freshness: Fresh | None
    used_by: list[Named]
    created_at: Moment
    updated_at: Moment
    used_at: Moment
    archived_at: Moment | None


class Member(Record):
    """A member; `since` is when it entered, null where only the condition says that it is in."""

    since: Moment | None


class Page(Answer):
    """One page of the members, how many there are in all, as of which position and time.

    While the segment cannot be evaluated these are its last members, and `error` says why.
    """

    total: int
    users: list[Member]
    cursor: str | None
    as_of: Moment | None
    position: int
    error: str | None


async def one(request: Asked, number: int) -> Segment:
    """A segment of the caller's workspace, which is used by that. Raises `NotFound`."""
    segment = define.one(gate.actor_of(request).workspace, number)
    await asking.used(request, segment)
    return segment


async def shown(request: Asked, segment: Segment, at_least: int = 0) -> Shown:
    """A segment with its count, seen no earlier than position `at_least`."""
    return (await all_shown(request, [segment], at_least))[0]


async def all_shown(request: Asked, segments: list[Segment], at_least: int = 0) -> list[Shown]:
    """Segments with their counts: one question for all lists, none for dynamic ones in force."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    used_by = usage.used_by(workspace)

    def asked(warehouse: Warehouse) -> list[Shown]:
        now, position = platform.clock.now(), warehouse.position()
        lists = [s.id for s in segments if s.kind == STATIC]
        sizes = stored.counts(warehouse, workspace, lists)
        told = []
        for segment in segments:
            fresh = freshness(request, segment)
            if segment.kind == STATIC:
                state = State(sizes.get(segment.id, 0), None, now, position)
            elif fresh is not None:
                state = _state(fresh, now, position)
            else:
                state = State(*_count(warehouse, workspace, segment, now), now, position)
            others = used_by.get(segment.id, ())
            says = _says(segment, workspace)
            told.append(_shown(segment, says, state, fresh, others))
        return told

    return await ask(request, segments, asked, at_least)


def freshness(request: Asked, segment: Segment) -> Freshness | None:
    """How true the stored members are; None for a list, and before a new definition is filled."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    current = workspace.segments.get(segment.id, segment)
    if current.kind == STATIC or current.filled != current.version:
        return None
    return platform.keeper.freshness(workspace.id, segment.id)


async def ask(
    request: Asked,
    segments: Iterable[Segment],
    question: Callable[[Warehouse], Result],
    at_least: int = 0,
) -> Result:
    """Ask about stored members once they are right at what the caller says it must see."""
    position = gate.min_seq(request)
    if position and any(s.kind == DYNAMIC for s in segments):
        keeper = gate.platform_of(request).keeper
        await asyncio.to_thread(keeper.settle, position)
    return await gate.ask(request, question, at_least)


class State(NamedTuple):
    """What a segment answers now: how many are in it, or why that is not known, as of when."""

    size: int | None
    error: str | None
    as_of: int
    position: int


def _state(fresh: Freshness | None, now: int, position: int) -> State:
    """What stored members are worth: right now unless something waits to be looked at."""
    if fresh is None:
        return State(None, None, now, position)
    as_of = now if fresh.lag == 0 and not fresh.error else fresh.as_of
    return State(fresh.size, fresh.error, as_of, fresh.position)


def _says(segment: Segment, workspace: Workspace) -> str | None:
    """The condition in English; None for a list, and where it cannot be understood."""
    if segment.kind == STATIC:
        return None
    try:
        return conditions.says(conditions.node_of(segment, workspace), workspace)
    except InvalidCondition:
        return None


def _shown(
    segment: Segment,
    says: str | None,
    state: State,
    fresh: Freshness | None,
    used_by: Iterable[Segment],
) -> Shown:
    return Shown(
        id=segment.id,
        name=segment.name,
        description=segment.description,
        kind="dynamic" if segment.kind == DYNAMIC else "static",
        where=conditions.of(segment),
        says=says,
        version=segment.version,
        count=state.size,
        as_of=_iso(state.as_of or None),
        position=state.position,
        error=state.error,
        freshness=None if fresh is None else _fresh(fresh),
        used_by=[Named(id=s.id, name=s.name) for s in used_by],
        created_at=clock.to_iso(segment.created_at),
        updated_at=clock.to_iso(segment.updated_at),
        used_at=clock.to_iso(segment.used_at),
        archived_at=_iso(segment.archived_at),
    )


def _fresh(fresh: Freshness) -> Fresh:
    return Fresh(
        position=fresh.position,
        as_of=_iso(fresh.as_of or None),
        lag_ms=fresh.lag / 1000,
        next_boundary=_iso(fresh.next_boundary),
        retry_at=_iso(fresh.retry_at),
    )


def _iso(at: int | None) -> str | None:
    return None if at is None else clock.to_iso(at)


def _count(
    warehouse: Warehouse, workspace: Workspace, segment: Segment, now: int
) -> tuple[int | None, str | None]:
    try:
        node = conditions.node_of(segment, workspace)
        return questions.count(warehouse, workspace, node, now), None
    except InvalidCondition as problem:
        return None, problem.detail


async def preview(request: Asked, node: Node | None) -> dict[str, Any]:
    """Count and sample of a condition."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    now, began = platform.now(), time.perf_counter()
    count, numbers = await gate.ask(request, lambda w: questions.preview(w, workspace, node, now))
    sample = await shapes.records(request, numbers)
    took = round((time.perf_counter() - began) * 1000, 1)
    says = conditions.says(node, workspace)
    return {
        "count": count,
        "says": says,
        "sample": sample,
        "asOf": clock.to_iso(now),
        "tookMs": took,
    }


async def numbers(request: Asked, node: Node | None, text: str | None = None) -> list[int]:
    """Every record that a condition and a text search are true of, all that is on disk counted."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    now, last = platform.now(), platform.committer.position.last
    return await gate.ask(
        request, lambda w: questions.numbers(w, workspace, node, now, text), at_least=last
    )


async def numbers_of(request: Asked, segment: Segment) -> list[int]:
    """Every member, all that is on disk counted.

    Of a segment that cannot be evaluated the last members. Raises `InvalidCondition` when it has
    none.
    """
    workspace = gate.actor_of(request).workspace
    try:
        return await numbers(request, conditions.node_of(segment, workspace))
    except InvalidCondition:
        if not kept(request, segment):
            raise
    return await ask(request, [segment], lambda w: stored.numbers(w, workspace, segment.id))


async def page(
    request: Asked,
    segment: Segment,
    sort: str | None,
    text: str | None,
    limit: int,
    cursor: str | None,
    node: Node | None = None,
) -> Page:
    """One page of the members, of those whom `node` is true of when it is given.

    Raises `InvalidCondition` when the segment cannot be asked.
    """
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace

    def asked(warehouse: Warehouse) -> tuple[questions.Page, Mapping[int, int], State]:
        now, position = platform.clock.now(), warehouse.position()
        how: dict[str, Any] = {"sort": order(sort), "limit": limit, "cursor": cursor}
        if not kept(request, segment):
            whole = both(conditions.node_of(segment, workspace), node)
            found = questions.search(warehouse, workspace, whole, text=text, now=now, **how)
            return found, {}, State(found.total, None, now, position)
        state = _state(freshness(request, segment), now, position)
        held = stored.select(warehouse, workspace, [segment.id])
        chosen = None
        if node is not None or (text is not None and text.strip()):
            chosen = questions.selected(warehouse, workspace, node, now, text)
        found = questions.listed(warehouse, workspace, chosen, held=held, **how)
        return found, stored.since(warehouse, workspace, segment.id, found.numbers), state

    found, since, state = await ask(request, [segment], asked)
    users = await shapes.records(request, found.numbers)
    entered = {ids.public_record_id(number): at for number, at in since.items()}
    shown = [
        Member(**msgspec.structs.asdict(user), since=_iso(entered.get(user.id))) for user in users
    ]
    return Page(
        total=found.total,
        users=shown,
        cursor=found.cursor,
        as_of=_iso(state.as_of or None),
        position=state.position,
        error=state.error,
    )


def both(first: Node | None, second: Node | None) -> Node | None:
    """A condition that is true where both are; None is true of everybody."""
    if first is None or second is None:
        return first or second
    return nodes.All((first, second))


async def sizes(request: Asked, segments: list[Segment]) -> dict[int, int | None]:
    """How many are in each segment as far as that is stored; None while it is being filled."""
    workspace = gate.actor_of(request).workspace
    lists = [s.id for s in segments if s.kind == STATIC]
    counted = await gate.ask(request, lambda w: stored.counts(w, workspace, lists)) if lists else {}
    told: dict[int, int | None] = {}
    for segment in segments:
        fresh = freshness(request, segment)
        held = counted.get(segment.id, 0) if segment.kind == STATIC else None
        told[segment.id] = held if fresh is None else fresh.size
    return told


def kept(request: Asked, segment: Segment) -> bool:
    """Whether the stored members are those of the definition in force."""
    return segment.kind == STATIC or freshness(request, segment) is not None


def order(sort: str | None) -> list[questions.By]:
    """An order as an address holds it: `lastName,-createdAt`."""
    parts = [part.strip() for part in (sort or "").split(",") if part.strip()]
    return [questions.By(part.lstrip("-"), part.startswith("-")) for part in parts[:10]]


async def of_record(request: Asked, segment: Segment, number: int) -> tuple[bool, str | None]:
    """Whether a living record is a member, and since when as far as that is stored."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace

    def asked(warehouse: Warehouse) -> tuple[bool, str | None]:
        if kept(request, segment):
            at = stored.of_record(warehouse, workspace, number).get(segment.id)
            return at is not None, _iso(at)
        node = conditions.node_of(segment, workspace)
        return memberships.holds(warehouse, workspace, node, number, platform.clock.now()), None

    return await ask(request, [segment], asked)
