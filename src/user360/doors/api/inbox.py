"""How the inbox is set: its settings, who answers, and in which groups."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from user360 import clock
from user360.conversations import managing
from user360.conversations.desk import Agent, Hours, InboxSettings
from user360.doors import gate
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Moment
from user360.errors import NotFound

Availability = Literal["available", "busy", "away"]
GROUP = {"group_id": 1}
AGENT = {"agent_id": 1}


class Hour(Body):
    """When somebody answers on one day of the week: 1 is Monday; minutes after midnight."""

    day: int
    start: int
    end: int


class InboxEdit(Body):
    """Settings of the inbox; what is not given stays as it is."""

    assignment: Literal["roundRobin", "leastBusy", "manual"] | None = None
    sticky: bool | None = None
    queue_limit: int | None = None
    queue_minutes: int | None = None
    hours: list[Hour] | None = None
    idle_minutes: int | None = None
    close_days: int | None = None
    away_after: int | None = None
    reassign_after: int | None = None
    proof: Literal["claim", "proof"] | None = None


class Inbox(Answer):
    """How conversations are given out.

    `queueLimit` is how many may wait (0: any number), `queueMinutes` for how long (0: for ever).
    `hours` are empty for always, in the workspace's time zone. A chat with the bot ends after
    `idleMinutes` (0: never), a solved ticket is closed after `closeDays`. `proof` is what it takes
    to join an existing record in a conversation. Whose inbox was closed is away after `awayAfter`
    minutes (0: never), and what waits for them goes to somebody else after `reassignAfter` more
    (0: never).
    """

    assignment: Literal["roundRobin", "leastBusy", "manual"]
    sticky: bool
    queue_limit: int
    queue_minutes: int
    hours: list[Hours]
    idle_minutes: int
    close_days: int
    proof: Literal["claim", "proof"]
    away_after: int
    reassign_after: int


class AgentEdit(Body):
    """What is set of an agent: `capacity` is how many chats at once, `groups` are numbers."""

    availability: Availability | None = None
    capacity: int | None = None
    skills: Annotated[list[str], msgspec.Meta(max_length=100)] | None = None
    groups: Annotated[list[int], msgspec.Meta(max_length=1_000)] | None = None


class ShownAgent(Answer):
    """A member who may answer: how many chats at once, in which groups, with which skills.

    `leftAt` is since when they are away because their inbox was closed, not because they said so.
    """

    member: int
    name: str
    email: str
    role: str
    availability: Availability
    left_at: Moment | None
    capacity: int
    groups: list[int]
    skills: list[str]


class Agents(Answer):
    """Everybody who may answer."""

    agents: list[ShownAgent]


class NewGroup(Body):
    """A group of agents by its name."""

    name: str


class ShownGroup(Answer):
    """Agents who answer together; `members` are their numbers."""

    id: int
    name: str
    members: list[int]


class Groups(Answer):
    """All groups, by name."""

    groups: list[ShownGroup]


@operation("GET", "/inbox", "inbox.read", "Read the inbox's settings", tag="inbox")
async def read(request: Asked) -> Response[Inbox]:
    """How conversations are given out, and what ends them."""
    return gate.answer(_settings(gate.actor_of(request).workspace.desk.settings))


def _settings(settings: InboxSettings) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(settings)
    return told


@operation(
    "PATCH",
    "/inbox",
    "inbox.settings",
    "Change the inbox's settings",
    tag="inbox",
    example=Example(
        body={"assignment": "roundRobin", "hours": [{"day": 1, "start": 540, "end": 1020}]}
    ),
)
async def change(request: Asked, data: JSONBody[InboxEdit]) -> Response[Inbox]:
    """What is given is changed, from the next conversation on."""
    given = {
        field.encode_name: value
        for field in msgspec.structs.fields(InboxEdit)
        if (value := getattr(data, field.name)) is not None
    }
    if "hours" in given:
        given["hours"] = msgspec.to_builtins(given["hours"])
    settings, seq = await gate.change(request, lambda c: managing.set_inbox(c, given))
    return gate.answer(_settings(settings), seq=seq)


@operation("GET", "/agents", "inbox.read", "List agents", tag="inbox")
async def agents(request: Asked) -> Response[Agents]:
    """The members whose role lets them answer, by number."""
    held = gate.actor_of(request).workspace.desk.agents
    return gate.answer({"agents": [_agent(request, held[number]) for number in sorted(held)]})


def _agent(request: Asked, agent: Agent) -> dict[str, Any]:
    member = gate.platform_of(request).members.get(agent.member)
    workspace = gate.actor_of(request).workspace
    return {
        "member": agent.member,
        "name": "" if member is None else member.name,
        "email": "" if member is None else member.email,
        "role": "" if member is None else member.roles.get(workspace.id, ""),
        "availability": agent.availability,
        "leftAt": None if agent.left_at is None else clock.to_iso(agent.left_at),
        "capacity": agent.capacity,
        "groups": sorted(agent.groups),
        "skills": sorted(agent.skills),
    }


@operation(
    "PATCH",
    "/agents/{agent_id:int}",
    "inbox.settings",
    "Change an agent",
    tag="inbox",
    refuses=(404,),
    example=Example(
        path=AGENT, body={"availability": "available", "capacity": 3, "skills": ["returns"]}
    ),
)
async def set_agent(
    request: Asked, agent_id: FromPath[int], data: JSONBody[AgentEdit]
) -> Response[ShownAgent]:
    """From the next conversation on. Whether they are there, members set in the inbox."""
    _, seq = await gate.change(
        request,
        lambda c: managing.set_agent(
            c,
            agent_id,
            availability=data.availability,
            capacity=data.capacity,
            skills=data.skills,
            groups=data.groups,
        ),
    )
    agent = gate.actor_of(request).workspace.desk.agents.get(agent_id)
    if agent is None:
        raise NotFound("There is no member of this workspace who may answer by this number")
    return gate.answer(_agent(request, agent), seq=seq)


@operation("GET", "/agent-groups", "inbox.read", "List groups of agents", tag="inbox")
async def groups(request: Asked) -> Response[Groups]:
    """By name, with the numbers of their members."""
    held = gate.actor_of(request).workspace.desk.groups.values()
    numbers = [g.id for g in sorted(held, key=lambda g: g.name.lower())]
    return gate.answer({"groups": [_group(request, number) for number in numbers]})


def _group(request: Asked, number: int) -> dict[str, Any]:
    desk = gate.actor_of(request).workspace.desk
    members = sorted(a.member for a in desk.agents.values() if number in a.groups)
    return {"id": number, "name": desk.groups[number].name, "members": members}


@operation(
    "POST",
    "/agent-groups",
    "inbox.settings",
    "Make a group of agents",
    tag="inbox",
    status=201,
    refuses=(409,),
    example=Example(body={"name": "Returns"}),
)
async def make_group(request: Asked, data: JSONBody[NewGroup]) -> Response[ShownGroup]:
    """Who belongs to it is set with each agent."""
    number, seq = await gate.change(request, lambda c: managing.make_group(c, data.name))
    return gate.answer(_group(request, number), 201, seq)


@operation(
    "PATCH",
    "/agent-groups/{group_id:int}",
    "inbox.settings",
    "Rename a group of agents",
    tag="inbox",
    refuses=(404, 409),
    example=Example(path=GROUP, body={"name": "Returns and refunds"}),
)
async def rename_group(
    request: Asked, group_id: FromPath[int], data: JSONBody[NewGroup]
) -> Response[ShownGroup]:
    """Its conversations and members stay."""
    _, seq = await gate.change(request, lambda c: managing.rename_group(c, group_id, data.name))
    return gate.answer(_group(request, group_id), seq=seq)


@operation(
    "DELETE",
    "/agent-groups/{group_id:int}",
    "inbox.settings",
    "Remove a group of agents",
    tag="inbox",
    status=204,
    refuses=(404,),
    example=Example(path=GROUP),
)
async def delete_group(request: Asked, group_id: FromPath[int]) -> Response[None]:
    """Its conversations belong to no group from then on."""
    _, seq = await gate.change(request, lambda c: managing.delete_group(c, group_id))
    return gate.answer(None, 204, seq)


ROUTES = [
    read,
    change,
    agents,
    set_agent,
    groups,
    make_group,
    rename_group,
    delete_group,
]
