"""What a segment answers: its count, its members, whether somebody is one of them."""

from __future__ import annotations

import time
from typing import Any, Literal

import msgspec

from user360 import clock
from user360.access.workspaces import Workspace
from user360.doors import gate
from user360.doors.api import shapes
from user360.doors.api.shapes import Answer, Asked, Moment, Record
from user360.errors import InvalidCondition
from user360.segments import conditions, define, lifetime, memberships, questions, usage
from user360.segments.nodes import Node
from user360.segments.store import DYNAMIC, Segment
from user360.storage.warehouse import Warehouse

MOST_USERS = 10_000


class Named(Answer):
    """A segment by its id and name."""

    id: int
    name: str


class Shown(Answer):
    """A segment. `count` is as of `asOf`; where it cannot be known, `error` says why.

    `version` counts its definitions from 1; `usedBy` are the segments that ask about it.
    """

    id: int
    name: str
    description: str
    kind: Literal["dynamic", "static"]
    where: dict[str, Any] | None
    version: int
    count: int | None
    as_of: Moment
    position: int
    error: str | None
    used_by: list[Named]
    created_at: Moment
    updated_at: Moment
    used_at: Moment
    archived_at: Moment | None


class Page(Answer):
    """One page of the members, how many there are in all, as of when."""

    total: int
    users: list[Record]
    cursor: str | None
    as_of: Moment


async def one(request: Asked, number: int) -> Segment:
    """A segment of the caller's workspace, which is used by that. Raises `NotFound`."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    segment = define.one(workspace, number)
    if platform.clock.now() - segment.used_at > lifetime.DAY:
        await gate.change(request, lambda change: lifetime.touch(change, number))
    return segment


async def shown(request: Asked, segment: Segment, at_least: int = 0) -> Shown:
    """A segment with its count, seen no earlier than position `at_least`."""
    return (await all_shown(request, [segment], at_least))[0]


async def all_shown(request: Asked, segments: list[Segment], at_least: int = 0) -> list[Shown]:
    """Segments with their counts."""
    workspace, now = gate.actor_of(request).workspace, gate.platform_of(request).now()
    used_by = usage.used_by(workspace)

    def asked(warehouse: Warehouse) -> list[Shown]:
        position = warehouse.position()
        return [
            _shown(
                segment,
                [Named(id=s.id, name=s.name) for s in used_by.get(segment.id, ())],
                now,
                position,
                *_count(warehouse, workspace, segment, now),
            )
            for segment in segments
        ]

    return await gate.ask(request, asked, at_least)


def _shown(
    segment: Segment,
    used_by: list[Named],
    now: int,
    position: int,
    count: int | None,
    error: str | None,
) -> Shown:
    archived = segment.archived_at
    return Shown(
        id=segment.id,
        name=segment.name,
        description=segment.description,
        kind="dynamic" if segment.kind == DYNAMIC else "static",
        where=conditions.of(segment),
        version=segment.version,
        count=count,
        as_of=clock.to_iso(now),
        position=position,
        error=error,
        used_by=used_by,
        created_at=clock.to_iso(segment.created_at),
        updated_at=clock.to_iso(segment.updated_at),
        used_at=clock.to_iso(segment.used_at),
        archived_at=None if archived is None else clock.to_iso(archived),
    )


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
    return {"count": count, "sample": sample, "asOf": clock.to_iso(now), "tookMs": took}


async def numbers(request: Asked, node: Node | None, text: str | None = None) -> list[int]:
    """Every record that a condition and a text search are true of, all that is on disk counted."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    now, last = platform.now(), platform.committer.position.last
    return await gate.ask(
        request, lambda w: questions.numbers(w, workspace, node, now, text), at_least=last
    )


async def numbers_of(request: Asked, segment: Segment) -> list[int]:
    """Every member. Raises `InvalidCondition` when the segment cannot be asked."""
    workspace = gate.actor_of(request).workspace
    return await numbers(request, conditions.node_of(segment, workspace))


async def page(
    request: Asked,
    segment: Segment,
    sort: str | None,
    text: str | None,
    limit: int,
    cursor: str | None,
) -> Page:
    """One page of the members. Raises `InvalidCondition` when the segment cannot be asked."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    now = platform.now()
    found = await gate.ask(
        request,
        lambda w: questions.search(
            w,
            workspace,
            conditions.node_of(segment, workspace),
            text=text,
            sort=_order(sort),
            limit=limit,
            cursor=cursor,
            now=now,
        ),
    )
    users = await shapes.records(request, found.numbers)
    return Page(total=found.total, users=users, cursor=found.cursor, as_of=clock.to_iso(now))


def _order(sort: str | None) -> list[questions.By]:
    parts = [part.strip() for part in (sort or "").split(",") if part.strip()]
    return [questions.By(part.lstrip("-"), part.startswith("-")) for part in parts[:10]]


async def of_record(request: Asked, segment: Segment, number: int) -> tuple[bool, str | None]:
    """Whether a living record is a member, and since when as far as that is known."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    dialect, now = platform.ledger.dialect, platform.now()
    known = await gate.read(platform, lambda c: memberships.known(c, dialect, workspace, number))
    alone = msgspec.structs.replace(segment, archived_at=None)
    found = memberships.Known([alone], known.since)
    told = await gate.ask(
        request, lambda w: memberships.of_record(w, workspace, found, number, now)
    )
    return bool(told), told[0]["since"] if told else None
