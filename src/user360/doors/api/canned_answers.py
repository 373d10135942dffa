"""Canned answers: what agents often say."""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.params import FromPath, JSONBody

from user360 import clock
from user360.conversations import canned
from user360.doors import gate
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Moment
from user360.errors import NotFound

FIRST = {"answer_id": 1}


class NewCanned(Body):
    """An answer that is often given; `{{{user.firstName|there}}}` is filled in."""

    name: str
    text: str


class ShownCanned(Answer):
    """An answer that is often given."""

    id: int
    name: str
    text: str
    updated_at: Moment


class Answers(Answer):
    """All of them, by name."""

    answers: list[ShownCanned]


@operation("GET", "/canned-answers", "inbox.read", "List canned answers", tag="inbox")
async def answers(request: Asked) -> Response[Answers]:
    """By name."""
    workspace = gate.actor_of(request).workspace.id
    found = await gate.read(gate.platform_of(request), lambda c: canned.all_of(c, workspace))
    return gate.answer({"answers": [_canned(each) for each in found]})


def _canned(held: canned.Canned) -> dict[str, Any]:
    return {
        "id": held.id,
        "name": held.name,
        "text": held.text,
        "updatedAt": clock.to_iso(held.updated_at),
    }


def _one_canned(request: Asked, number: int) -> dict[str, Any]:
    workspace = gate.actor_of(request).workspace.id
    for each in gate.glance(gate.platform_of(request), lambda c: canned.all_of(c, workspace)):
        if each.id == number:
            return _canned(each)
    raise NotFound("There is no such canned answer")


@operation(
    "POST",
    "/canned-answers",
    "inbox.settings",
    "Make a canned answer",
    tag="inbox",
    status=201,
    refuses=(409,),
    example=Example(body={"name": "thanks", "text": "Thank you, {{{user.firstName|dear}}}!"}),
)
async def make_answer(request: Asked, data: JSONBody[NewCanned]) -> Response[ShownCanned]:
    """Its name is what agents look for."""
    number, seq = await gate.change(request, lambda c: canned.make(c, data.name, data.text))
    return gate.answer(_one_canned(request, number), 201, seq)


@operation(
    "PUT",
    "/canned-answers/{answer_id:int}",
    "inbox.settings",
    "Change a canned answer",
    tag="inbox",
    refuses=(404, 409),
    example=Example(path=FIRST, body={"name": "thanks", "text": "Thank you!"}),
)
async def edit_answer(
    request: Asked, answer_id: FromPath[int], data: JSONBody[NewCanned]
) -> Response[ShownCanned]:
    """Name and text are replaced."""
    _, seq = await gate.change(request, lambda c: canned.alter(c, answer_id, data.name, data.text))
    return gate.answer(_one_canned(request, answer_id), seq=seq)


@operation(
    "DELETE",
    "/canned-answers/{answer_id:int}",
    "inbox.settings",
    "Remove a canned answer",
    tag="inbox",
    status=204,
    refuses=(404,),
    example=Example(path=FIRST),
)
async def delete_answer(request: Asked, answer_id: FromPath[int]) -> Response[None]:
    """What was said with it stays said."""
    _, seq = await gate.change(request, lambda c: canned.remove(c, answer_id))
    return gate.answer(None, 204, seq)


ROUTES = [answers, make_answer, edit_answer, delete_answer]
