"""What is answered of conversations, and whose they are: the same shapes on every route."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from litestar.params import QueryParameter

from user360 import clock, ids
from user360.access.workspaces import Workspace
from user360.channels.whatsapp import templates
from user360.channels.whatsapp.templates import Chosen, Filled
from user360.conversations import reading, scope, shown, talk, window
from user360.conversations.reading import Place
from user360.conversations.scope import Scope
from user360.conversations.talk import Attachment
from user360.doors import gate
from user360.doors.api import members, shapes
from user360.doors.api.bodies import Body
from user360.doors.api.shapes import Answer, Asked, Moment, Record
from user360.errors import Fault, Forbidden, Invalid, NotFound
from user360.identity import people
from user360.inbox import finding
from user360.inbox.finding import Found, Sought
from user360.ingest.call import Call
from user360.platform import Platform
from user360.segments import conditions
from user360.segments.store import Segment
from user360.storage.ledger import Connection, Dialect

Kind = Literal["chat", "ticket"]
State = Literal[
    "bot",
    "queued",
    "open",
    "assigned",
    "pending",
    "onHold",
    "resolved",
    "solved",
    "missed",
    "closed",
]
Sender = Literal["customer", "bot", "agent", "note"]
Priority = Literal["low", "normal", "high", "urgent"]
AtMost = Annotated[int, QueryParameter(ge=1, le=200, description="how many to answer at most")]
FIRST = {"conversation_id": "c1"}
# A member by number or e-mail address.
Whose = int | str


class File(Body):
    """A file said with a message: one that was uploaded, by `id`, or one elsewhere, by `url`."""

    id: str = ""
    url: str = ""
    name: str = ""
    type: str = "application/octet-stream"


Files = Annotated[list[File], msgspec.Meta(max_length=talk.MOST_ATTACHMENTS)]


class ByTemplate(Body):
    """A template of the channel whatsapp, said instead of a text.

    `language` may be left out where the template is there in one alone. `parameters` fill its
    places in their order, and may themselves hold `{{{user.firstName|there}}}`.
    """

    name: str
    language: str = ""
    parameters: Annotated[list[str], msgspec.Meta(max_length=templates.MOST_PARAMETERS)] = (
        msgspec.field(default_factory=list)
    )


class Attached(Answer):
    """A file said with a message; one of `id` and `url` is empty. `size` is in bytes."""

    id: str
    name: str
    type: str
    size: int
    url: str


class Message(Answer):
    """One thing that was said.

    `author` names the member (`member:3`), key or flow behind it. `delivery` is how far it is on
    its way to the customer, empty where nothing is known; `error` why it failed. `detail` is what
    its channel told besides.
    """

    id: str
    conversation_id: str
    from_: Sender = msgspec.field(name="from")
    author: str
    text: str
    attachments: list[Attached]
    timestamp: Moment
    received_at: Moment
    delivery: Literal["", "queued", "sent", "delivered", "read", "failed"]
    error: str
    detail: dict[str, Any]


class Conversation(Answer):
    """The messages of one session from start to end.

    `assignee` is the number of the member who has it, `group` that of a group of agents. The
    customer waits for an answer since `waitingSince`, and for an agent since `queuedAt`.
    After `replyUntil` the channel takes templates alone; null where there is no such time, which
    on WhatsApp says that they have not written yet.
    """

    id: str
    channel: str
    session: str
    record_id: str | None
    kind: Kind
    state: State
    subject: str
    priority: Priority
    group: int | None
    skills: list[str]
    assignee: int | None
    tags: list[str]
    reason: str
    messages: int
    last_from: str
    last_text: str
    created_at: Moment
    updated_at: Moment
    waiting_since: Moment | None
    queued_at: Moment | None
    assigned_at: Moment | None
    first_reply_at: Moment | None
    ended_at: Moment | None
    reply_until: Moment | None


class Said(Answer):
    """A message that was kept, its conversation, and whom it is about."""

    message: Message
    conversation_id: str
    record: Record


class Answered(Answer):
    """A message that was kept, and its conversation as it is now."""

    message: Message
    conversation: Conversation


async def found(
    request: Asked,
    sought: Sought,
    segment: Segment | None,
    limit: int,
    after: Place | None = None,
) -> Found:
    """One page of the conversations that are sought, of a segment's members when one is given.

    Of a segment that cannot be evaluated these are its last members. Raises `InvalidCondition`
    when it has none.
    """
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    if segment is not None and members.kept(request, segment):
        sought = msgspec.structs.replace(sought, stored=segment.id)
    elif segment is not None:
        whole = members.both(conditions.node_of(segment, workspace), sought.whose)
        sought = msgspec.structs.replace(sought, whose=whole)
    given = (platform, workspace, sought, limit, after)
    if not sought.of_people:
        return await asyncio.to_thread(finding.find, *given)
    among = [] if segment is None else [segment]
    return await members.ask(request, among, lambda warehouse: finding.find(*given, warehouse))


def attachments(files: Sequence[File]) -> tuple[Attachment, ...]:
    """The files as a message holds them; what was uploaded is told as it was by the writer."""
    return tuple(
        Attachment(each.name or (each.id and "file"), each.type, 0, each.id, each.url)
        for each in files
    )


def by_template(
    platform: Platform,
    workspace: Workspace,
    channel: str,
    given: ByTemplate,
    known: Mapping[str, Any],
    author: str,
) -> Filled:
    """What a template says to somebody of whom this is known. Raises `Invalid`."""
    kind, _, number = author.partition(":")
    member = platform.members.get(int(number)) if kind == "member" else None
    chosen = Chosen(given.name, given.language, given.parameters)
    agent = "" if member is None else member.name
    return templates.fill(workspace, channel, chosen, known, agent)


def need_alone(text: str, files: Sequence[File]) -> None:
    """Raises `Invalid` for a template that is said beside something else."""
    if text or files:
        raise Invalid.at("template", "A template is said alone, without text and attachments")


def known_of(platform: Platform, workspace: Workspace, record: int | None) -> dict[str, Any]:
    """What is known of somebody, as texts are filled with it."""
    if record is None:
        return {}
    found = gate.glance(
        platform, lambda c: people.one(c, platform.ledger.dialect, workspace, record)
    )
    return {} if found is None else {**found["properties"], "userId": found["userId"]}


def viewer(request: Asked) -> Scope | None:
    """What the caller may see of the inbox; None for everything."""
    actor = gate.actor_of(request)
    member = None if actor.sign_in is None else actor.sign_in.member
    return scope.of(actor.role, member, actor.workspace.desk)


def need_all(request: Asked) -> None:
    """Raises `Forbidden` for who sees a part of the inbox only."""
    if viewer(request) is not None:
        raise Forbidden("This takes somebody who may see the whole inbox, or a key")


def number_of(request: Asked, text: str) -> int:
    """The number of a conversation that the caller may see. Raises `NotFound`."""
    return held(request, text).id


def held(request: Asked, text: str) -> talk.Conversation:
    """A conversation that the caller may see. Raises `NotFound`."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    number = ids.parse_conversation_id(workspace.id, text)
    found = None
    if number is not None:
        wanted = number
        found = gate.glance(
            platform, lambda c: reading.one(c, platform.ledger.dialect, workspace.id, wanted)
        )
    seen = viewer(request)
    if found is None or (seen is not None and not seen.sees(found)):
        raise NotFound("There is no conversation with this id")
    return found


def need(request: Asked, number: int) -> None:
    """Raises `NotFound` for a conversation that the caller may not see."""
    held(request, ids.public_conversation_id(number))


def told(request: Asked, conversation: talk.Conversation) -> dict[str, Any]:
    """A conversation as it is answered."""
    platform = gate.platform_of(request)
    living = gate.glance(
        platform, lambda c: reading.living(c, platform.ledger.dialect, [conversation.record])
    )
    return told_all(request, [conversation], living)[0]


def told_all(
    request: Asked, conversations: Sequence[talk.Conversation], living: Mapping[int, int | None]
) -> list[dict[str, Any]]:
    """Conversations as they are answered, with the living record behind each one's."""
    platform = gate.platform_of(request)
    ends = gate.glance(platform, lambda c: window.until(c, platform.ledger.dialect, conversations))
    return [
        {
            **shown.conversation(each, living[each.record]),
            "replyUntil": None if (at := ends.get(each.id)) is None else clock.to_iso(at),
        }
        for each in conversations
    ]


def read(request: Asked, number: int | None) -> dict[str, Any]:
    """A conversation as it is answered, by its number. Raises `NotFound`."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    found = gate.glance(
        platform, lambda c: reading.one(c, platform.ledger.dialect, workspace.id, number or 0)
    )
    if found is None:  # its person was deleted just now
        raise NotFound("There is no such conversation")
    return told(request, found)


def message(request: Asked, number: int | None) -> dict[str, Any]:
    """A message as it is answered, by its number. Raises `NotFound`."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    found = gate.glance(platform, lambda c: reading.message(c, workspace.id, number or 0))
    if found is None:
        raise NotFound("There is no such message")
    return shown.message(found)


def call(request: Asked, **given: Any) -> Call:
    """A call about a conversation as the caller makes it."""
    return shapes.call(request, **{"source": "conversation", **given})


def member(request: Asked, given: Whose, path: str) -> int:
    """The number of a member who may answer. Raises `Invalid` at `path`."""
    return member_of(gate.platform_of(request), gate.actor_of(request).workspace, given, path)


def member_of(platform: Platform, workspace: Workspace, given: Whose, path: str) -> int:
    """The same, of a workspace."""
    if isinstance(given, str):
        address = given.strip().lower()
        found = (m.id for m in platform.members.values() if m.email == address)
        given = next(found, 0)
    if given not in workspace.desk.agents:
        message = f"{path} must be a member who may answer, by number or e-mail address"
        raise Invalid(message, faults=[Fault(path, "invalid", message)])
    return given


def of_message(
    connection: Connection, dialect: Dialect, workspace: Workspace, message: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A message and the living record behind it, in one look. Raises `NotFound`."""
    found = reading.said(connection, workspace.id, message)
    person = None if found is None else people.one(connection, dialect, workspace, found[1])
    if found is None or person is None:
        raise NotFound("The person of this message was deleted")
    return shown.message(found[0]), person
