"""One person's past and belongings: events, history, segments, merges."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody, QueryParameter

from user360 import clock
from user360.access import audit
from user360.doors import gate
from user360.doors.api import members, shapes
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Moment, Record
from user360.errors import Invalid, NotFound
from user360.events import timeline
from user360.identity import history as told
from user360.identity import merges as merging
from user360.ingest.call import Outcome, Verb
from user360.segments import memberships
from user360.storage.warehouse import Warehouse

ASHA = {"user_id": "asha@example.com"}
DryRun = Annotated[bool, QueryParameter(name="dryRun", description="only say what would happen")]


class Day(Answer):
    """How many events of one name there were on one day of the workspace's time zone."""

    day: str
    name: str
    count: int


class Activity(Answer):
    """Counts per day and name, the newest day first, and per name."""

    days: list[Day]
    names: dict[str, int]
    total: int


class Pair(Answer):
    """A value before and after."""

    old: Any
    new: Any


class PropertyChange(Answer):
    """One write that changed something: when it was true, when it arrived, through which door."""

    event: str
    record_id: str
    at: Moment
    received_at: Moment
    source: str
    channel: str
    merge_id: str | None
    changes: dict[str, Pair]


class Provenance(Answer, omit_defaults=True):
    """Where a value came from: `at` it was true, `ref` is the session, import or key behind it.

    A value that a merge brought says which, and the source it had `original`ly.
    """

    at: Moment
    written_at: Moment
    source: str
    ref: str
    merge_id: str | None = None
    original: str | None = None


class History(Answer):
    """Where each value came from, and one page of changes, the newest first."""

    provenance: dict[str, Provenance]
    changes: list[PropertyChange]
    cursor: str | None


class SegmentOf(Answer):
    """A segment that somebody is in; `since` is null while it is being filled."""

    id: int
    name: str
    kind: str
    since: Moment | None


class SegmentsOf(Answer):
    """The segments somebody is in, as of a time."""

    segments: list[SegmentOf]
    as_of: Moment


class Merge(Answer):
    """One merge, kept whole; `took` is what the survivor gained by it."""

    id: str
    survivor: str
    merged: str
    at: Moment
    written_at: Moment
    source: str
    ref: str
    reason: str
    took: dict[str, Any]
    undone_at: Moment | None
    undone_by: str | None


class Merges(Answer):
    """All merges of a person, the oldest first."""

    merges: list[Merge]


class MergeWith(Body):
    """The record to take in, by its id."""

    record: Annotated[str, msgspec.Meta(description="the id of the record to take in")] = (
        msgspec.field(name="with")
    )


class Merged(Answer):
    """The survivor, and the merge to undo it by."""

    record: Record
    merge_id: str


class SessionOf(Answer):
    """A session."""

    channel: str
    id: str


class Undone(Answer):
    """Both records as they are after the undoing, and what goes back with the merged one."""

    merge_id: str
    dry_run: bool
    survivor: Record
    merged: Record
    sessions: list[SessionOf]
    events: int


@operation(
    "GET",
    "/users/{user_id:str}/events",
    "records.read",
    "A user's timeline",
    tag="users",
    waits=True,
    refuses=(404,),
    example=Example(path=ASHA, query={"name": "Order Completed", "limit": 10}),
)
async def events(
    request: Asked,
    user_id: FromPath[str],
    names: shapes.Names = None,
    sources: shapes.Sources = None,
    since: shapes.Since = None,
    until: shapes.Until = None,
    limit: shapes.Limit = 50,
    cursor: shapes.Cursor = None,
) -> Response[shapes.Events]:
    """The newest first, those of every record merged into the user's among them."""
    wanted = await _wanted(request, user_id, names, sources, since, until)
    workspace = gate.actor_of(request).workspace
    page = await gate.ask(
        request,
        lambda w: timeline.timeline(w, workspace.id, wanted, limit=limit, cursor=cursor),
    )
    return gate.answer({"events": page.events, "cursor": page.cursor})


async def _wanted(
    request: Asked,
    user_id: str,
    names: list[str] | None,
    sources: list[str] | None,
    since: str | None,
    until: str | None,
) -> timeline.Wanted:
    first, last = shapes.period(gate.actor_of(request).workspace, since, until)
    number = shapes.number_of_user(request, user_id)
    return timeline.Wanted(
        record=number, names=names or (), sources=sources or (), since=first, until=last
    )


@operation(
    "GET",
    "/users/{user_id:str}/activity",
    "records.read",
    "A user's events, counted",
    tag="users",
    waits=True,
    refuses=(404,),
    example=Example(path=ASHA, query={"from": "2026-01-01"}),
)
async def activity(
    request: Asked,
    user_id: FromPath[str],
    names: shapes.Names = None,
    sources: shapes.Sources = None,
    since: shapes.Since = None,
    until: shapes.Until = None,
) -> Response[Activity]:
    """Per day and name, in the workspace's time zone."""
    wanted = await _wanted(request, user_id, names, sources, since, until)
    workspace = gate.actor_of(request).workspace
    zone = workspace.settings.time_zone
    days = await gate.ask(request, lambda w: timeline.activity(w, workspace.id, wanted, zone))
    totals: Counter[str] = Counter()
    for day in days:
        totals[day["name"]] += day["count"]
    return gate.answer({"days": days, "names": dict(totals), "total": totals.total()})


@operation(
    "GET",
    "/users/{user_id:str}/history",
    "records.read",
    "A user's property changes",
    tag="users",
    waits=True,
    refuses=(404,),
    example=Example(path=ASHA),
)
async def history(
    request: Asked,
    user_id: FromPath[str],
    limit: shapes.Limit = 50,
    cursor: shapes.Cursor = None,
) -> Response[History]:
    """Old and new value of every change, and where the values of now came from."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    number = shapes.number_of_user(request, user_id)
    provenance = await gate.read(
        platform, lambda c: told.provenance(c, platform.ledger.dialect, workspace, number)
    )
    changes, following = await gate.ask(
        request, lambda w: told.changes(w, workspace.id, number, limit, cursor)
    )
    return gate.answer({"provenance": provenance, "changes": changes, "cursor": following})


@operation(
    "GET",
    "/users/{user_id:str}/segments",
    "segments.read",
    "A user's segments",
    tag="users",
    waits=True,
    refuses=(404,),
    example=Example(path=ASHA),
)
async def segments(request: Asked, user_id: FromPath[str]) -> Response[SegmentsOf]:
    """Those that are not archived."""
    number, now = shapes.number_of_user(request, user_id), gate.platform_of(request).now()
    told = [memberships.shown(each) for each in await segments_of(request, number, now)]
    return gate.answer({"segments": told, "asOf": clock.to_iso(now)})


async def segments_of(request: Asked, number: int, now: int) -> list[memberships.Membership]:
    """The segments that a living record is in."""
    workspace = gate.actor_of(request).workspace
    segments = workspace.segments.values()

    def asked(warehouse: Warehouse) -> list[memberships.Membership]:
        filling = [s.id for s in segments if not members.kept(request, s)]
        return memberships.of_record(warehouse, workspace, filling, number, now)

    return await members.ask(request, segments, asked)


@operation(
    "GET",
    "/users/{user_id:str}/merges",
    "records.read",
    "A user's merges",
    tag="users",
    refuses=(404,),
    example=Example(path=ASHA),
)
async def merges(request: Asked, user_id: FromPath[str]) -> Response[Merges]:
    """Undone ones too."""
    platform = gate.platform_of(request)
    number = shapes.number_of_user(request, user_id)
    found = await gate.read(
        platform, lambda c: merging.of_person(c, platform.ledger.dialect, number)
    )
    return gate.answer({"merges": found})


@operation(
    "POST",
    "/users/{user_id:str}/merge",
    "records.merge",
    "Merge a record into a user",
    tag="merges",
    refuses=(404, 409),
    example=Example(path=ASHA, body={"with": "r2"}),
)
async def merge(
    request: Asked, user_id: FromPath[str], data: JSONBody[MergeWith]
) -> Response[Merged]:
    """The user keeps what it has and takes what it lacks; the record's id answers with the user."""
    outcome = await merge_by_hand(request, user_id, _number_with(request, data.record))
    record = shapes.record(request, outcome.record)
    return gate.answer(Merged(record=record, merge_id=str(outcome.merge)), seq=outcome.seq)


async def merge_by_hand(request: Asked, user_id: str, other: int) -> Outcome:
    """Take the person of record `other` into the user, and write down who did that."""
    call = shapes.call(request, verb=Verb.MERGE, user_id=user_id, other=other, reason="by hand")
    outcome = await gate.one(gate.platform_of(request), call)
    await _audit(request, "merge", outcome.merge)
    return outcome


def _number_with(request: Asked, text: str) -> int:
    try:
        return shapes.number_of(gate.actor_of(request).workspace, text)
    except NotFound as problem:
        raise Invalid.at("with", "expected the id of a record, such as r1042") from problem


async def _audit(request: Asked, action: str, merge: int | None) -> None:
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    line = (actor.workspace.id, platform.now(), actor.ref, action, f"merge:{merge}")
    await gate.write(platform, lambda c: audit.note(c, *line))


@operation(
    "POST",
    "/merges/{merge_id:str}/undo",
    "records.merge",
    "Undo a merge",
    tag="merges",
    refuses=(404, 409),
    example=Example(path={"merge_id": "1"}, query={"dryRun": "true"}),
)
async def undo(
    request: Asked, merge_id: FromPath[str], dry_run: DryRun = False
) -> Response[Undone]:
    """Exactly: the survivor keeps what it gained since from elsewhere, the merged record comes back
    with its properties, events and sessions. With `dryRun` this is only told.
    """
    shown, seq = await undo_merge(request, merge_id, dry_run)
    return gate.answer(shown, seq=seq)


async def undo_merge(request: Asked, merge_id: str, dry_run: bool) -> tuple[Undone, int | None]:
    """What an undoing does, done unless `dry_run`; the position that shows it then."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    number = _merge_number(merge_id)
    seen = await gate.read(
        platform, lambda c: merging.undoing(c, platform.ledger.dialect, workspace, number)
    )
    count = await gate.ask(
        request,
        lambda w: merging.count_events(w, workspace.id, seen.records),
        platform.committer.position.last,
    )
    told = {**msgspec.to_builtins(seen), "mergeId": merge_id, "dryRun": dry_run, "events": count}
    shown = msgspec.convert(told, Undone)
    if dry_run:
        return shown, None
    done = await gate.one(platform, shapes.call(request, verb=Verb.UNMERGE, merge=number))
    await _audit(request, "unmerge", number)
    return shown, done.seq


def _merge_number(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    raise NotFound("There is no such merge")


ROUTES = [events, activity, history, segments, merges, merge, undo]
