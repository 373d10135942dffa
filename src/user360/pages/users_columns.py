"""The columns of the table of users: which there are, and which ones a member wants to see."""

from __future__ import annotations

import contextlib

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from user360.access import preferences
from user360.doors import gate
from user360.errors import Invalid
from user360.pages import render, route, users_view, words
from user360.pages.render import Asked
from user360.records.properties import Catalogue, Property, Type

PREFERENCE = "users.columns"
USUAL = ("userId", "email", "phone", "city", "country", "tags", "createdAt")
# As people write them, where taking a name apart does not do.
TITLES = {
    "id": "Record",
    "userId": "User ID",
    "email": "E-mail",
    "dob": "Date of birth",
    "emailOptin": "E-mail opt-in",
    "smsOptin": "SMS opt-in",
    "whatsAppOptin": "WhatsApp opt-in",
    "createdAt": "Created",
    "updatedAt": "Updated",
    "profileComplete": "Completeness",
}
MOST = 60


class Column(msgspec.Struct, frozen=True):
    """A column: what it shows, its heading, how its cells are written, whether it can be sorted by.

    `kind` is the type of a property, or `percent` or `id`.
    """

    name: str
    title: str
    kind: str
    sorts: bool = True

    @property
    def numeric(self) -> bool:
        """Whether its cells stand at the right."""
        return self.kind in ("number", "percent")


def of(declared: Property) -> Column:
    """The column of a property."""
    kind = declared.type
    return Column(declared.name, title(declared.name), kind.value, kind is not Type.LIST)


def title(name: str) -> str:
    """The heading of a column."""
    return TITLES.get(name) or words.title(name)


def choices(catalogue: Catalogue) -> dict[str, Column]:
    """Every column there is, by name."""
    beside = (
        Column("createdAt", title("createdAt"), "datetime"),
        Column("updatedAt", title("updatedAt"), "datetime"),
        Column("profileComplete", title("profileComplete"), "percent", False),
        Column("id", title("id"), "id", False),
    )
    found = {column.name: column for column in beside}
    return {declared.name: of(declared) for declared in catalogue} | found


def chosen(request: Asked) -> list[Column]:
    """The columns that the member sees, in their order; of those that are gone nothing is said."""
    actor = gate.actor_of(request)
    if actor.sign_in is None:
        return []
    member, workspace = actor.sign_in.member, actor.workspace
    kept = gate.glance(
        gate.platform_of(request),
        lambda c: preferences.get(c, member, workspace.id, PREFERENCE),
    )
    names: list[str] = list(USUAL)
    if kept is not None:
        with contextlib.suppress(msgspec.MsgspecError):
            names = msgspec.json.decode(kept, type=list[str])
    there = choices(workspace.catalogue)
    return [there[name] for name in names if name in there]


@route.deed("/users/columns", may="records.read")
async def choose(request: Asked) -> Response[str]:
    """Keep the columns in the order in which the form has them; none are the usual ones again."""
    form = await request.form()
    actor = gate.actor_of(request)
    there = choices(actor.workspace.catalogue)
    names = [name for name in dict.fromkeys(form.getall("column", [])) if name in there]
    if len(names) > MOST:
        raise Invalid(f"A table has at most {MOST} columns here; an export has as many as you like")
    kept = None if form.get("usual") or not names else msgspec.json.encode(names).decode()
    member = actor.sign_in.member if actor.sign_in else 0
    await gate.write(
        gate.platform_of(request),
        lambda c: preferences.put(c, member, actor.workspace.id, PREFERENCE, kept),
    )
    return render.go(request, back(form.get("here", "")))


def back(address: str) -> str:
    """An address of the users to go back to."""
    fine = address == users_view.PATH or address.startswith(f"{users_view.PATH}?")
    return address if fine and address.isprintable() else users_view.PATH


ROUTES: list[HTTPRouteHandler] = [choose]
