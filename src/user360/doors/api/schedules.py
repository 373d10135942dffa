"""Imports that come by themselves: from a folder, a bucket or an SFTP server, by a calendar."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from user360.doors import gate
from user360.doors.api import jobs, shapes
from user360.doors.api.bodies import Body
from user360.doors.api.jobs import ShownJob, moment
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Moment
from user360.errors import Conflict, Invalid
from user360.imports.schedules import looking, managing, store
from user360.imports.schedules.managing import Wanted
from user360.imports.schedules.schedule import (
    Bucket,
    Calendar,
    Cron,
    Daily,
    Entry,
    Folder,
    Monthly,
    Once,
    Place,
    Schedule,
    Sftp,
    Weekly,
)

ONE = {"schedule_id": 1}
Became = Literal[
    "queued",
    "running",
    "completed",
    "failed",
    "cancelled",
    "undone",
    "taken",
    "missing",
    "nothing",
]


class ScheduleBody(Body):
    """What a schedule is to be. `options` are those of an import.

    In a change, secrets that are left out stay as they are while the place stays the same.
    """

    name: shapes.Text
    place: Folder | Bucket | Sftp
    calendar: Once | Daily | Weekly | Monthly | Cron
    options: dict[str, Any] = msgspec.field(default_factory=dict)
    active: bool = True


class ShownSchedule(Answer):
    """A scheduled import. Of secrets only their names are told, in `secrets`."""

    id: int
    name: str
    place: dict[str, Any]
    secrets: list[str]
    calendar: Once | Daily | Weekly | Monthly | Cron
    options: dict[str, Any]
    active: bool
    created_at: Moment
    next_at: Moment | None


class Schedules(Answer):
    """All schedules, by name."""

    schedules: list[ShownSchedule]
    cursor: None = None


class ShownEntry(Answer):
    """A file and what became of its import; or a look that brought none, with the reason.

    `failed` with an `importId` is the import's own failure; without one the file could not be had
    or not be read. `missing` is a look that found no file of the name, `nothing` one that found
    only files that were imported before.
    """

    at: Moment
    file: str | None
    import_id: str | None
    status: Became
    reason: str


class Entries(Answer):
    """One page of entries, the newest first."""

    entries: list[ShownEntry]
    cursor: str | None


EXAMPLE: dict[str, Any] = {
    "name": "Nightly customers",
    "place": {"kind": "folder", "path": "crm", "pattern": "userdata_*.csv"},
    "calendar": {"repeat": "daily", "time": "02:30"},
    "options": {"userId": "userId", "onConflict": "update"},
}


def _shown(schedule: Schedule) -> ShownSchedule:
    place = msgspec.to_builtins(schedule.place)
    names = {f.name: f.encode_name for f in msgspec.structs.fields(schedule.place)}
    for name in schedule.place.SECRET:
        place.pop(names[name])
    return ShownSchedule(
        id=schedule.id,
        name=schedule.name,
        place=place,
        secrets=[names[name] for name in managing.secrets_of(schedule.place)],
        calendar=schedule.calendar,
        options=schedule.options,
        active=schedule.active,
        created_at=moment(schedule.created_at) or "",
        next_at=moment(schedule.next_at) if schedule.active else None,
    )


def _wanted(body: ScheduleBody) -> Wanted:
    place: Place = body.place
    calendar: Calendar = body.calendar
    return Wanted(
        name=body.name,
        place=place,
        calendar=calendar,
        options=body.options,
        active=body.active,
    )


def _wake(request: Asked) -> None:
    request.app.state.timekeeper.wake()


@operation(
    "POST",
    "/imports/schedules",
    "imports.write",
    "Schedule imports",
    tag="imports",
    status=201,
    refuses=(409,),
    example=Example(body={**EXAMPLE, "name": "Weekly customers"}),
)
async def create(request: Asked, data: JSONBody[ScheduleBody]) -> Response[ShownSchedule]:
    """Files of a name are looked for by a calendar, and each is imported once.

    A file that changes is a new one, and is imported again.
    """
    vault, wanted = gate.platform_of(request).vault, _wanted(data)
    made, seq = await gate.change(request, lambda c: managing.create(c, vault, wanted))
    _wake(request)
    return gate.answer(_shown(made), 201, seq)


@operation("GET", "/imports/schedules", "imports.read", "List schedules", tag="imports")
async def listing(request: Asked) -> Response[Schedules]:
    """By name."""
    workspace = gate.actor_of(request).workspace
    found = await gate.read(gate.platform_of(request), lambda c: store.all_of(c, workspace.id))
    return gate.answer(Schedules(schedules=[_shown(each) for each in found]))


@operation(
    "GET",
    "/imports/schedules/{schedule_id:int}",
    "imports.read",
    "Read a schedule",
    tag="imports",
    refuses=(404,),
    example=Example(path=ONE),
)
async def read(request: Asked, schedule_id: FromPath[int]) -> Response[ShownSchedule]:
    """Where it looks, when, and how it imports."""
    return gate.answer(_shown(await _found(request, schedule_id)))


@operation(
    "PUT",
    "/imports/schedules/{schedule_id:int}",
    "imports.write",
    "Change a schedule",
    tag="imports",
    refuses=(404, 409),
    example=Example(path=ONE, body={**EXAMPLE, "active": False}),
)
async def edit(
    request: Asked, schedule_id: FromPath[int], data: JSONBody[ScheduleBody]
) -> Response[ShownSchedule]:
    """Files that could not be imported so far are tried once more; `active` false pauses it."""
    vault, wanted, number = gate.platform_of(request).vault, _wanted(data), _bounded(schedule_id)
    changed, seq = await gate.change(request, lambda c: managing.edit(c, vault, number, wanted))
    _wake(request)
    return gate.answer(_shown(changed), seq=seq)


@operation(
    "DELETE",
    "/imports/schedules/{schedule_id:int}",
    "imports.write",
    "End a schedule",
    tag="imports",
    status=204,
    refuses=(404,),
    example=Example(path=ONE),
)
async def delete(request: Asked, schedule_id: FromPath[int]) -> Response[None]:
    """What it imported stays; its entries go."""
    number = _bounded(schedule_id)
    _, seq = await gate.change(request, lambda change: managing.remove(change, number))
    _wake(request)
    return gate.answer(None, 204, seq)


@operation(
    "POST",
    "/imports/schedules/{schedule_id:int}/run",
    "imports.write",
    "Run a schedule now",
    tag="imports",
    status=202,
    refuses=(404, 409),
    example=Example(path=ONE),
)
async def run(request: Asked, schedule_id: FromPath[int]) -> Response[ShownJob]:
    """Look for files at once, whatever its calendar says, even while it is paused.

    That is a job; its result names the imports that came of it.
    """
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    schedule = await _found(request, schedule_id)
    given = (platform, schedule, actor.ref, schedule.next_at)
    job = await asyncio.to_thread(looking.ask, *given)
    if job is None:
        raise Conflict("The schedule is looking for files already")
    return gate.answer(jobs.shown(job), 202, platform.committer.position.last)


@operation(
    "GET",
    "/imports/schedules/{schedule_id:int}/entries",
    "imports.read",
    "What a schedule brought",
    tag="imports",
    refuses=(404,),
    example=Example(path=ONE, query={"limit": 2}),
)
async def entries(
    request: Asked,
    schedule_id: FromPath[int],
    limit: shapes.Limit = 50,
    cursor: shapes.Cursor = None,
) -> Response[Entries]:
    """The newest first; the same look again and again is one entry, with its last time."""
    schedule = await _found(request, schedule_id)
    before = _before(cursor)
    found = await gate.read(
        gate.platform_of(request), lambda c: store.entries(c, schedule.id, before, limit + 1)
    )
    following = str(found[limit - 1][0].id) if len(found) > limit else None
    told = [_entry(entry, became) for entry, became in found[:limit]]
    return gate.answer(Entries(entries=told, cursor=following))


def _entry(entry: Entry, became: str | None) -> ShownEntry:
    status: Any = became or entry.status
    return ShownEntry(
        at=moment(entry.at) or "",
        file=entry.file,
        import_id=entry.job if became is not None else None,
        status=status,
        reason=entry.reason,
    )


async def _found(request: Asked, number: int) -> Schedule:
    workspace = gate.actor_of(request).workspace
    wanted = _bounded(number)
    return await gate.read(
        gate.platform_of(request), lambda c: managing.find(c, workspace.id, wanted)
    )


def _bounded(number: int) -> int:
    """A number beyond what a ledger counts names nothing."""
    return number if 0 <= number < 1 << 62 else -1


def _before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not cursor.isdecimal() or len(cursor) > 18:
        raise Invalid.at("cursor", "cursor is none that a page before answered")
    return int(cursor)


ROUTES = [create, listing, read, edit, delete, run, entries]
