"""The wizard: from a file to an import, one step after the other, to be left and come back to."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360.doors import gate
from user360.doors.api import imports as api
from user360.errors import Fault, Invalid, NotFound, Problem
from user360.imports import drafts, options, plan
from user360.imports.drafts import Draft
from user360.imports.files import Dialect
from user360.imports.options import Options
from user360.imports.preview import Preview
from user360.pages import forms, import_columns, import_told, render, route
from user360.pages.render import Asked
from user360.segments.store import STATIC

STEPS = (("", "File"), ("columns", "Columns"), ("choices", "Choices"), ("try", "Try and import"))
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Western (Windows-1252)",
    "iso-8859-15": "Western (ISO 8859-15)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "shift_jis": "Japanese (Shift JIS)",
    "gb18030": "Chinese (GB 18030)",
}
DELIMITERS = {",": "Comma  ,", ";": "Semicolon  ;", "\t": "Tab", "|": "Bar  |"}
QUOTES = {'"': 'Double  "', "'": "Single  '"}
CONFLICTS = {
    "update": ("Update them", "What the file gives is written; its empty cells change nothing."),
    "replace": ("Replace them", "They become exactly what the file gives; the rest is cleared."),
    "skip": ("Skip them", "Only people who are not here yet come in."),
}


@route.shown("/imports/new", may="imports.write")
async def new(request: Asked) -> Response[str]:
    """Choosing a file, or going on with one that was sent before."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    held = await asyncio.to_thread(drafts.all_of, platform, workspace)
    return render.page(request, "imports/new.html", drafts=held, who=import_told.who(request))


@route.deed("/imports/new", may="imports.write")
async def upload(request: Asked) -> Response[str]:
    """A file comes in and is kept until it is imported, at most a day."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    async with api.coming_in(request) as (draft_id, form):
        draft = Draft(
            id=draft_id,
            workspace=actor.workspace.id,
            actor=actor.ref,
            name=form.name,
            size=form.size,
            created_at=platform.now(),
        )
        await asyncio.to_thread(drafts.look, platform, actor.workspace, draft)
        await asyncio.to_thread(drafts.keep, platform, draft)
    return render.go(request, f"/imports/new/{draft_id}")


async def _draft(request: Asked, draft_id: str) -> Draft:
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    return await asyncio.to_thread(drafts.find, platform, workspace, draft_id)


async def _opened(request: Asked, draft_id: str) -> Draft:
    """A draft. Raises `Elsewhere` once it has become an import, or `NotFound`."""
    try:
        return await _draft(request, draft_id)
    except NotFound:
        with contextlib.suppress(NotFound):
            job = await api.find(request, draft_id)
            raise route.Elsewhere(f"/imports/{job.id}") from None
        raise


async def _looked(request: Asked, draft: Draft) -> tuple[Preview, Options]:
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    found = await asyncio.to_thread(drafts.look, platform, workspace, draft)
    return found, drafts.wanted(draft, found)


def _page(request: Asked, draft: Draft, step: str, **given: Any) -> Response[str]:
    name = step or "file"
    known: dict[str, Any] = {"draft": draft, "step": step, "steps": STEPS}
    return render.page(request, f"imports/{name}.html", **known, **given)


@route.shown("/imports/new/{draft_id:str}", may="imports.write")
async def file(request: Asked, draft_id: FromPath[str]) -> Response[str]:
    """What is in the file, and how it is read."""
    draft = await _opened(request, draft_id)
    found, _ = await _looked(request, draft)
    choices = {"encodings": ENCODINGS, "delimiters": DELIMITERS, "quotes": QUOTES}
    return _page(request, draft, "", found=found, **choices)


@route.deed("/imports/new/{draft_id:str}/dialect", may="imports.write")
async def dialect(request: Asked, draft_id: FromPath[str]) -> Response[str]:
    """Read the file another way, and see it again."""
    draft, form = await _draft(request, draft_id), await forms.read(request)
    names = ("encoding", "delimiter", "quote")
    wanted = Dialect(**{name: form.get(name, "") for name in names})
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    await asyncio.to_thread(drafts.tell_apart, platform, workspace, draft, wanted)
    return render.go(request, f"/imports/new/{draft.id}")


@route.shown("/imports/new/{draft_id:str}/columns", may="imports.write")
async def columns(request: Asked, draft_id: FromPath[str]) -> Response[str]:
    """What each column becomes."""
    draft = await _opened(request, draft_id)
    found, wanted = await _looked(request, draft)
    catalogue = gate.actor_of(request).workspace.catalogue
    return _page(
        request,
        draft,
        "columns",
        rows=import_columns.rows(found, wanted, catalogue),
        offered=import_columns.offered(catalogue),
        types=import_columns.TYPES,
    )


@route.deed("/imports/new/{draft_id:str}/columns", may="imports.write")
async def choose_columns(request: Asked, draft_id: FromPath[str]) -> Response[str]:
    """Keep what each column becomes."""
    draft, form = await _draft(request, draft_id), await forms.read(request)
    found, before = await _looked(request, draft)
    wanted = import_columns.read(form, found, before)
    try:
        await _choose(request, draft, wanted)
    except Problem as problem:
        raise import_columns.placed(problem, form, found.headers) from problem
    return render.go(request, f"/imports/new/{draft.id}/choices")


async def _choose(request: Asked, draft: Draft, wanted: Options) -> Draft:
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    return await asyncio.to_thread(drafts.choose, platform, workspace, draft, wanted)


@route.shown("/imports/new/{draft_id:str}/choices", may="imports.write")
async def choices(request: Asked, draft_id: FromPath[str]) -> Response[str]:
    """What becomes of people who are here already; tags and a segment."""
    draft = await _opened(request, draft_id)
    _, wanted = await _looked(request, draft)
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    lists = sorted(s.name for s in workspace.segments.values() if s.kind == STATIC)
    return _page(
        request,
        draft,
        "choices",
        wanted=wanted,
        conflicts=CONFLICTS,
        tag=plan.default_tag(platform.now(), workspace.zone),
        lists=lists,
    )


@route.deed("/imports/new/{draft_id:str}/choices", may="imports.write")
async def make_choices(request: Asked, draft_id: FromPath[str]) -> Response[str]:
    """Keep them, and begin the dry run."""
    draft, form = await _draft(request, draft_id), await forms.read(request)
    _, before = await _looked(request, draft)
    given = {
        "onConflict": form.get("onConflict", "update"),
        "mergeTags": "mergeTags" in form,
        "defaultTag": "defaultTag" in form,
        "tags": [tag for part in form.get("tags", "").split(",") if (tag := part.strip())],
        "segment": form.get("segment", "").strip() or None,
    }
    try:
        chosen = options.read(given)
        wanted = msgspec.structs.replace(
            before,
            on_conflict=chosen.on_conflict,
            merge_tags=chosen.merge_tags,
            default_tag=chosen.default_tag,
            tags=chosen.tags,
            segment=chosen.segment,
        )
        draft = await _choose(request, draft, wanted)
    except Problem as problem:
        raise Invalid(problem.detail, faults=[_field(f) for f in problem.faults]) from problem
    await _tried(request, draft)
    return render.go(request, f"/imports/new/{draft.id}/try")


def _field(fault: Fault) -> Fault:
    """A fault beside the field that it is about: `options.tags.0` is the field `tags`."""
    path = fault.path.removeprefix("options.").partition(".")[0]
    return msgspec.structs.replace(fault, path="" if path == "mapping" else path)


async def _tried(request: Asked, draft: Draft) -> None:
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    await asyncio.to_thread(drafts.attempt, platform, actor.workspace, actor.ref, draft)


@route.shown("/imports/new/{draft_id:str}/try", may="imports.write")
async def trial(request: Asked, draft_id: FromPath[str]) -> Response[str]:
    """What the import would do: the dry run as far as it is, and its report."""
    draft = await _opened(request, draft_id)
    told = await import_told.of(request, draft.trial) if draft.trial else None
    if render.from_htmx(request):
        return render.page(request, "imports/tried.html", draft=draft, told=told)
    return _page(request, draft, "try", told=told)


@route.deed("/imports/new/{draft_id:str}/try", may="imports.write")
async def attempt(request: Asked, draft_id: FromPath[str]) -> Response[str]:
    """Begin the dry run once more: what it is compared with may have changed."""
    draft = await _draft(request, draft_id)
    await _tried(request, msgspec.structs.replace(draft, trial=""))
    return render.go(request, f"/imports/new/{draft.id}/try")


@route.deed("/imports/new/{draft_id:str}/import", may="imports.write")
async def begin(request: Asked, draft_id: FromPath[str]) -> Response[str]:
    """Import the file; goes on to how far it is."""
    draft = await _opened(request, draft_id)
    _, wanted = await _looked(request, draft)
    if draft.options is None:
        draft = await _choose(request, draft, wanted)
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    given = (platform, actor.workspace, actor.ref, draft)
    job = await asyncio.to_thread(drafts.begin, *given)
    return render.go(request, f"/imports/{job.id}")


@route.deed("/imports/new/{draft_id:str}/remove", may="imports.write")
async def remove(request: Asked, draft_id: FromPath[str]) -> Response[str]:
    """Forget the file."""
    draft = await _draft(request, draft_id)
    await asyncio.to_thread(drafts.remove, gate.platform_of(request), draft)
    return render.go(request, "/imports", tell=f"{draft.name} is removed; nothing was imported")


ROUTES: list[HTTPRouteHandler] = [
    new,
    upload,
    file,
    dialect,
    columns,
    choose_columns,
    choices,
    make_choices,
    trial,
    attempt,
    begin,
    remove,
]
