"""What agents and bots do to conversations: answer, note, assign, resolve, hand over."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from user360.channels.email import recipients
from user360.conversations import talk
from user360.conversations.deeds import Deed
from user360.doors import gate
from user360.doors.api import spoken
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Asked
from user360.doors.api.spoken import (
    FIRST,
    Answered,
    ByTemplate,
    Conversation,
    Files,
    Kind,
    Priority,
    Whose,
)
from user360.errors import Invalid

Tags = Annotated[list[str], msgspec.Meta(max_length=100)]
Copies = Annotated[list[str], msgspec.Meta(max_length=recipients.MOST)]
Skills = Annotated[list[str], msgspec.Meta(max_length=20)]


class Reply(Body):
    """What an agent says. Sent twice with the same `id` it is said once.

    `agent` is on whose behalf a key answers, by number or e-mail address. On WhatsApp a `template`
    may be said instead of text and attachments, and has to be after the time `replyUntil`. By
    e-mail a copy goes to the addresses in `cc`; nobody else in the thread gets the answer.
    """

    text: str = ""
    template: ByTemplate | None = None
    attachments: Files = msgspec.field(default_factory=list)
    id: str | None = None
    agent: Whose | None = None
    cc: Copies = msgspec.field(default_factory=list)


class Assignment(Body):
    """To whom: a member, by number or e-mail address, a group, or neither: as the settings say.

    With `ifFree` only where nobody has it yet.
    """

    assignee: Whose | None = None
    group: int | None = None
    if_free: bool = False


class Resolution(Body):
    """Why it ends, and tags for it."""

    reason: str = ""
    tags: Tags = msgspec.field(default_factory=list)


class HandOver(Body):
    """To whom a bot hands over, as far as it knows; `kind` makes a ticket of a chat."""

    group: int | None = None
    skills: Skills = msgspec.field(default_factory=list)
    kind: Kind | None = None
    subject: str | None = None


class NewState(Body):
    """Where a ticket stands from now on."""

    state: Literal["open", "pending", "onHold", "solved", "closed"]
    reason: str = ""


class Edit(Body):
    """Subject, priority, and tags to add and to remove."""

    subject: str | None = None
    priority: Priority | None = None
    add_tags: Tags = msgspec.field(default_factory=list)
    remove_tags: Tags = msgspec.field(default_factory=list)


@operation(
    "POST",
    "/conversations/{conversation_id:str}/reply",
    "inbox.write",
    "Answer the customer",
    tag="conversations",
    refuses=(404, 409),
    example=Example(path=FIRST, body={"text": "It is on its way.", "id": "a-1"}),
)
async def reply(
    request: Asked, conversation_id: FromPath[str], data: JSONBody[Reply]
) -> Response[Answered]:
    """As an agent: a member who answers what nobody has, has it from then on.

    It is brought to the customer by the channel. 409 where the conversation has ended, and on
    WhatsApp for anything but a template when the customer wrote more than 24 hours ago.
    """
    return await _said(request, conversation_id, data, talk.AGENT)


@operation(
    "POST",
    "/conversations/{conversation_id:str}/notes",
    "inbox.write",
    "Leave a note",
    tag="conversations",
    refuses=(404,),
    example=Example(path=FIRST, body={"text": "Called the courier."}),
)
async def note(
    request: Asked, conversation_id: FromPath[str], data: JSONBody[Reply]
) -> Response[Answered]:
    """Only those who see the conversation here see it, never the customer."""
    return await _said(request, conversation_id, data, talk.NOTE)


async def _said(request: Asked, text: str, data: Reply, sender: str) -> Response[Any]:
    held, actor = spoken.held(request, text), gate.actor_of(request)
    number, author = held.id, actor.ref
    if data.agent is not None:
        if actor.sign_in is not None:
            raise Invalid.at("agent", "a member answers as themselves")
        author = f"member:{spoken.member(request, data.agent, 'agent')}"
    if data.cc and sender == talk.NOTE:
        raise Invalid.at("cc", "A note goes to nobody; copies go with answers")
    copies = recipients.checked(actor.workspace, held.channel, data.cc)
    filled = None
    if data.template is not None:
        if sender == talk.NOTE:
            raise Invalid.at("template", "A note is a text; templates go to customers")
        spoken.need_alone(data.text, data.attachments)
        platform, workspace = gate.platform_of(request), actor.workspace
        known = spoken.known_of(platform, workspace, held.record)
        where = (platform, workspace, held.channel)
        filled = spoken.by_template(*where, data.template, known, author)
    said = talk.Said(
        sender=sender,
        text=data.text if filled is None else filled.text,
        attachments=spoken.attachments(data.attachments),
        id=data.id,
        author=author,
        detail={recipients.COPIES: copies} if copies else {} if filled is None else filled.detail,
    )
    call = spoken.call(request, ref=author, conversation=number, said=said)
    outcome = await gate.one(gate.platform_of(request), call)
    told = {
        "message": spoken.message(request, outcome.message),
        "conversation": spoken.read(request, outcome.conversation),
    }
    return gate.answer(told, seq=outcome.seq)


@operation(
    "POST",
    "/conversations/{conversation_id:str}/assign",
    "inbox.write",
    "Assign a conversation",
    tag="conversations",
    refuses=(404, 409),
    example=Example(path=FIRST, body={"group": None, "assignee": None}),
)
async def assign(
    request: Asked, conversation_id: FromPath[str], data: JSONBody[Assignment]
) -> Response[Conversation]:
    """409 where it has ended, or with `ifFree` where somebody else has it."""
    number = spoken.number_of(request, conversation_id)
    assignee = None
    if data.assignee is not None:
        assignee = spoken.member(request, data.assignee, "assignee")
    deed = {"assignee": assignee, "group": data.group, "if_free": data.if_free}
    return await _done(request, number, action="assign", **deed)


@operation(
    "POST",
    "/conversations/{conversation_id:str}/resolve",
    "inbox.write",
    "Resolve a conversation",
    tag="conversations",
    refuses=(404, 409),
    example=Example(path=FIRST, body={"reason": "answered", "tags": ["delivery"]}),
)
async def resolve(
    request: Asked, conversation_id: FromPath[str], data: JSONBody[Resolution]
) -> Response[Conversation]:
    """A chat is resolved, a ticket solved. 409 where it has ended already."""
    number = spoken.number_of(request, conversation_id)
    given = {"reason": data.reason, "add_tags": tuple(data.tags)}
    return await _done(request, number, action="resolve", **given)


@operation(
    "POST",
    "/conversations/{conversation_id:str}/reopen",
    "inbox.write",
    "Reopen a conversation",
    tag="conversations",
    refuses=(404, 409),
    example=Example(path={"conversation_id": "c2"}),
)
async def reopen(request: Asked, conversation_id: FromPath[str]) -> Response[Conversation]:
    """Whoever had it has it again. 409 where it has not ended, or another has begun since."""
    return await _done(request, spoken.number_of(request, conversation_id), action="reopen")


@operation(
    "POST",
    "/conversations/{conversation_id:str}/handover",
    "inbox.write",
    "Hand over to agents",
    tag="conversations",
    refuses=(404, 409),
    example=Example(path=FIRST, body={"kind": "ticket", "subject": "A parcel is late"}),
)
async def hand_over(
    request: Asked, conversation_id: FromPath[str], data: JSONBody[HandOver]
) -> Response[Conversation]:
    """By the bot that has it; where an agent has it, or it waits for one, nothing is done."""
    number = spoken.number_of(request, conversation_id)
    given = {
        "group": data.group,
        "skills": tuple(data.skills),
        "kind": data.kind or "",
        "subject": data.subject,
    }
    return await _done(request, number, action="hand_over", **given)


@operation(
    "POST",
    "/conversations/{conversation_id:str}/bot",
    "inbox.write",
    "Give a conversation to the bot",
    tag="conversations",
    refuses=(404, 409),
    example=Example(path=FIRST),
)
async def to_bot(request: Asked, conversation_id: FromPath[str]) -> Response[Conversation]:
    """Nobody has it from then on but the bot of its channel."""
    return await _done(request, spoken.number_of(request, conversation_id), action="bot")


@operation(
    "POST",
    "/conversations/{conversation_id:str}/state",
    "inbox.write",
    "Move a ticket",
    tag="conversations",
    refuses=(404, 409),
    example=Example(path={"conversation_id": "c3"}, body={"state": "onHold"}),
)
async def move(
    request: Asked, conversation_id: FromPath[str], data: JSONBody[NewState]
) -> Response[Conversation]:
    """Only a ticket is moved from state to state."""
    number = spoken.number_of(request, conversation_id)
    given = {"state": data.state, "reason": data.reason}
    return await _done(request, number, action="state", **given)


@operation(
    "PATCH",
    "/conversations/{conversation_id:str}",
    "inbox.write",
    "Change subject, priority and tags",
    tag="conversations",
    refuses=(404,),
    example=Example(path=FIRST, body={"priority": "high", "addTags": ["delivery"]}),
)
async def edit(
    request: Asked, conversation_id: FromPath[str], data: JSONBody[Edit]
) -> Response[Conversation]:
    """What is given is changed; tags keep the order in which they were added."""
    number = spoken.number_of(request, conversation_id)
    given = {
        "subject": data.subject,
        "priority": data.priority,
        "add_tags": tuple(data.add_tags),
        "remove_tags": tuple(data.remove_tags),
    }
    return await _done(request, number, action="edit", **given)


async def _done(request: Asked, number: int, **given: Any) -> Response[Any]:
    """Do a deed to a conversation; what it is then."""
    deed = Deed(by=gate.actor_of(request).ref, **given)
    call = spoken.call(request, conversation=number, deed=deed)
    outcome = await gate.one(gate.platform_of(request), call)
    return gate.answer(spoken.read(request, number), seq=outcome.seq)


ROUTES = [reply, note, assign, resolve, reopen, hand_over, to_bot, move, edit]
