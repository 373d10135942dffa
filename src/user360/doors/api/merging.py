"""Merging by hand, and undoing a merge."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from user360.access import audit
from user360.doors import gate
from user360.doors.api import shapes
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.person import ASHA, DryRun
from user360.doors.api.shapes import Answer, Asked, Record
from user360.errors import Invalid, NotFound
from user360.identity import merges as merging
from user360.ingest.call import Outcome, Verb


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


ROUTES = [merge, undo]
