"""Scheduled imports: where and when files are looked for, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360.doors import gate
from user360.errors import Conflict, Invalid, Problem
from user360.imports.schedules import looking, managing, store
from user360.imports.schedules.managing import Wanted
from user360.imports.schedules.schedule import Entry, Schedule
from user360.pages import forms, render, route
from user360.pages.render import Asked
from user360.storage.ledger import Connection

NEWEST = 5  # entries of each schedule that the list shows
# What the form of a new one shows.
NEW = {"name": "", "kind": "folder", "repeat": "daily", "userId": "", "onConflict": "update"}
# The fields of a form that a kind of place, or a calendar, has.
PLACES = {
    "folder": ("pattern", "path"),
    "s3": ("pattern", "bucket", "prefix", "region", "endpoint", "accessKey", "secretKey"),
    "sftp": (
        "pattern",
        "host",
        "port",
        "user",
        "hostKey",
        "path",
        "password",
        "privateKey",
        "passphrase",
    ),
}
CALENDARS = {
    "daily": ("time",),
    "weekly": ("weekday", "time"),
    "monthly": ("day", "time"),
    "once": ("at",),
    "cron": ("cron",),
}


class Row(msgspec.Struct, frozen=True):
    """A schedule, where it looks in words, and the newest of what came of it."""

    schedule: Schedule
    where: str
    when: str
    entries: list[tuple[Entry, str | None]]


@route.shown("/imports/schedules", may="imports.read")
async def listing(request: Asked) -> Response[str]:
    """All schedules by name, each with its last entries."""
    workspace = gate.actor_of(request).workspace

    def ask(connection: Connection) -> list[Row]:
        return [
            Row(each, where(each), when(each), store.entries(connection, each.id, None, NEWEST))
            for each in store.all_of(connection, workspace.id)
        ]

    rows = await gate.read(gate.platform_of(request), ask)
    return render.page(request, "imports/schedules.html", rows=rows, new=NEW)


def where(schedule: Schedule) -> str:
    """Where files are looked for: `sftp: files.example.com, userdata_*.csv`."""
    place = msgspec.to_builtins(schedule.place)
    there = place.get("bucket") or place.get("host") or place.get("path") or "its folder"
    return f"{place['kind']}: {there}, {place['pattern']}"


def when(schedule: Schedule) -> str:
    """When they are looked for: `daily, 02:30`."""
    return ", ".join(str(part) for part in msgspec.to_builtins(schedule.calendar).values())


@route.deed("/imports/schedules", may="imports.write")
async def create(request: Asked) -> Response[str]:
    """Make a schedule."""
    form = await forms.read(request)
    wanted, vault = read(form), gate.platform_of(request).vault
    try:
        made, _ = await gate.change(request, lambda c: managing.create(c, vault, wanted))
    except Problem as problem:
        raise placed(problem, form) from problem
    return _back(request, f"{made.name} looks for files from now on")


@route.shown("/imports/schedules/{schedule_id:int}", may="imports.write")
async def one(request: Asked, schedule_id: FromPath[int]) -> Response[str]:
    """A schedule, to be changed."""
    held = await _found(request, schedule_id)
    return render.page(request, "imports/schedule.html", held=held, given=given(held))


@route.deed("/imports/schedules/{schedule_id:int}", may="imports.write")
async def change(request: Asked, schedule_id: FromPath[int]) -> Response[str]:
    """Change a schedule; a secret that is left empty stays, for the same server."""
    form = await forms.read(request)
    held = await _found(request, schedule_id)
    wanted, vault = read(form, held), gate.platform_of(request).vault
    try:
        changed, _ = await gate.change(request, lambda c: managing.edit(c, vault, held.id, wanted))
    except Problem as problem:
        raise placed(problem, form) from problem
    return _back(request, f"{changed.name} is changed")


def given(held: Schedule) -> dict[str, str]:
    """What the fields of the form show of a schedule; of its secrets nothing."""
    parts: list[tuple[str, dict[str, Any]]] = [
        ("kind", msgspec.to_builtins(held.place)),
        ("repeat", msgspec.to_builtins(held.calendar)),
    ]
    fields = {"name": held.name}
    for choice, part in parts:
        kind = fields[choice] = str(part.pop(choice))
        fields |= {f"{kind}.{name}": str(value) for name, value in part.items()}
    secret = {field.encode_name for field in _secrets(held)}
    fields = {path: v for path, v in fields.items() if path.partition(".")[2] not in secret}
    options = {"userId": "", "onConflict": "update", **held.options}
    shown = {name: str(options[name] or "") for name in ("userId", "onConflict")}
    return fields | shown | ({"createProperties": "on"} if options.get("createProperties") else {})


def _secrets(held: Schedule) -> list[msgspec.structs.FieldInfo]:
    return [
        field for field in msgspec.structs.fields(held.place) if field.name in held.place.SECRET
    ]


def read(form: Mapping[str, str], held: Schedule | None = None) -> Wanted:
    """What a form wants of a schedule; empty fields are left out. Raises `Invalid`.

    Of one that is `held` whatever the form does not show stays.
    """
    kind, repeat = form.get("kind", ""), form.get("repeat", "")
    if kind not in PLACES:
        raise Invalid.at("kind", "Choose where files are")
    if repeat not in CALENDARS:
        raise Invalid.at("repeat", "Choose when")
    told = {
        "name": form.get("name", ""),
        "place": {"kind": kind} | _named(form, f"{kind}.", PLACES[kind]),
        "calendar": {"repeat": repeat} | _named(form, f"{repeat}.", CALENDARS[repeat]),
        "options": _options(form, {} if held is None else held.options),
        "active": held is None or held.active,
    }
    try:
        return msgspec.convert(told, Wanted, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(str(error)) from error


def _options(form: Mapping[str, str], held: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an import: those of the form, and others that were held."""
    options = dict(held)
    column = form.get("userId", "").strip()
    if column:
        options["userId"] = column
    elif options.get("userId") is not None:  # null says that nobody in the files has one
        del options["userId"]
    return options | {
        "createProperties": "createProperties" in form,
        "onConflict": form.get("onConflict", "update"),
    }


def placed(problem: Problem, form: Mapping[str, str]) -> Problem:
    """A problem told beside the fields of the form: `place.path` is `folder.path` there."""
    parts = {"place": form["kind"], "calendar": form["repeat"]}
    faults = []
    for fault in problem.faults:
        part, dot, name = fault.path.partition(".")
        path = parts.get(part, part) + dot + name
        faults.append(msgspec.structs.replace(fault, path=path.removeprefix("options.")))
    return Invalid(problem.detail, faults=faults)


def _named(form: Mapping[str, str], prefix: str, names: tuple[str, ...]) -> dict[str, str]:
    found = {name: form.get(prefix + name, "").strip().replace("\r\n", "\n") for name in names}
    return {name: text for name, text in found.items() if text}


@route.deed("/imports/schedules/{schedule_id:int}/active", may="imports.write")
async def activate(request: Asked, schedule_id: FromPath[int]) -> Response[str]:
    """Pause a schedule, or let it go on."""
    active = (await forms.read(request)).get("active") == "yes"
    held = await _found(request, schedule_id)
    vault = gate.platform_of(request).vault
    place = msgspec.structs.replace(held.place, **dict.fromkeys(held.place.SECRET, ""))
    wanted = Wanted(
        name=held.name, place=place, calendar=held.calendar, options=held.options, active=active
    )
    await gate.change(request, lambda c: managing.edit(c, vault, held.id, wanted))
    return _back(request, f"{held.name} {'goes on' if active else 'is paused'}")


@route.deed("/imports/schedules/{schedule_id:int}/run", may="imports.write")
async def run(request: Asked, schedule_id: FromPath[int]) -> Response[str]:
    """Look for files at once."""
    held, platform = await _found(request, schedule_id), gate.platform_of(request)
    given = (platform, held, gate.actor_of(request).ref, held.next_at)
    job = await asyncio.to_thread(looking.ask, *given)
    if job is None:
        raise Conflict("It is looking for files already")
    return _back(request, f"{held.name} is looking for files")


@route.deed("/imports/schedules/{schedule_id:int}/delete", may="imports.write")
async def delete(request: Asked, schedule_id: FromPath[int]) -> Response[str]:
    """End a schedule; what it imported stays."""
    held = await _found(request, schedule_id)
    await gate.change(request, lambda change: managing.remove(change, held.id))
    return _back(request, f"{held.name} has ended; what it imported stays")


async def _found(request: Asked, number: int) -> Schedule:
    workspace = gate.actor_of(request).workspace
    wanted = number if 0 <= number < 1 << 62 else -1
    platform = gate.platform_of(request)
    return await gate.read(platform, lambda c: managing.find(c, workspace.id, wanted))


def _back(request: Asked, tell: str) -> Response[str]:
    """The list again; whoever waits for the next time of a schedule looks anew."""
    request.app.state.timekeeper.wake()
    return render.go(request, "/imports/schedules", tell=tell)


ROUTES: list[HTTPRouteHandler] = [listing, create, one, change, activate, run, delete]
