"""What is said in a session: by the customer, a bot or an agent, by any program."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from user360 import ids
from user360.access.workspaces import Workspace
from user360.conversations import talk
from user360.doors import gate
from user360.doors.api import shapes, spoken
from user360.doors.api.bodies import Body
from user360.doors.api.operation import Example, operation
from user360.doors.api.sessions import CHAT
from user360.doors.api.shapes import Asked
from user360.doors.api.spoken import Files, Kind, Said, Whose
from user360.ingest.call import Call, Session
from user360.platform import Platform


class NewMessage(Body):
    """What is said. Sent twice with the same `id` it is said once.

    `kind` and `subject` are those of the conversation that it may begin. `userId` identifies the
    session first, `properties` and `auto` are captured with it. `agent` is who answers, by number
    or e-mail address, where `from` is `agent`.
    """

    from_: Literal["customer", "bot", "agent"] = msgspec.field(name="from")
    text: str = ""
    attachments: Files = msgspec.field(default_factory=list)
    id: str | None = None
    timestamp: str | None = None
    kind: Kind = "chat"
    subject: str = ""
    agent: Whose | None = None
    user_id: str | None = None
    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    auto: dict[str, Any] = msgspec.field(default_factory=dict)


@operation(
    "POST",
    "/sessions/{channel:str}/{session:str}/messages",
    "inbox.write",
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
    customer says begins another.
    """
    spoken.need_all(request)
    given = _call(request, channel, session, data)
    content, seq = await settled(gate.platform_of(request), gate.actor_of(request).workspace, given)
    return gate.answer(content, seq=seq)


def _call(request: Asked, channel: str, session: str, data: NewMessage) -> Call:
    actor = gate.actor_of(request)
    author = "" if data.from_ == talk.CUSTOMER else actor.ref
    if data.agent is not None and data.from_ == talk.AGENT:
        author = f"member:{spoken.member(request, data.agent, 'agent')}"
    said = talk.Said(
        sender=data.from_,
        text=data.text,
        attachments=spoken.attachments(data.attachments),
        id=data.id,
        author=author,
        kind=data.kind,
        subject=data.subject,
    )
    call = spoken.call(
        request,
        ref=author or f"session:{channel}/{session}",
        session=Session(channel, session),
        user_id=data.user_id,
        properties=data.properties,
        auto=data.auto,
        said=said,
    )
    call.at = shapes.moment(data.timestamp, actor.workspace, call.at)
    return call


async def settled(
    platform: Platform, workspace: Workspace, call: Call
) -> tuple[dict[str, Any], int]:
    """Settle a message; what is answered, and the position that shows it. Raises `Problem`s."""
    outcome = await gate.one(platform, call)
    assert outcome.message is not None
    assert outcome.conversation is not None
    message, conversation = outcome.message, outcome.conversation
    dialect = platform.ledger.dialect
    said, record = gate.glance(
        platform, lambda c: spoken.of_message(c, dialect, workspace, message, outcome.record)
    )
    told = {
        "message": said,
        "conversationId": ids.public_conversation_id(conversation),
        "record": record,
    }
    return told, outcome.seq


ROUTES = [say]
