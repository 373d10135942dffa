"""The members of a workspace: who may sign in to the pages, and in which role."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from litestar import Response
from litestar.params import FromPath, JSONBody

from user360 import clock
from user360.access import members
from user360.access.change import Change
from user360.access.members import Member
from user360.doors import gate
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Moment

Role = Literal["admin", "editor", "supervisor", "agent", "reader"]
Result = TypeVar("Result")


class Invitation(Body):
    """Whom to make a member, and in which role."""

    email: str
    name: str
    role: Role = "reader"


class MemberEdit(Body):
    """The member's role from now on."""

    role: Role


class ShownMember(Answer):
    """Somebody who may sign in.

    `joined` says that they have a password; a link that was made for them is good until
    `linkUntil`.
    """

    id: int
    email: str
    name: str
    role: Role
    joined: bool
    link_until: Moment | None
    created_at: Moment


class Members(Answer):
    """All members of the workspace."""

    members: list[ShownMember]
    cursor: None = None


class Linked(Answer):
    """A member, and the path at this server where they choose a password, shown this once.

    It is null for somebody who is in another workspace already and signs in as they do there.
    """

    member: ShownMember
    link: str | None


def of_workspace(request: Asked) -> list[Member]:
    """The members of the caller's workspace, by number."""
    workspace = gate.actor_of(request).workspace.id
    return [m for m in gate.platform_of(request).members.values() if workspace in m.roles]


async def change(request: Asked, job: Callable[[Change], Result]) -> tuple[Result, int]:
    """Run a change of members, and take in what came of it, sessions that ended among it."""
    found = await gate.change(request, job)
    await asyncio.to_thread(gate.platform_of(request).reload_members)
    return found


def path_of(secret: str) -> str:
    """Where at this server a link leads."""
    return f"/join/{secret}"


def _shown(request: Asked, number: int) -> ShownMember:
    platform = gate.platform_of(request)
    member, until = platform.members[number], platform.members[number].invited_until
    role: Any = member.roles[gate.actor_of(request).workspace.id]
    good = until is not None and until > platform.clock.now()
    return ShownMember(
        id=member.id,
        email=member.email,
        name=member.name,
        role=role,
        joined=member.password is not None,
        link_until=clock.to_iso(until) if until is not None and good else None,
        created_at=clock.to_iso(member.created_at),
    )


@operation("GET", "/members", "members", "List members", tag="members")
async def listing(request: Asked) -> Response[Members]:
    """Those who may sign in to the pages and look into this workspace."""
    return gate.answer(Members(members=[_shown(request, m.id) for m in of_workspace(request)]))


@operation(
    "POST",
    "/members",
    "members",
    "Invite a member",
    tag="members",
    status=201,
    refuses=(409,),
    example=Example(body={"email": "meera@example.com", "name": "Meera Shah", "role": "editor"}),
)
async def invite(request: Asked, data: JSONBody[Invitation]) -> Response[Linked]:
    """No mail is sent: pass on the link, by which they choose a password within seven days."""
    (number, secret), seq = await change(
        request, lambda c: members.invite(c, data.email, data.name, data.role)
    )
    link = path_of(secret) if secret else None
    return gate.answer(Linked(member=_shown(request, number), link=link), 201, seq)


@operation(
    "PATCH",
    "/members/{member_id:int}",
    "members",
    "Change a member's role",
    tag="members",
    refuses=(404, 409),
    example=Example(path={"member_id": 2}, body={"role": "agent"}),
)
async def edit(
    request: Asked, member_id: FromPath[int], data: JSONBody[MemberEdit]
) -> Response[ShownMember]:
    """From their next click on. The last admin stays one."""
    _, seq = await change(request, lambda c: members.set_role(c, member_id, data.role))
    return gate.answer(_shown(request, member_id), seq=seq)


@operation(
    "DELETE",
    "/members/{member_id:int}",
    "members",
    "Remove a member",
    tag="members",
    status=204,
    refuses=(404, 409),
    example=Example(path={"member_id": 2}),
)
async def remove(request: Asked, member_id: FromPath[int]) -> Response[None]:
    """Their sessions in this workspace end at once. The last admin stays."""
    _, seq = await change(request, lambda c: members.remove(c, member_id))
    return gate.answer(None, 204, seq)


@operation(
    "POST",
    "/members/{member_id:int}/link",
    "members",
    "Make a member a new link",
    tag="members",
    refuses=(403, 404),
    example=Example(path={"member_id": 2}),
)
async def link(request: Asked, member_id: FromPath[int]) -> Response[Linked]:
    """For who lost theirs, or forgot the password, which is good until then; older links end.

    For somebody who is in other workspaces too it takes a key of the default workspace.
    """
    secret, seq = await change(request, lambda c: members.link(c, member_id))
    return gate.answer(Linked(member=_shown(request, member_id), link=path_of(secret)), seq=seq)


ROUTES = [listing, invite, edit, remove, link]
