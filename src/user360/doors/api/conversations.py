"""One conversation: its messages, its person, and the segments they are in."""

from __future__ import annotations

from typing import Annotated, Literal

from litestar import Response
from litestar.params import FromPath, QueryParameter

from user360 import ids
from user360.access.workspaces import Workspace
from user360.conversations import reading, shown
from user360.doors import gate
from user360.doors.api import person, shapes, spoken
from user360.doors.api.operation import Example, operation
from user360.doors.api.shapes import Answer, Asked, Limit, Record
from user360.doors.api.spoken import FIRST, AtMost, Conversation, Message
from user360.errors import Invalid
from user360.segments import memberships

Before = Annotated[str | None, QueryParameter(description="messages before this one, by its id")]
After = Annotated[str | None, QueryParameter(description="messages after this one, by its id")]


class Messages(Answer):
    """Messages in their order; where `more` is true there are others beyond them."""

    messages: list[Message]
    more: bool


class InSegmentNow(Answer):
    """A segment the person is in, and since when."""

    id: int
    name: str
    kind: Literal["dynamic", "static"]
    since: str | None


class Whole(Answer):
    """A conversation with its newest messages, its person and the segments they are in."""

    conversation: Conversation
    messages: list[Message]
    more: bool
    record: Record | None
    segments: list[InSegmentNow]


@operation(
    "GET",
    "/conversations/{conversation_id:str}",
    "inbox.read",
    "Read a conversation",
    tag="conversations",
    refuses=(404,),
    waits=True,
    example=Example(path=FIRST),
)
async def one(
    request: Asked, conversation_id: FromPath[str], limit: AtMost = 50
) -> Response[Whole]:
    """With its newest messages, the record it is on, and the segments the person is in."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    gate.min_seq(request)  # where nobody is left, the warehouse is not asked
    found = spoken.held(request, conversation_id)
    told = spoken.told(request, found)
    messages = await gate.read(platform, lambda c: reading.messages(c, found.id, limit=limit + 1))
    record, segments = None, []
    if told["recordId"] is not None:
        number = shapes.number_of(workspace, told["recordId"])
        record = shapes.record(request, number)
        segments = await person.segments_of(request, number, platform.now())
    return gate.answer(
        {
            "conversation": told,
            "messages": [shown.message(each) for each in messages[-limit:]],
            "more": len(messages) > limit,
            "record": record,
            "segments": [memberships.shown(each) for each in segments],
        }
    )


@operation(
    "GET",
    "/conversations/{conversation_id:str}/messages",
    "inbox.read",
    "Read the messages of a conversation",
    tag="conversations",
    refuses=(404,),
    example=Example(path=FIRST),
)
async def messages(
    request: Asked,
    conversation_id: FromPath[str],
    before: Before = None,
    after: After = None,
    limit: Limit = 100,
) -> Response[Messages]:
    """The newest, or those before one; or the first after one, in their order always."""
    workspace = gate.actor_of(request).workspace
    if before is not None and after is not None:
        raise Invalid.at("after", "before and after cannot be asked for at once")
    number = spoken.number_of(request, conversation_id)
    edges = {
        name: _message_number(workspace, name, given)
        for name, given in (("before", before), ("after", after))
        if given is not None
    }
    found = await gate.read(
        gate.platform_of(request),
        lambda c: reading.messages(c, number, limit=limit + 1, **edges),
    )
    kept = found[:limit] if after is not None else found[-limit:]
    told = [shown.message(each) for each in kept]
    return gate.answer({"messages": told, "more": len(found) > limit})


def _message_number(workspace: Workspace, path: str, given: str) -> int:
    number = ids.parse_message_id(workspace.id, given)
    if number is None:
        raise Invalid.at(path, f"{path} must be the id of a message, such as m230")
    return number


ROUTES = [one, messages]
