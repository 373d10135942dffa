"""What is said in a session: by the customer, a bot or an agent, by any program."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from user360 import ids
from user360.channels.whatsapp.templates import Filled
from user360.conversations import talk
from user360.doors import gate
from user360.doors.api import bodies, shapes, spoken
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.sessions import CHAT
from user360.doors.api.shapes import Asked
from user360.doors.api.spoken import ByTemplate, Files, Kind, Said, Whose
from user360.doors.gate import Actor
from user360.doors.lane import Sent, Take
from user360.errors import Invalid
from user360.identity import store
from user360.ingest.call import Call, Session
from user360.platform import Platform

PATH = "/sessions/{channel:str}/{session:str}/messages"
MAY = "inbox.write"


class NewMessage(Body):
    """What is said. Sent twice with the same `id` it is said once.

    `kind` and `subject` are those of the conversation that it may begin. `userId` identifies the
    session first, `properties` and `auto` are captured with it. `agent` is who answers, by number
    or e-mail address, where `from` is `agent`. On WhatsApp a bot or an agent may say a `template`
    instead of text and attachments.

    What a bot says is refused once an agent has the conversation or has answered in it, for the bot
    may not know yet. With `besideAgent` it is said all the same: that a parcel is on its way, say.
    """

    from_: Literal["customer", "bot", "agent"] = msgspec.field(name="from")
    text: str = ""
    template: ByTemplate | None = None
    attachments: Files = msgspec.field(default_factory=list)
    id: str | None = None
    timestamp: str | None = None
    kind: Kind = "chat"
    subject: str = ""
    agent: Whose | None = None
    beside_agent: bool = False
    user_id: str | None = None
    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    auto: dict[str, Any] = msgspec.field(default_factory=dict)


@operation(
    "POST",
    PATH,
    MAY,
    "Say something in a session",
    tag="conversations",
    refuses=(404, 409),
    example=Example(
        path=CHAT,
        body={
            "from": "customer",
            "text": "Where is my order?",
            "id": "m-1042",
            "properties": {"firstName": "Asha"},
        },
    ),
)
async def say(
    request: Asked, channel: FromPath[str], session: FromPath[str], data: JSONBody[NewMessage]
) -> Response[Said]:
    """Begins a conversation, or goes on with the one that the session has.

    The answer is given once the message is on disk. Where the conversation has ended, what a
    customer says begins another. 409 where a bot speaks and an agent has it.
    """
    spoken.need_all(request)
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    content, seq = await _settled(platform, actor, channel, session, data)
    return gate.answer(content, seq=seq)


async def take(sent: Sent) -> tuple[dict[str, Any], int]:
    """The same past the framework, for programs with a key."""
    actor = gate.admit(sent.platform, sent.limits, sent.noted, sent.key)
    gate.permit(actor, MAY)
    data = bodies.decode(NewMessage, sent.body)
    channel, session = sent.names
    return await _settled(sent.platform, actor, channel, session, data)


async def _settled(
    platform: Platform, actor: Actor, channel: str, session: str, data: NewMessage
) -> tuple[dict[str, Any], int]:
    """Settle a message; what is answered, and the position that shows it. Raises `Problem`s."""
    call = _call(platform, actor, Session(channel, session), data)
    outcome = await gate.one(platform, call)
    assert outcome.message is not None
    assert outcome.conversation is not None
    number, dialect = outcome.message, platform.ledger.dialect
    said, record = gate.glance(
        platform, lambda c: spoken.of_message(c, dialect, actor.workspace, number)
    )
    conversation = ids.public_conversation_id(outcome.conversation)
    told = {"message": said, "conversationId": conversation, "record": record}
    return told, outcome.seq


def _call(platform: Platform, actor: Actor, session: Session, data: NewMessage) -> Call:
    author, now = "" if data.from_ == talk.CUSTOMER else actor.ref, platform.now()
    if data.agent is not None and data.from_ == talk.AGENT:
        number = spoken.member_of(platform, actor.workspace, data.agent, "agent")
        author = f"member:{number}"
    filled = _filled(platform, actor, session, data, author)
    said = talk.Said(
        sender=data.from_,
        text=data.text if filled is None else filled.text,
        attachments=spoken.attachments(data.attachments),
        id=data.id,
        author=author,
        kind=data.kind,
        subject=data.subject,
        detail={} if filled is None else filled.detail,
        yields=not data.beside_agent,
    )
    return Call(
        workspace=actor.workspace.id,
        source="conversation",
        ref=author or f"session:{session.channel}/{session.id}",
        at=shapes.moment(data.timestamp, actor.workspace, now),
        message_id=f"{now:020d}",
        session=session,
        user_id=data.user_id,
        properties=data.properties,
        auto=data.auto,
        said=said,
    )


def _filled(
    platform: Platform, actor: Actor, session: Session, data: NewMessage, author: str
) -> Filled | None:
    """What a template says, filled with what is known of whose session it is, and with what is
    given along with it. Raises `Invalid`.
    """
    if data.template is None:
        return None
    if data.from_ == talk.CUSTOMER:
        raise Invalid.at("template", "Templates go to customers")
    spoken.need_alone(data.text, data.attachments)
    workspace = actor.workspace
    number = gate.glance(
        platform, lambda c: store.of_session(c, workspace.id, session.channel, session.id)
    )
    known = {**spoken.known_of(platform, workspace, number), **data.properties}
    return spoken.by_template(platform, workspace, session.channel, data.template, known, author)


ROUTES = [say]
# What answers by itself, past the framework, at which path.
TAKES: dict[str, Take] = {"/api/v1" + PATH.replace(":str", ""): take}
