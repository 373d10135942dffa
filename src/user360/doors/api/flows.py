"""Flows: bots written as YAML, checked by line, and tried without keeping anything."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody, QueryParameter

from user360 import clock
from user360.doors import gate
from user360.doors.api import shapes
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Moment
from user360.errors import Fault, Invalid, Malformed, NotFound
from user360.flows import managing, store, trial
from user360.flows.language import naming, reading
from user360.flows.language.nodes import Flow
from user360.flows.store import Kept
from user360.flows.trial import MOST_MESSAGES, Given

YAML = "text/yaml"
ONE = {"flow": "welcome"}
EXAMPLE = """start: hello
nodes:
  hello:
    message: Hello {{{user.firstName|there}}}!
    next: who
  who:
    identify:
      by: email
      ask: What is your e-mail address?
    next: agents
  agents:
    handOver: {}
"""
Force = Annotated[bool, QueryParameter(description="do it even though a channel begins with it")]
Said = Annotated[list[str], msgspec.Meta(max_length=MOST_MESSAGES)]


class Shown(Answer):
    """A flow: its text, the channels that begin with it, and the names of its secrets."""

    name: str
    text: str
    description: str
    channels: list[str]
    secrets: list[str]
    updated_at: Moment
    updated_by: str


class Listed(Answer):
    """All flows, by name."""

    flows: list[Shown]


class Secrets(Answer):
    """The names of a flow's secrets; what they are is never told."""

    secrets: list[str]


class Trial(Body):
    """What to try with. Without `userId` and `recordId` somebody invented speaks.

    `text` is a flow that is not kept yet; `answers` are what APIs would answer, by the names of the
    nodes that ask; with `calls` the others are really asked.
    """

    messages: Said
    user_id: str | None = None
    record_id: str | None = None
    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    channel: str = "web"
    text: str | None = None
    answers: dict[str, Any] = msgspec.field(default_factory=dict)
    calls: bool = False


class Step(Answer):
    """One thing that was said (`customer`, `bot`) or would be done (`set`, `handOver`, ...)."""

    kind: str
    text: str
    detail: dict[str, Any]


class Tried(Answer):
    """What would be said and done; `at` is the node that waits then, null when the flow is done.

    `gaveUp` is why it handed over without being told to.
    """

    steps: list[Step]
    at: str | None
    gave_up: str | None
    variables: dict[str, Any]


@operation("GET", "/flows", "flows.read", "List flows", tag="flows")
async def listing(request: Asked) -> Response[Listed]:
    """Each with its text and the channels that begin with it."""
    workspace = gate.actor_of(request).workspace
    found = await gate.read(gate.platform_of(request), lambda c: store.all_flows(c, workspace.id))
    return gate.answer(Listed(flows=[shown(request, each) for each in found]))


@operation(
    "GET",
    "/flows/{flow:str}",
    "flows.read",
    "Read a flow",
    tag="flows",
    refuses=(404,),
    gives=(YAML,),
    example=Example(path=ONE),
)
async def read(request: Asked, flow: FromPath[str]) -> Response[str]:
    """As it was written."""
    return Response((await kept(request, flow)).text, media_type=YAML)


@operation(
    "PUT",
    "/flows/{flow:str}",
    "flows.write",
    "Write a flow",
    tag="flows",
    refuses=(409,),
    reads=YAML,
    example=Example(path=ONE, body=EXAMPLE),
)
async def put(request: Asked, flow: FromPath[str]) -> Response[Shown]:
    """YAML in the place of what was there; each error names its line.

    Conversations that it answers already go on with it as it is now.
    """
    text = written(await request.body())
    vault = gate.platform_of(request).vault
    made, seq = await gate.change(request, lambda c: managing.put(c, vault, flow, text))
    return gate.answer(shown(request, made), seq=seq)


def written(body: bytes) -> str:
    """The text of a body. Raises `Malformed`."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed("The body is not UTF-8") from error


@operation(
    "DELETE",
    "/flows/{flow:str}",
    "flows.write",
    "Delete a flow",
    tag="flows",
    status=204,
    refuses=(404, 409),
    example=Example(path={"flow": "farewell"}),
)
async def delete(request: Asked, flow: FromPath[str], force: Force = False) -> Response[None]:
    """Refused while a channel begins with it; with `force` its conversations go to agents."""
    _, seq = await gate.change(request, lambda c: managing.delete(c, flow, force))
    return gate.answer(None, 204, seq)


@operation(
    "PATCH",
    "/flows/{flow:str}/secrets",
    "flows.write",
    "Change the secrets of a flow",
    tag="flows",
    refuses=(404,),
    example=Example(path=ONE, body={"shopToken": "sk_live_1"}),
)
async def set_secrets(
    request: Asked, flow: FromPath[str], data: JSONBody[dict[str, Any]]
) -> Response[Secrets]:
    """For the headers of its calls, `{{{secret.shopToken}}}`; null takes one away."""
    vault = gate.platform_of(request).vault
    names, seq = await gate.change(request, lambda c: managing.set_secrets(c, vault, flow, data))
    return gate.answer(Secrets(secrets=names), seq=seq)


@operation(
    "POST",
    "/flows/{flow:str}/try",
    "flows.read",
    "Try a flow",
    tag="flows",
    writes=False,
    refuses=(404,),
    example=Example(path=ONE, body={"messages": ["Hi", "asha@example.com"]}),
)
async def attempt(request: Asked, flow: FromPath[str], data: JSONBody[Trial]) -> Response[Tried]:
    """A dry conversation: nothing is kept, nobody is identified, no code is sent.

    Without any messages it only checks the flow.
    Asking APIs really (`calls`) takes the role to write flows.
    """
    actor, platform = gate.actor_of(request), gate.platform_of(request)
    if data.calls:
        gate.permit(actor, "flows.write")
    found = await _one(request, flow)
    if found is None and data.text is None:
        raise NotFound("There is no flow of this name")
    secrets = {} if found is None else managing.secrets_in(found.secrets, platform.vault)
    meant = _flow(request, data.text if data.text is not None else _text(found), secrets)
    given = Given(
        messages=data.messages,
        record=_record(request, data),
        properties=data.properties,
        channel=data.channel,
        answers=data.answers,
        calls=data.calls,
    )
    tried = await trial.attempt(platform, actor.workspace, meant, given, secrets)
    return gate.answer(
        Tried(
            steps=[Step(**msgspec.structs.asdict(each)) for each in tried.steps],
            at=tried.at,
            gave_up=tried.gave_up or None,
            variables=tried.variables,
        )
    )


def _text(found: Kept | None) -> str:
    return "" if found is None else found.text


def _flow(request: Asked, text: str, secrets: dict[str, str]) -> Flow:
    flow, troubles = naming.checked(text, gate.actor_of(request).workspace, secrets)
    if flow is None or troubles:
        raise reading.refused(troubles)
    return flow


def _record(request: Asked, data: Trial) -> int | None:
    """The record of whom it is tried with. Raises `Invalid`, `NotFound`."""
    if data.user_id is not None and data.record_id is not None:
        fault = Fault("recordId", "invalid", "give userId or recordId, not both")
        raise Invalid(fault.message, faults=[fault])
    if data.user_id is not None:
        return shapes.number_of_user(request, data.user_id)
    if data.record_id is None:
        return None
    number = shapes.number_of(gate.actor_of(request).workspace, data.record_id)
    shapes.record(request, number)
    return number


async def _one(request: Asked, name: str) -> Kept | None:
    managing.need_name(name)
    workspace = gate.actor_of(request).workspace
    return await gate.read(gate.platform_of(request), lambda c: store.one(c, workspace.id, name))


async def kept(request: Asked, name: str) -> Kept:
    """A flow as it is kept. Raises `NotFound`."""
    found = await _one(request, name)
    if found is None:
        raise NotFound("There is no flow of this name")
    return found


def shown(request: Asked, found: Kept) -> Shown:
    """A flow as the API shows it."""
    flow, _, _ = reading.read(found.text)
    return Shown(
        name=found.name,
        text=found.text,
        description="" if flow is None else flow.description,
        channels=managing.used_by(gate.actor_of(request).workspace, found.name),
        secrets=sorted(managing.names_of(found, gate.platform_of(request).vault)),
        updated_at=clock.to_iso(found.updated_at),
        updated_by=found.updated_by,
    )


ROUTES = [listing, read, put, delete, set_secrets, attempt]
