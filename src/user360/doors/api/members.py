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
from user360.segments import define, memberships, questions
from user360.segments.nodes import Node
from user360.segments.store import DYNAMIC, Segment
from user360.storage.warehouse import Warehouse

MOST_USERS = 10_000


class Shown(Answer):
    """A segment. `count` is as of `asOf`; where it cannot be known, `error` says why."""

    id: int
    name: str
    description: str
    kind: Literal["dynamic", "static"]
    where: dict[str, Any] | None
    count: int | None
    as_of: Moment
    position: int
    error: str | None
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
    """A segment of the caller's workspace. Raises `NotFound`."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    segment = await gate.read(platform, lambda c: define.one(c, workspace.id, number))
    if platform.clock.now() - segment.used_at > define.DAY:
        await gate.change(request, lambda change: define.touch(change, number))
    return segment


async def shown(request: Asked, segment: Segment, at_least: int = 0) -> Shown:
    """A segment with its count, seen no earlier than position `at_least`."""
    return (await all_shown(request, [segment], at_least))[0]


async def all_shown(request: Asked, segments: list[Segment], at_least: int = 0) -> list[Shown]:
    """Segments with their counts."""
    workspace, now = gate.actor_of(request).workspace, gate.platform_of(request).now()

    def asked(warehouse: Warehouse) -> list[Shown]:
        position = warehouse.position()
        return [
            _shown(segment, now, position, *_count(warehouse, workspace, segment, now))
            for segment in segments
        ]

    return await gate.ask(request, asked, at_least)


def _shown(
    segment: Segment, now: int, position: int, count: int | None, error: str | None
) -> Shown:
    archived = segment.archived_at
    return Shown(
        id=segment.id,
        name=segment.name,
        description=segment.description,
        kind="dynamic" if segment.kind == DYNAMIC else "static",
        where=define.condition_of(segment),
        count=count,
        as_of=clock.to_iso(now),
        position=position,
        error=error,
        created_at=clock.to_iso(segment.created_at),
        updated_at=clock.to_iso(segment.updated_at),
        used_at=clock.to_iso(segment.used_at),
        archived_at=None if archived is None else clock.to_iso(archived),
    )


def _count(
    warehouse: Warehouse, workspace: Workspace, segment: Segment, now: int
) -> tuple[int | None, str | None]:
    try:
        node = define.node_of(segment, workspace)
    except InvalidCondition as problem:
        return None, problem.detail
    return questions.count(warehouse, workspace, node, now), None


async def preview(request: Asked, node: Node | None) -> dict[str, Any]:
    """Count and sample of a condition."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    now, began = platform.now(), time.perf_counter()
    count, numbers = await gate.ask(request, lambda w: questions.preview(w, workspace, node, now))
    sample = await shapes.records(request, numbers)
    took = round((time.perf_counter() - began) * 1000, 1)
    return {"count": count, "sample": sample, "asOf": clock.to_iso(now), "tookMs": took}


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
            define.node_of(segment, workspace),
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
