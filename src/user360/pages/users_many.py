"""What is done with many users at once: those who were ticked, or all that match."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360 import clock
from user360.doors import gate
from user360.doors.api import exports, many_deeds, members, shapes
from user360.doors.api import jobs as api_jobs
from user360.errors import Fault, Invalid, NotFound, Problem, Unavailable
from user360.exports.asked import Asked as AskedFor
from user360.ingest.call import Call, Outcome, Verb
from user360.jobs.job import Job
from user360.many import jobs
from user360.pages import card_words, forms, render, route, users_columns, users_view, words
from user360.pages.render import Asked
from user360.pages.users_view import View
from user360.segments import define

MOST_AT_WORK = 4
# How long one that has ended is still told of, in microseconds.
SHOWN_AFTER = 60 * clock.SECOND


class Chosen(msgspec.Struct, frozen=True):
    """Who was chosen: `records` that were ticked, or with `all` everybody of the view."""

    view: View
    all: bool
    expect: int
    records: list[str]

    @property
    def how(self) -> str:
        """How the audit calls it."""
        return "condition" if self.all else "list"


async def _chosen(request: Asked) -> tuple[Chosen, dict[str, str]]:
    """Who was chosen, and the other fields of the form. Raises `Invalid` when it is nobody."""
    form = await request.form()
    fields = await forms.read(request)
    records = list(dict.fromkeys(form.getall("record", [])))
    found = Chosen(
        users_view.read(fields),
        fields.get("all") == "yes",
        forms.number(fields.get("expect", "")) or 0,
        records,
    )
    if not found.all and not records:
        raise Invalid("Tick the users first")
    return found, fields


async def _numbers(request: Asked, chosen: Chosen) -> list[int]:
    """The records that were chosen. Raises `Conflict` when those that match are others by now."""
    if chosen.all:
        return await users_view.everybody(request, chosen.view, chosen.expect)
    workspace = gate.actor_of(request).workspace
    return [shapes.number_of(workspace, record) for record in chosen.records]


@route.deed("/users/delete", may="records.delete")
async def delete(request: Asked) -> Response[str]:
    """The people and their events are gone; of very many, they go while one does other things."""
    chosen, _ = await _chosen(request)
    numbers = await _numbers(request, chosen)
    if len(numbers) > jobs.AT_ONCE:
        await many_deeds.begin(request, jobs.DELETE, numbers)
        return _back(request, chosen, f"{words.plural(len(numbers), 'user')} are being deleted")
    calls = [shapes.call(request, verb=Verb.DELETE, record=number) for number in numbers]
    gone = await _settled(request, calls)
    await many_deeds.note(request, "users.delete", chosen.how, deleted=gone)
    return _back(request, chosen, f"{words.plural(gone, 'user')} deleted")


@route.deed("/users/tag", may="records.write")
async def tag(request: Asked) -> Response[str]:
    """Tags are added, and others taken away."""
    chosen, fields = await _chosen(request)
    add, remove = _tags(fields)
    numbers = await _numbers(request, chosen)
    if len(numbers) > jobs.AT_ONCE:
        await many_deeds.begin(request, jobs.TAG, numbers, add, remove)
        return _back(request, chosen, f"{words.plural(len(numbers), 'user')} are being tagged")
    tags: dict[str, Any] = {"add_tags": tuple(add), "remove_tags": tuple(remove)}
    calls = [shapes.call(request, record=number, **tags) for number in numbers]
    tagged = await _settled(request, calls)
    await many_deeds.note(request, "users.tag", chosen.how, tagged=tagged)
    return _back(request, chosen, f"The tags of {words.plural(tagged, 'user')} are up to date")


def _tags(fields: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The tags to add and to remove. Raises `Problem` at the field that is wrong."""

    def named(name: str) -> list[str]:
        return [tag for part in fields.get(name, "").split(",") if (tag := part.strip())]

    add, remove = named("add"), named("remove")
    if not add and not remove:
        raise Invalid.at("add", "Write at least one tag to add or to remove")
    try:
        return many_deeds.refuse_bad_tags(add, remove)
    except Problem as problem:
        at = [Fault(f.path.partition(".")[0], f.code, f.message) for f in problem.faults]
        raise Invalid(problem.detail, faults=at) from problem


async def _settled(request: Asked, calls: list[Call]) -> int:
    """Settle calls; how many did something. Whoever reads on sees it."""
    outcomes: list[Outcome] = await many_deeds.settle(request, calls)
    await _seen(request, max((outcome.seq for outcome in outcomes), default=0))
    return sum(1 for outcome in outcomes if outcome.problem is None)


async def _seen(request: Asked, position: int) -> None:
    """Wait until tables and segments show a position; what was done is done even if they lag."""
    with contextlib.suppress(Unavailable):
        await asyncio.to_thread(gate.platform_of(request).keeper.settle, position)


def _back(request: Asked, chosen: Chosen, tell: str) -> Response[str]:
    """The view again, from its first page."""
    return render.go(request, chosen.view.at(), tell=tell)


class AtWork(msgspec.Struct, frozen=True):
    """A job that deletes or tags, as the users show it while it is at work and a while after."""

    job: Job
    done: jobs.Done
    by: str

    @property
    def share(self) -> float:
        """How much of it is done, in percent."""
        return 100 * self.done.done / self.done.total if self.done.total else 100.0


async def at_work(request: Asked) -> list[AtWork]:
    """The jobs that delete or tag, those that have ended lately too, the newest first."""
    platform = gate.platform_of(request)
    found, _ = await api_jobs.page(request, [*jobs.KINDS], None, MOST_AT_WORK)
    since = platform.clock.now() - SHOWN_AFTER
    return [
        AtWork(job, jobs.outcome_of(job), card_words.writer(platform, job.actor))
        for job in found
        if job.finished_at is None or job.finished_at >= since
    ]


@route.shown("/users/at-work", may="records.read")
async def working(request: Asked) -> Response[str]:
    """How far those jobs are."""
    return render.page(request, "users/at_work.html", at_work=await at_work(request), loaded=False)


@route.deed("/users/at-work/{job_id:str}/cancel", may="jobs.write")
async def cancel(request: Asked, job_id: FromPath[str]) -> Response[str]:
    """End one where it is; what it has done stays."""
    job = await api_jobs.find(request, job_id)
    if job.kind not in jobs.KINDS:
        raise NotFound("There is no such job")
    await api_jobs.end_early(request, job)
    return render.page(request, "users/at_work.html", at_work=await at_work(request), loaded=False)


@route.deed("/users/export", may="exports.write")
async def export(request: Asked) -> Response[str]:
    """A file of those who were chosen is made; goes on where it can be taken away."""
    chosen, fields = await _chosen(request)
    view = chosen.view
    asked: dict[str, Any] = {"format": fields.get("format", "csv"), "records": chosen.records}
    if chosen.all:
        where = users_view.condition(view.where)
        asked |= {"records": None, "segment": view.segment, "where": where, "text": view.text}
    if fields.get("columns") == "shown":
        asked["columns"] = _exported(request)
    await exports.begin(request, await exports.checked(request, AskedFor(**asked)))
    return render.go(request, "/exports", tell="The file is being made")


def _exported(request: Asked) -> list[str]:
    """The columns of the table as a file has them: whom a row is about, and names in two."""
    names = [column.name for column in users_columns.chosen(request)]
    return list(dict.fromkeys(["userId", "firstName", "lastName", *names]))


@route.deed("/users/save", may="segments.write")
async def save(request: Asked) -> Response[str]:
    """Keep a filter as a segment: one that follows it, or those whom it shows now."""
    form = await forms.read(request)
    view = users_view.read(form)
    if not view.filtered:
        raise Invalid("Filter or search first: this view leaves nobody out")
    those = await users_view.whom(request, view)
    follows = form.get("kind") == "dynamic" and not view.text
    numbers = [] if follows else await members.numbers(request, those.whole, view.text or None)
    given = (form.get("name", ""), form.get("description", ""))
    condition = those.condition if follows else None
    made, seq = await gate.change(
        request, lambda change: define.create(change, *given, condition, numbers)
    )
    await _seen(request, seq)
    saved = users_view.View(segment=made.id, sort=view.sort)
    return render.go(request, saved.at(), tell=f"Saved as the segment {made.name}")


ROUTES: list[HTTPRouteHandler] = [delete, tag, working, cancel, export, save]
