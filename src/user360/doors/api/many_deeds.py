"""Users: deleting and tagging many, by list or all that a condition is true of.

What would keep the caller waiting is a job: the answer is that job, which goes on by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.params import JSONBody

from user360.access import audit
from user360.doors import gate
from user360.doors.api import conditions, shapes
from user360.doors.api import jobs as api_jobs
from user360.doors.api.bodies import Body
from user360.doors.api.conditions import INDIA, Condition
from user360.doors.api.jobs import ShownJob
from user360.doors.api.many import MOST_ROWS
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked
from user360.errors import Conflict, Fault, Invalid, InvalidDataType, Problem
from user360.ingest import check
from user360.ingest.call import Call, Outcome, Verb
from user360.jobs.job import Job
from user360.many import jobs
from user360.segments.compiler import questions

PIECE = 1_000


class Deletion(Body):
    """Whom to delete: by userId, or all that a condition is true of."""

    user_ids: Annotated[list[str], msgspec.Meta(max_length=MOST_ROWS)] | None = None
    where: Condition | None = None
    expect: Annotated[int, msgspec.Meta(ge=0)] | None = None


class Tagging(Body):
    """Tags to add and to remove (removing wins), and whom: as in a deletion."""

    user_ids: Annotated[list[str], msgspec.Meta(max_length=MOST_ROWS)] | None = None
    where: Condition | None = None
    expect: Annotated[int, msgspec.Meta(ge=0)] | None = None
    add: list[str] = msgspec.field(default_factory=list)
    remove: list[str] = msgspec.field(default_factory=list)


class Deleted(Answer):
    """How many are gone, and which userIds there were not."""

    deleted: int
    missing: list[str]


class Tagged(Answer):
    """How many have their tags as asked, and which userIds there were not."""

    tagged: int
    missing: list[str]


@operation(
    "POST",
    "/users/delete",
    "records.delete",
    "Delete many users",
    tag="users",
    refuses=(409,),
    later=True,
    example=Example(body={"userIds": ["meera@example.com", "nobody@example.com"]}),
)
async def delete(request: Asked, data: JSONBody[Deletion]) -> Response[Deleted | ShownJob]:
    """By list, or all that match a condition, not a page of them.

    With a condition, `expect` is the number of users that are to go; when it is another, nothing
    is deleted and both numbers are told. More than 10,000 are deleted by a job, answered with 202:
    those who matched when it was asked.
    """
    _refuse_unclear(data.user_ids, data.where, data.expect)
    if data.user_ids is not None:
        calls = [shapes.call(request, verb=Verb.DELETE, user_id=u) for u in data.user_ids]
        how = "list"
    else:
        numbers = await _matching(request, data.where, data.expect, "deleted")
        if len(numbers) > jobs.AT_ONCE:
            return _later(request, await begin(request, jobs.DELETE, numbers))
        calls = [shapes.call(request, verb=Verb.DELETE, record=n) for n in numbers]
        how = "condition"
    gone, missing, seq = await _settled(request, calls, data.user_ids)
    await note(request, "users.delete", how, deleted=gone)
    return gate.answer(Deleted(deleted=gone, missing=missing), seq=seq)


@operation(
    "POST",
    "/users/tag",
    "records.write",
    "Tag many users",
    tag="users",
    refuses=(409,),
    later=True,
    example=Example(body={"where": INDIA, "expect": 1, "add": ["vip"], "remove": ["prospect"]}),
)
async def tag(request: Asked, data: JSONBody[Tagging]) -> Response[Tagged | ShownJob]:
    """By list, or all that match a condition, as many as `expect` says, as in a deletion.

    More than 10,000 are tagged by a job, answered with 202.
    """
    _refuse_unclear(data.user_ids, data.where, data.expect)
    add, remove = refuse_bad_tags(data.add, data.remove)
    tags: dict[str, Any] = {"add_tags": tuple(add), "remove_tags": tuple(remove)}
    if data.user_ids is not None:
        given = {**tags, "if_missing": "refuse"}
        calls = [shapes.call(request, user_id=u, **given) for u in data.user_ids]
        how = "list"
    else:
        numbers = await _matching(request, data.where, data.expect, "tagged")
        if len(numbers) > jobs.AT_ONCE:
            return _later(request, await begin(request, jobs.TAG, numbers, add, remove))
        calls = [shapes.call(request, record=n, **tags) for n in numbers]
        how = "condition"
    tagged, missing, seq = await _settled(request, calls, data.user_ids)
    await note(request, "users.tag", how, tagged=tagged)
    return gate.answer(Tagged(tagged=tagged, missing=missing), seq=seq)


def _later(request: Asked, job: Job) -> Response[Any]:
    position = gate.platform_of(request).committer.position.last
    return gate.answer(api_jobs.shown(job), 202, position)


async def begin(
    request: Asked,
    kind: str,
    numbers: Sequence[int],
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
) -> Job:
    """Have these records deleted or tagged by a job."""
    actor = gate.actor_of(request)
    deed = jobs.Deed(shapes.source(actor), list(add), list(remove))
    where = (gate.platform_of(request), actor.workspace, actor.ref)
    return await asyncio.to_thread(jobs.ask, *where, kind, numbers, deed)


def refuse_bad_tags(add: Sequence[str], remove: Sequence[str]) -> tuple[list[str], list[str]]:
    """The tags as they are kept. Raises `Problem` naming each that is none, or when none is given.

    They are the same for everybody: refused for all at once, rather than for each.
    """
    faults: list[Fault] = []
    found = check.tags("add", add, faults), check.tags("remove", remove, faults)
    if faults:
        raise InvalidDataType(faults[0].message, faults=faults)
    if not add and not remove:
        raise Invalid.at("add", "Give at least one tag to add or to remove")
    return found


def _refuse_unclear(user_ids: Any, where: Any, expect: int | None) -> None:
    if (user_ids is None) == (where is None):
        message = "give either userIds or where"
        raise Invalid(message, faults=[Fault("userIds", "invalid", message)])
    if where is not None and expect is None:
        message = "expect must say how many users the condition is true of"
        raise Invalid(message, faults=[Fault("expect", "invalid", message)])
    if user_ids is not None and expect is not None:
        message = "expect goes with a condition"
        raise Invalid(message, faults=[Fault("expect", "invalid", message)])


async def _matching(request: Asked, where: Any, expect: int | None, done: str) -> list[int]:
    """Every record the condition is true of, as of all that is committed now."""
    node = await conditions.read(request, where)
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    now, last = platform.now(), platform.committer.position.last
    numbers = await gate.ask(
        request, lambda w: questions.numbers(w, workspace, node, now), at_least=last
    )
    if len(numbers) != expect:
        raise _unexpected(len(numbers), expect or 0, done)
    return numbers


def _unexpected(found: int, expected: int, done: str) -> Problem:
    message = f"{found} users match, {expected} were expected; nobody was {done}"
    return Conflict(message, faults=[Fault("expect", "conflict", message)])


async def note(request: Asked, action: str, how: str, **counts: int) -> None:
    """Write a line of the audit about what was done with many; how they were chosen."""
    actor, platform = gate.actor_of(request), gate.platform_of(request)
    who = (actor.workspace.id, platform.now(), actor.ref)
    told: dict[str, Any] = dict(counts)
    await gate.write(platform, lambda c: audit.note(c, *who, action, how, **told))


async def _settled(
    request: Asked, calls: list[Call], user_ids: list[str] | None
) -> tuple[int, list[str], int | None]:
    """How many it was done with, the userIds there were not, and where a reader sees it."""
    outcomes = await settle(request, calls)
    done = sum(1 for outcome in outcomes if outcome.problem is None)
    pairs = zip(user_ids or [], outcomes, strict=False)
    missing = [user_id for user_id, outcome in pairs if outcome.problem is not None]
    return done, missing, max((outcome.seq for outcome in outcomes), default=None)


async def settle(request: Asked, calls: list[Call]) -> list[Outcome]:
    """Settle many calls some at a time, so that other writers get their turn between."""
    outcomes: list[Outcome] = []
    for start in range(0, len(calls), PIECE):
        part = calls[start : start + PIECE]
        outcomes += await gate.settle(gate.platform_of(request), part)
    return outcomes


ROUTES = [delete, tag]
