"""Users: created, read, listed, updated, deleted."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath, QueryParameter

from user360.doors import gate
from user360.doors.raw import with_body
from user360.doors.yellow import asking, translate
from user360.doors.yellow.asking import Asked, Bot
from user360.doors.yellow.translate import Value
from user360.errors import Invalid, NotFound
from user360.identity import people
from user360.identity import store as identity_store
from user360.ingest.call import Call, Verb
from user360.records import listing
from user360.storage.ledger import Connection

BODY = {
    "type": "object",
    "properties": {"userId": {"type": "string"}},
    "additionalProperties": True,
}
ASHA = {"userId": "asha@example.com", "firstName": "Asha", "phone": "919876543210"}
Whether = Literal["true", "false", "yes", "no"] | None


class OfUser(msgspec.Struct):
    """A user: every value with the kind of its property."""

    message: str
    data: dict[str, Value]


class OfUsers(msgspec.Struct):
    """Users, in the order they were made."""

    message: str
    data: list[dict[str, Value]]


class Done(msgspec.Struct):
    """That it is done."""

    message: str


async def shown(request: Asked, numbers: list[int]) -> list[dict[str, Value]]:
    """The living records behind these numbers in the original's shape."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    found = await gate.read(
        platform, lambda c: people.many(c, platform.ledger.dialect, workspace, numbers)
    )
    return [translate.user(record, workspace.name, workspace.catalogue) for record in found]


async def _write(request: Asked, call: Call, message: str) -> Response[OfUser]:
    outcome = await gate.one(gate.platform_of(request), call)
    found = await shown(request, [] if outcome.record is None else [outcome.record])
    if not found:
        raise NotFound("User not found")
    return gate.answer(OfUser(message, found[0]), seq=outcome.seq)


@post(
    "/cdp/api/v1/user",
    guards=[asking.allow("records.write")],
    status_code=200,
    tags=["yellow.ai"],
    summary="Create a user",
    operation_class=with_body({**BODY, "required": ["userId"]}, ASHA),
    responses=asking.refusals(413),
    exception_handlers=asking.REFUSE,
)
async def create(request: Asked, bot: Bot = None) -> Response[OfUser]:  # noqa: ARG001 - read by the guard
    """An existing userId is updated: what is given replaces, lists too; the rest stays."""
    body = await asking.body_of(request)
    call = asking.call(
        request,
        user_id=translate.user_id_of(body),
        properties=translate.properties_of(body),
        complete=True,
    )
    return await _write(request, call, "User created successfully")


@put(
    "/cdp/api/v1/user/{user_id:str}",
    guards=[asking.allow("records.write")],
    tags=["yellow.ai"],
    summary="Update a user",
    operation_class=with_body(BODY, {"firstName": "Asha", "tags": ["vip"]}),
    responses=asking.refusals(404, 413),
    exception_handlers=asking.REFUSE,
)
async def update(request: Asked, user_id: FromPath[str], bot: Bot = None) -> Response[OfUser]:  # noqa: ARG001 - read by the guard
    """What is given replaces, lists too; the rest stays. 404 when nobody has this userId."""
    body = await asking.body_of(request)
    if "userId" in body and translate.user_id_of(body).strip() != user_id.strip():
        raise Invalid.at("userId", "userId is never edited; it must be the one in the path")
    call = asking.call(
        request,
        user_id=user_id,
        properties=translate.properties_of(body),
        if_missing="refuse",
    )
    return await _write(request, call, "User updated successfully")


@delete(
    "/cdp/api/v1/user/{user_id:str}",
    guards=[asking.allow("records.delete")],
    status_code=200,
    tags=["yellow.ai"],
    summary="Delete a user",
    responses=asking.refusals(404),
    exception_handlers=asking.REFUSE,
)
async def remove(request: Asked, user_id: FromPath[str], bot: Bot = None) -> Response[Done]:  # noqa: ARG001 - read by the guard
    """The user and all its events are gone."""
    call = asking.call(request, verb=Verb.DELETE, user_id=user_id)
    outcome = await gate.one(gate.platform_of(request), call)
    return gate.answer(Done("User deleted successfully"), seq=outcome.seq)


@get(
    "/cdp/api/v1/user/{user_id:str}",
    guards=[asking.allow("records.read")],
    tags=["yellow.ai"],
    summary="Read a user",
    responses=asking.refusals(404),
    exception_handlers=asking.REFUSE,
)
async def read(
    request: Asked,
    user_id: FromPath[str],
    bot: Bot = None,  # noqa: ARG001 - read by the guard
    properties: Annotated[
        str | None, QueryParameter(description="names, with commas between; empty means all")
    ] = None,
    all_properties: Annotated[
        Whether, QueryParameter(name="allProperties", description="all, whatever is named")
    ] = None,
    with_user_id: Annotated[
        Whether,
        QueryParameter(name="userId", description="whether to include it; it is, by itself"),
    ] = None,
) -> Response[OfUser]:
    """What was last written."""
    found = await shown(request, [await number_of(request, user_id)])
    if not found:
        raise NotFound("User not found")
    names = [name.strip() for name in (properties or "").split(",") if name.strip()] or None
    if all_properties in ("true", "yes"):
        names = None
    catalogue = gate.actor_of(request).workspace.catalogue
    kept = translate.chosen(found[0], names, with_user_id not in ("false", "no"), catalogue)
    return gate.answer(OfUser("Fetched user successfully", kept))


@get(
    "/cdp/api/v1/user",
    guards=[asking.allow("records.read")],
    tags=["yellow.ai"],
    summary="List users",
    responses=asking.refusals(),
    exception_handlers=asking.REFUSE,
)
async def list_users(
    request: Asked,
    bot: Bot = None,  # noqa: ARG001 - read by the guard
    offset: Annotated[int, QueryParameter(ge=0, le=2**40, description="how many to leave out")] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=1_000, description="how many at most")] = 100,
) -> Response[OfUsers]:
    """In the order they were made, those without a userId too."""
    workspace = gate.actor_of(request).workspace
    numbers = await gate.read(
        gate.platform_of(request),
        lambda c: listing.numbers(c, workspace.id, offset, limit),
    )
    return gate.answer(OfUsers("Fetched users successfully", await shown(request, numbers)))


async def number_of(request: Asked, user_id: str) -> int:
    """The living record of a userId, or of the `<bot>_<userId>` it is answered with.

    Raises `NotFound`.
    """
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    own = user_id.strip()
    names = [own, own[len(workspace.name) + 1 :]]
    if not own.startswith(f"{workspace.name}_"):
        names.pop()

    def find(connection: Connection) -> set[int]:
        numbers = [identity_store.of_user(connection, workspace.id, name) for name in names]
        found = next((n for n in numbers if n is not None), None)
        given = [] if found is None else [found]
        return identity_store.roots_of(connection, platform.ledger.dialect, given)

    for number in await gate.read(platform, find):
        return number
    raise NotFound("User not found")


ROUTES: list[Any] = [create, read, list_users, update, remove]
