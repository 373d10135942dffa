"""The event hub: which events a workspace knows, and what was refused."""

from __future__ import annotations

from litestar import Response
from litestar.params import FromPath, JSONBody

from user360 import clock
from user360.access.change import Change
from user360.doors import gate
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Moment
from user360.events import define, store
from user360.events.definitions import Definition


class NewDefinition(Body):
    """An event to expect, before it is seen for the first time."""

    name: str
    description: str = ""
    active: bool = True


class DefinitionEdit(Body):
    """What to change of a definition; what is left out stays."""

    description: str | None = None
    active: bool | None = None


class Defined(Answer):
    """An event definition, with the property names and types seen so far."""

    name: str
    description: str
    active: bool
    volume: int
    first_seen: Moment | None
    last_seen: Moment | None
    properties: dict[str, list[str]]


class Definitions(Answer):
    """All event definitions, by name."""

    definitions: list[Defined]
    cursor: None = None


class Rejected(Answer):
    """Why something was not kept, and how often."""

    source: str
    name: str
    code: str
    path: str
    message: str
    count: int
    first_at: Moment
    last_at: Moment


class Rejections(Answer):
    """What was refused or dropped, the latest first."""

    rejections: list[Rejected]
    cursor: None = None


def _shown(definition: Definition) -> Defined:
    first, last = definition.first_seen, definition.last_seen
    return Defined(
        name=definition.name,
        description=definition.description,
        active=definition.active,
        volume=definition.volume,
        first_seen=None if first is None else clock.to_iso(first),
        last_seen=None if last is None else clock.to_iso(last),
        properties=definition.properties,
    )


@operation("GET", "/event-definitions", "declarations.read", "List event definitions", tag="events")
async def listing(request: Asked) -> Response[Definitions]:
    """A name seen for the first time is registered by itself."""
    workspace = gate.actor_of(request).workspace
    found = await gate.read(
        gate.platform_of(request), lambda c: store.load_definitions(c, workspace.id)
    )
    return gate.answer(Definitions(definitions=[_shown(d) for d in found.values()]))


@operation(
    "GET",
    "/event-definitions/rejections",
    "declarations.read",
    "What was refused or dropped",
    tag="events",
)
async def rejections(request: Asked) -> Response[Rejections]:
    """Counted by door, name, place and reason; no value of what was refused is kept."""
    workspace = gate.actor_of(request).workspace
    rows = await gate.read(gate.platform_of(request), lambda c: store.rejections(c, workspace.id))
    told = [
        Rejected(
            source=row["source"],
            name=row["name"],
            code=row["code"],
            path=row["path"],
            message=row["message"],
            count=row["count"],
            first_at=clock.to_iso(row["first_at"]),
            last_at=clock.to_iso(row["last_at"]),
        )
        for row in rows
    ]
    return gate.answer(Rejections(rejections=told))


@operation(
    "POST",
    "/event-definitions",
    "declarations.write",
    "Define an event",
    tag="events",
    status=201,
    refuses=(409,),
    example=Example(body={"name": "Trial Started", "description": "The first day of a trial"}),
)
async def create(request: Asked, data: JSONBody[NewDefinition]) -> Response[Defined]:
    """Names are compared exactly."""

    def job(change: Change) -> Definition:
        return define.create(change, data.name, data.description, data.active)

    made, seq = await gate.change(request, job)
    return gate.answer(_shown(made), 201, seq)


@operation(
    "PATCH",
    "/event-definitions/{name:str}",
    "declarations.write",
    "Change an event definition",
    tag="events",
    refuses=(404,),
    example=Example(path={"name": "Page Viewed"}, body={"description": "A page", "active": True}),
)
async def edit(
    request: Asked, name: FromPath[str], data: JSONBody[DefinitionEdit]
) -> Response[Defined]:
    """Events of a definition that is not active are dropped and counted."""

    def job(change: Change) -> Definition:
        return define.edit(change, name, data.description, data.active)

    kept, seq = await gate.change(request, job)
    return gate.answer(_shown(kept), seq=seq)


ROUTES = [listing, rejections, create, edit]
