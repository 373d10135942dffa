"""Declarations: which properties a workspace knows."""

from __future__ import annotations

from typing import Annotated

from litestar import Response
from litestar.params import FromPath, JSONBody, QueryParameter

from user360.access.change import Change
from user360.doors import gate
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.person import DryRun
from user360.doors.api.shapes import Answer, Asked
from user360.errors import Conflict
from user360.records import declare, store
from user360.records.properties import READ_ONLY, Property, Type
from user360.segments import usage

Force = Annotated[bool, QueryParameter(description="do it even though segments ask about it")]
Gone = Annotated[bool, QueryParameter(description="those that were deleted and can be restored")]
TIER = {"name": "tier"}


class NewProperty(Body):
    """A property to declare. `searchable` ones are offered where people are looked for; any may be
    asked about in a condition. `required` ones must be given when a record is made.
    """

    name: str
    type: Type
    description: str = ""
    searchable: bool = True
    required: bool = False


class PropertyEdit(Body):
    """What to change of a property; what is left out stays."""

    type: Type | None = None
    description: str | None = None
    searchable: bool | None = None
    required: bool | None = None


class Declared(Answer):
    """A declared property; `system` ones exist in every workspace."""

    name: str
    type: str
    description: str
    searchable: bool
    required: bool
    system: bool
    read_only: bool


class Declarations(Answer):
    """All properties: the system's, then the workspace's own in the order of their making."""

    properties: list[Declared]
    cursor: None = None


class Edited(Answer):
    """The property, and with another type how many values convert; up to ten records of the rest.

    What does not convert is kept, unseen, and comes back with the old type.
    """

    property: Declared
    dry_run: bool
    converted: int
    not_converted: int
    records: list[str]


def _shown(declared: Property) -> Declared:
    return Declared(
        name=declared.name,
        type=declared.type.value,
        description=declared.description,
        searchable=declared.searchable,
        required=declared.required,
        system=declared.system,
        read_only=declared.system and declared.name == "userId",
    )


def _of_every_record() -> list[Declared]:
    """The properties that a record has by itself."""
    return [
        Declared(
            name=name,
            type="datetime" if name.endswith("At") else "string",
            description="",
            searchable=False,
            required=False,
            system=True,
            read_only=True,
        )
        for name in READ_ONLY
    ]


@operation("GET", "/properties", "declarations.read", "List properties", tag="properties")
async def listing(request: Asked, deleted: Gone = False) -> Response[Declarations]:
    """With `deleted`, those that can be restored instead."""
    workspace = gate.actor_of(request).workspace
    if deleted:
        gone = await gate.read(
            gate.platform_of(request), lambda c: store.deleted_properties(c, workspace.id)
        )
        return gate.answer(Declarations(properties=[_shown(p) for p in gone]))
    shown = [*_of_every_record(), *(_shown(p) for p in workspace.catalogue)]
    return gate.answer(Declarations(properties=shown))


@operation(
    "POST",
    "/properties",
    "declarations.write",
    "Declare a property",
    tag="properties",
    status=201,
    refuses=(409,),
    example=Example(body={"name": "plan", "type": "string", "description": "What they pay for"}),
)
async def create(request: Asked, data: JSONBody[NewProperty]) -> Response[Declared]:
    """Names are unique without regard to case, and are never changed."""

    def job(change: Change) -> Property:
        given = (data.description, data.searchable, data.required)
        return declare.declare(change, data.name, data.type, *given)

    kept, seq = await gate.change(request, job)
    return gate.answer(_shown(kept), 201, seq)


@operation(
    "PATCH",
    "/properties/{name:str}",
    "declarations.write",
    "Change a property",
    tag="properties",
    refuses=(404, 409),
    example=Example(path=TIER, query={"dryRun": "true"}, body={"type": "number"}),
)
async def edit(
    request: Asked,
    name: FromPath[str],
    data: JSONBody[PropertyEdit],
    dry_run: DryRun = False,
    force: Force = False,
) -> Response[Edited]:
    """With another type, values that do not convert are no longer shown; `dryRun` says how many.

    Giving the property its old type back shows them again.
    """
    edited, seq = await edit_one(request, name, data, dry_run, force)
    return gate.answer(edited, seq=seq)


async def edit_one(
    request: Asked, name: str, data: PropertyEdit, dry_run: bool, force: bool
) -> tuple[Edited, int | None]:
    """Change a property, or only say what a change would do; and the position that shows it.

    Raises `NotFound`, `Invalid`, and `Conflict` where segments ask about it.
    """
    workspace = gate.actor_of(request).workspace
    held = declare.custom(workspace, name)
    kind = data.type or held.type
    last = gate.platform_of(request).committer.position.last
    found = declare.Conversion(0, 0, [])
    if kind != held.type:
        found = await gate.ask(
            request, lambda w: declare.conversion(w, workspace, held, kind), at_least=last
        )
    seq = None
    if not dry_run:
        held, seq = await gate.change(request, lambda change: _edit(change, name, data, force))
    edited = Edited(
        property=_shown(held),
        dry_run=dry_run,
        converted=found.converted,
        not_converted=found.lost,
        records=found.records,
    )
    return edited, seq


def _edit(change: Change, name: str, data: PropertyEdit, force: bool) -> Property:
    held = declare.custom(change.workspace, name)
    if data.type not in (None, held.type):
        _refuse_used(change, name, force)
    return declare.edit(
        change,
        name,
        type=data.type,
        description=data.description,
        searchable=data.searchable,
        required=data.required,
    )


def _refuse_used(change: Change, name: str, force: bool) -> None:
    used = usage.naming(change.workspace, name)
    if used and not force:
        named = ", ".join(segment.name for segment in used)
        raise Conflict(f"{name} is asked about by {named}; force=true does it all the same")


@operation(
    "DELETE",
    "/properties/{name:str}",
    "declarations.write",
    "Delete a property",
    tag="properties",
    status=204,
    refuses=(404, 409),
    example=Example(path=TIER),
)
async def delete(request: Asked, name: FromPath[str], force: Force = False) -> Response[None]:
    """Its values are kept, unseen, until it is restored."""

    _, seq = await gate.change(request, lambda change: take_back(change, name, force))
    return gate.answer(None, 204, seq)


def take_back(change: Change, name: str, force: bool) -> None:
    """Delete a declaration. Raises `NotFound`, and `Conflict` where segments ask about it."""
    declare.custom(change.workspace, name)
    _refuse_used(change, name, force)
    declare.take_back(change, name)


@operation(
    "POST",
    "/properties/{name:str}/restore",
    "declarations.write",
    "Restore a deleted property",
    tag="properties",
    refuses=(404, 409),
    example=Example(path={"name": "nickname"}),
)
async def restore(request: Asked, name: FromPath[str]) -> Response[Declared]:
    """With all the values it had."""
    kept, seq = await gate.change(request, lambda change: declare.give_back(change, name))
    return gate.answer(_shown(kept), seq=seq)


ROUTES = [listing, create, edit, delete, restore]
