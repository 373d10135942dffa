"""Properties: what is declared, what records have of it, changing it."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user360.doors import gate
from user360.doors.api import properties as api
from user360.errors import Invalid, NotFound
from user360.pages import forms, render, route
from user360.pages.render import Asked
from user360.records import declare, store, summary
from user360.records.properties import Property, Type
from user360.segments import usage
from user360.storage.warehouse import Warehouse

TYPES = tuple(kind.value for kind in Type)


class Row(msgspec.Struct, frozen=True):
    """One property as the list shows it: how many records have it, and a few values."""

    property: Property
    held: int
    examples: list[Any]


@route.shown("/properties", may="declarations.read")
async def listing(request: Asked) -> Response[str]:
    """All properties with how complete they are; with `?deleted=true` those to give back."""
    workspace = gate.actor_of(request).workspace
    gone = await gate.read(
        gate.platform_of(request), lambda c: store.deleted_properties(c, workspace.id)
    )
    common: dict[str, Any] = {"gone": gone, "types": TYPES}
    if request.query_params.get("deleted") == "true":
        return render.page(request, "properties/deleted.html", **common)

    def ask(warehouse: Warehouse) -> tuple[summary.Held, dict[str, list[Any]]]:
        catalogue = workspace.catalogue
        held = summary.held(warehouse, workspace.id, catalogue)
        return held, summary.examples(warehouse, workspace.id, catalogue)

    held, examples = await gate.ask(request, ask)
    text = request.query_params.get("q", "").strip()
    rows = [
        Row(p, held.of.get(p.name, 0), examples.get(p.name, []))
        for p in workspace.catalogue
        if text.casefold() in f"{p.name} {p.description}".casefold()
    ]
    return render.page(
        request,
        "properties/list.html",
        own=[row for row in rows if not row.property.system],
        system=[row for row in rows if row.property.system],
        records=held.records,
        identifier=workspace.settings.identifier,
        q=text,
        **common,
    )


@route.deed("/properties", may="declarations.write")
async def create(request: Asked) -> Response[str]:
    """Declare a property, and go on to it."""
    form = await forms.read(request)
    kind = _type(form.get("type", ""))
    name = form.get("name", "").strip()
    given = (form.get("description", ""), "searchable" in form, "required" in form)
    kept, _ = await gate.change(request, lambda c: declare.declare(c, name, kind, *given))
    return render.go(request, f"/properties/{kept.name}", tell=f"Added {kept.name}")


@route.shown("/properties/{name:str}", may="declarations.read")
async def shown(request: Asked, name: FromPath[str]) -> Response[str]:
    """One property: what records have of it, who asks about it, and changing it."""
    workspace = gate.actor_of(request).workspace
    declared = workspace.catalogue.get(name)
    if declared is None:
        raise NotFound("There is no property of this name")

    def ask(warehouse: Warehouse) -> tuple[summary.Held, summary.Values]:
        held = summary.held(warehouse, workspace.id, workspace.catalogue)
        return held, summary.values(warehouse, workspace.id, declared)

    held, values = await gate.ask(request, ask)
    return render.page(
        request,
        "properties/one.html",
        property=declared,
        count=held.of.get(name, 0),
        records=held.records,
        values=values,
        segments=usage.naming(workspace, name),
        types=TYPES,
        identifier=workspace.settings.identifier,
    )


@route.deed("/properties/{name:str}", may="declarations.write")
async def edit(request: Asked, name: FromPath[str]) -> Response[str]:
    """Change what is said of a property, whether it is searched and whether it is required."""
    form = await forms.read(request)
    data = api.PropertyEdit(
        description=form.get("description", ""),
        searchable="searchable" in form,
        required="required" in form,
    )
    await api.edit_one(request, name, data, dry_run=False, force=False)
    return render.go(request, f"/properties/{name}", tell="Saved")


@route.deed("/properties/{name:str}/preview", may="declarations.write")
async def preview(request: Asked, name: FromPath[str]) -> Response[str]:
    """What another type would do to the values, before it is done."""
    form = await forms.read(request)
    kind = _type(form.get("type", ""))
    workspace = gate.actor_of(request).workspace
    if declare.custom(workspace, name).type is kind:
        raise Invalid.at("type", "This is its type already; choose another one")
    data = api.PropertyEdit(type=kind)
    told, _ = await api.edit_one(request, name, data, dry_run=True, force=False)
    segments = usage.naming(workspace, name)
    return render.page(
        request, "properties/preview.html", name=name, kind=kind, told=told, segments=segments
    )


@route.deed("/properties/{name:str}/type", may="declarations.write")
async def retype(request: Asked, name: FromPath[str]) -> Response[str]:
    """Give a property another type, which the person has seen a preview of."""
    form = await forms.read(request)
    data = api.PropertyEdit(type=_type(form.get("type", "")))
    await api.edit_one(request, name, data, dry_run=False, force="force" in form)
    return render.go(request, f"/properties/{name}", tell=f"{name} is a {data.type} now")


@route.deed("/properties/{name:str}/delete", may="declarations.write")
async def delete(request: Asked, name: FromPath[str]) -> Response[str]:
    """Delete a property; its values are kept."""
    force = "force" in await forms.read(request)
    await gate.change(request, lambda change: api.take_back(change, name, force))
    return render.go(request, "/properties", tell=f"Deleted {name}; its values are kept")


@route.deed("/properties/{name:str}/restore", may="declarations.write")
async def restore(request: Asked, name: FromPath[str]) -> Response[str]:
    """Give back a deleted property with its values."""
    await gate.change(request, lambda change: declare.give_back(change, name))
    return render.go(request, f"/properties/{name}", tell=f"{name} is back with its values")


def _type(given: str) -> Type:
    if given not in TYPES:
        raise Invalid.at("type", "Choose a type")
    return Type(given)


ROUTES: list[HTTPRouteHandler] = [
    listing,
    create,
    shown,
    edit,
    preview,
    retype,
    delete,
    restore,
]
