"""Users and records: one person at a time."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from user360.doors import gate
from user360.doors.api import shapes
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.sessions import Identified, Identify, identified
from user360.doors.api.shapes import Asked, Record
from user360.ingest.call import Call, Verb

ASHA = {"user_id": "asha@example.com"}


class NewUser(Body):
    """A new record; without a userId it is an unidentified one."""

    user_id: str | None = None
    properties: dict[str, Any] = msgspec.field(default_factory=dict)


class Properties(Body):
    """Property values by name; null clears."""

    properties: dict[str, Any]


class Tags(Body):
    """Tags to add and tags to remove; removing wins."""

    add: list[str] = msgspec.field(default_factory=list)
    remove: list[str] = msgspec.field(default_factory=list)


async def write(request: Asked, call: Call) -> Response[Record]:
    """Settle a call and answer the record it ended at: 201 when that is new."""
    outcome = await gate.one(gate.platform_of(request), call)
    record = shapes.record(request, outcome.record)
    return gate.answer(record, 201 if outcome.created else 200, outcome.seq)


@operation(
    "POST",
    "/users",
    "records.write",
    "Create a user",
    tag="users",
    status=201,
    refuses=(409,),
    example=Example(
        body={"userId": "ravi@example.com", "properties": {"firstName": "Ravi", "city": "Pune"}}
    ),
)
async def create(request: Asked, data: JSONBody[NewUser]) -> Response[Record]:
    """Refused with 409 when the userId exists. Required properties must be given."""
    call = shapes.call(
        request,
        user_id=data.user_id,
        properties=data.properties,
        if_exists="refuse",
        complete=True,
    )
    return await write(request, call)


@operation(
    "GET",
    "/users/{user_id:str}",
    "records.read",
    "Read a user",
    tag="users",
    refuses=(404,),
    example=Example(path=ASHA),
)
async def read(request: Asked, user_id: FromPath[str]) -> Response[Record]:
    """What was last written, from the ledger: it needs no `X-User360-Min-Seq`."""
    number = shapes.number_of_user(request, user_id)
    return gate.answer(shapes.record(request, number))


@operation(
    "PUT",
    "/users/{user_id:str}",
    "records.write",
    "Create or update a user",
    tag="users",
    example=Example(path=ASHA, body={"properties": {"city": "Mumbai"}}),
)
async def put(
    request: Asked, user_id: FromPath[str], data: JSONBody[Properties]
) -> Response[Record]:
    """201 when the user is new, else 200. What is given is written, the rest stays as it is."""
    call = shapes.call(request, user_id=user_id, properties=data.properties, complete=True)
    return await write(request, call)


@operation(
    "PATCH",
    "/users/{user_id:str}",
    "records.write",
    "Update a user",
    tag="users",
    refuses=(404,),
    example=Example(path=ASHA, body={"properties": {"city": "Pune", "dob": None}}),
)
async def patch(
    request: Asked, user_id: FromPath[str], data: JSONBody[Properties]
) -> Response[Record]:
    """What is given is written, `null` clears, the rest stays as it is."""
    call = shapes.call(request, user_id=user_id, properties=data.properties, if_missing="refuse")
    return await write(request, call)


@operation(
    "DELETE",
    "/users/{user_id:str}",
    "records.delete",
    "Delete a user",
    tag="users",
    status=204,
    refuses=(404,),
    example=Example(path={"user_id": "meera@example.com"}),
)
async def delete(request: Asked, user_id: FromPath[str]) -> Response[None]:
    """The person and its events are gone; its userId may be used again by a new record."""
    call = shapes.call(request, verb=Verb.DELETE, user_id=user_id)
    outcome = await gate.one(gate.platform_of(request), call)
    return gate.answer(None, 204, outcome.seq)


@operation(
    "POST",
    "/users/{user_id:str}/tags",
    "records.write",
    "Add and remove tags",
    tag="users",
    refuses=(404,),
    example=Example(path=ASHA, body={"add": ["vip"], "remove": ["prospect"]}),
)
async def tags(request: Asked, user_id: FromPath[str], data: JSONBody[Tags]) -> Response[Record]:
    """Tags keep the order in which they were added."""
    call = shapes.call(
        request,
        user_id=user_id,
        add_tags=tuple(data.add),
        remove_tags=tuple(data.remove),
        if_missing="refuse",
    )
    return await write(request, call)


@operation(
    "GET",
    "/records/{record_id:str}",
    "records.read",
    "Read a record",
    tag="records",
    refuses=(404,),
    example=Example(path={"record_id": "r1"}),
)
async def read_record(request: Asked, record_id: FromPath[str]) -> Response[Record]:
    """By its own id, identified or not; the id of a merged record answers with its survivor."""
    number = shapes.number_of(gate.actor_of(request).workspace, record_id)
    return gate.answer(shapes.record(request, number))


@operation(
    "PATCH",
    "/records/{record_id:str}",
    "records.write",
    "Update a record",
    tag="records",
    refuses=(404,),
    example=Example(path={"record_id": "r1"}, body={"properties": {"language": "hi"}}),
)
async def patch_record(
    request: Asked, record_id: FromPath[str], data: JSONBody[Properties]
) -> Response[Record]:
    """What is given is written, `null` clears, the rest stays as it is."""
    number = shapes.number_of(gate.actor_of(request).workspace, record_id)
    call = shapes.call(request, record=number, properties=data.properties)
    return await write(request, call)


@operation(
    "POST",
    "/records/{record_id:str}/identify",
    "records.write",
    "Give a record a userId",
    tag="records",
    refuses=(404, 409),
    example=Example(path={"record_id": "r2"}, body={"userId": "ravi@example.com"}),
)
async def identify_record(
    request: Asked, record_id: FromPath[str], data: JSONBody[Identify]
) -> Response[Identified]:
    """Says who an unidentified record is, as identifying its session would.

    `outcome` is `assigned`, `merged` (into the user who has that userId) or `unchanged`; 409 when
    it has another userId.
    """
    number = shapes.number_of(gate.actor_of(request).workspace, record_id)
    call = shapes.call(request, record=number, user_id=data.user_id)
    return identified(request, await gate.one(gate.platform_of(request), call))


@operation(
    "DELETE",
    "/records/{record_id:str}",
    "records.delete",
    "Delete a record",
    tag="records",
    status=204,
    refuses=(404,),
    example=Example(path={"record_id": "r3"}),
)
async def delete_record(request: Asked, record_id: FromPath[str]) -> Response[None]:
    """The whole person behind this id, with all that was merged into it."""
    number = shapes.number_of(gate.actor_of(request).workspace, record_id)
    call = shapes.call(request, verb=Verb.DELETE, record=number)
    outcome = await gate.one(gate.platform_of(request), call)
    return gate.answer(None, 204, outcome.seq)


ROUTES = [
    create,
    read,
    put,
    patch,
    delete,
    tags,
    read_record,
    patch_record,
    identify_record,
    delete_record,
]
