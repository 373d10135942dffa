"""What is done to a segment: editing it with care, its members, its rest, a file of it."""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360.access.change import Change
from user360.doors import gate
from user360.doors.api import exports, members, shapes
from user360.errors import Invalid, Problem
from user360.exports import asked as asking
from user360.pages import forms, render, route, segment_new
from user360.pages.builder import routes as building
from user360.pages.builder import view as builder
from user360.pages.render import Asked
from user360.segments import conditions, define, editing, lifetime, statics, versions
from user360.segments.store import Segment


@route.shown("/segments/{segment_id:int}/edit", may="segments.write")
async def edit(request: Asked, segment_id: FromPath[int]) -> Response[str]:
    """Its name, its description and, where it has one, its condition in the builder."""
    segment = await members.one(request, segment_id)
    workspace, where = gate.actor_of(request).workspace, conditions.of(segment)
    return render.page(
        request,
        "segments/edit.html",
        segment=segment,
        builder=None if where is None else builder.view(workspace, where, segment.id),
    )


@route.deed("/segments/{segment_id:int}/moves", may="segments.read")
async def moves(request: Asked, segment_id: FromPath[int]) -> Response[str]:
    """Who would enter and who would leave under the condition that is being built."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    segment, pairs = define.one(workspace, segment_id), await building.pairs(request)
    given: dict[str, Any] = {"found": None, "entering": [], "leaving": [], "trouble": ""}
    try:
        where = _condition(request, pairs)
        after, now = define.checked(workspace, segment, where), platform.now()
        found = await gate.ask(request, lambda w: editing.moves(w, workspace, segment, after, now))
        given |= {
            "found": found,
            "entering": await shapes.records(request, found.entering),
            "leaving": await shapes.records(request, found.leaving),
        }
    except Problem as problem:
        given["trouble"] = problem.detail
    return render.page(request, "segments/moves.html", **given)


@route.deed("/segments/{segment_id:int}/edit", may="segments.write")
async def save(request: Asked, segment_id: FromPath[int]) -> Response[str]:
    """What differs is its next version."""
    segment = await members.one(request, segment_id)
    pairs = await building.pairs(request)
    given = dict(pairs)
    where = None if conditions.of(segment) is None else _condition(request, pairs)

    def job(change: Change) -> Segment:
        named = (given.get("name", ""), given.get("description", ""))
        return define.edit(change, segment_id, *named, where, announce="announce" in given)

    _, seq = await gate.change(request, job)
    await segment_new.seen(request, seq)
    return render.go(request, f"/segments/{segment_id}", tell="Saved")


def _condition(request: Asked, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The condition of a form. Raises `Invalid` when it is not finished, or there is none."""
    where = builder.submitted(gate.actor_of(request).workspace, pairs)
    if where is None:
        raise Invalid("Add a condition: a segment without any would be everybody")
    return where


@route.deed("/segments/{segment_id:int}/restore/{version:int}", may="segments.write")
async def restore(
    request: Asked, segment_id: FromPath[int], version: FromPath[int]
) -> Response[str]:
    """An older definition in force again, as a new version."""
    _, seq = await gate.change(request, lambda c: versions.restore(c, segment_id, version))
    await segment_new.seen(request, seq)
    address = f"/segments/{segment_id}?tab=definition"
    return render.go(request, address, tell=f"Version {version} is in force again")


@route.deed("/segments/{segment_id:int}/retry", may="segments.write")
async def retry(request: Asked, segment_id: FromPath[int]) -> Response[str]:
    """Evaluate one again that could not be, without waiting for its time."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    segment = await members.one(request, segment_id)
    platform.keeper.retry(workspace.id, segment.id)
    await segment_new.seen(request, platform.committer.position.last)
    return render.go(request, f"/segments/{segment_id}", tell="Tried again")


@route.deed("/segments/{segment_id:int}/archive", may="segments.write")
async def archive(request: Asked, segment_id: FromPath[int]) -> Response[str]:
    """Out of the way; it goes on where it is used."""
    await gate.change(request, lambda c: lifetime.archive(c, segment_id, True))
    return render.go(request, f"/segments/{segment_id}", tell="Archived")


@route.deed("/segments/{segment_id:int}/unarchive", may="segments.write")
async def unarchive(request: Asked, segment_id: FromPath[int]) -> Response[str]:
    """It can be chosen again."""
    await gate.change(request, lambda c: lifetime.archive(c, segment_id, False))
    return render.go(request, f"/segments/{segment_id}", tell="In use again")


@route.deed("/segments/{segment_id:int}/delete", may="segments.write")
async def delete(request: Asked, segment_id: FromPath[int]) -> Response[str]:
    """Gone; where others ask about it only when that was ticked."""
    force = "force" in await forms.read(request)
    name = define.one(gate.actor_of(request).workspace, segment_id).name
    _, seq = await gate.change(request, lambda c: define.delete(c, segment_id, force))
    await segment_new.seen(request, seq)
    return render.go(request, "/segments", tell=f"{name} is deleted")


@route.deed("/segments/{segment_id:int}/snapshot", may="segments.write")
async def snapshot(request: Asked, segment_id: FromPath[int]) -> Response[str]:
    """A list of whoever is in it now."""
    segment, given = await members.one(request, segment_id), await forms.read(request)
    records = await members.numbers_of(request, segment)
    name, description = given.get("name", ""), f"As {segment.name} was on that day"
    made, seq = await gate.change(
        request, lambda c: define.create(c, name, description, None, records)
    )
    await segment_new.seen(request, seq)
    return render.go(request, f"/segments/{made.id}", tell=f"{made.name} is made")


@route.deed("/segments/{segment_id:int}/members", may="segments.write")
async def change_members(request: Asked, segment_id: FromPath[int]) -> Response[str]:
    """Add those whose userIds are given, or take them out; only of a list."""
    form = await request.form()
    user_ids, out = await segment_new.named(form), form.get("way") == "remove"
    if not user_ids:
        raise Invalid.at("userIds", "Write at least one userId, or choose a file")
    lists = ([], user_ids) if out else (user_ids, [])
    (added, removed), seq = await gate.change(
        request, lambda c: statics.change_members(c, segment_id, *lists)
    )
    await segment_new.seen(request, seq)
    tell = _told(removed if out else added, "removed" if out else "added")
    return render.go(request, f"/segments/{segment_id}", tell=tell)


def _told(outcomes: list[statics.Outcome], done: str) -> str:
    counts = {
        word: sum(1 for each in outcomes if each.outcome == word)
        for word in (done, "already", "absent", "unknown")
    }
    words = {"already": "were in it already", "absent": "were not in it", "unknown": "are nobody's"}
    said = [f"{counts[done]:,} {done}"]
    said += [f"{counts[word]:,} {text}" for word, text in words.items() if counts[word]]
    return ", ".join(said)


@route.deed("/segments/{segment_id:int}/download", may="exports.write")
async def download(request: Asked, segment_id: FromPath[int]) -> Response[str]:
    """A file of its members is made; the exports show when it is there."""
    given = await forms.read(request)
    wanted = asking.Asked(format=given.get("format", "csv"), segment=segment_id)
    await exports.begin(request, await exports.checked(request, wanted))
    return render.go(request, "/exports", tell="The file is being made")


ROUTES: list[HTTPRouteHandler] = [
    edit,
    moves,
    save,
    restore,
    retry,
    archive,
    unarchive,
    delete,
    snapshot,
    change_members,
    download,
]
