"""Adding one user by hand."""

from __future__ import annotations

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from user360 import ids
from user360.doors import gate
from user360.doors.api import shapes
from user360.errors import Invalid
from user360.pages import forms, render, route, users_columns
from user360.pages.render import Asked
from user360.pages.users_columns import Column
from user360.records.properties import Catalogue, Type

USUAL = ("firstName", "lastName", "email", "phone")


def fields(catalogue: Catalogue) -> list[tuple[Column, bool]]:
    """What one is asked for beside the userId, and whether it must be given."""
    return [
        (users_columns.of(declared), declared.required)
        for declared in catalogue
        if (declared.name in USUAL or declared.required) and declared.name != "userId"
    ]


@route.deed("/users/new", may="records.write")
async def add(request: Asked) -> Response[str]:
    """A new record; goes on at its card. Refused when the userId exists, or nothing is said."""
    form = await forms.read(request)
    catalogue = gate.actor_of(request).workspace.catalogue
    properties: dict[str, object] = {}
    for column, _ in fields(catalogue):
        given = form.get(column.name, "").strip()
        if given:
            properties[column.name] = _value(column, given)
    user_id = form.get("userId", "").strip() or None
    if user_id is None and not properties:
        raise Invalid.at("userId", "Say something of this person: a user ID, a name, an e-mail")
    call = shapes.call(
        request,
        user_id=user_id,
        properties=properties,
        if_exists="refuse",
        complete=True,
    )
    outcome = await gate.one(gate.platform_of(request), call)
    await gate.ask(request, lambda _warehouse: None, at_least=outcome.seq)
    record = ids.public_record_id(outcome.record or 0)
    return render.go(request, f"/users/{record}", tell="The user was added")


def _value(column: Column, given: str) -> object:
    """A list is written with commas; everything else is read as its type by the record itself."""
    if column.kind != Type.LIST:
        return given
    return [part.strip() for part in given.split(",") if part.strip()]


ROUTES: list[HTTPRouteHandler] = [add]
