"""The conversation that is open: its messages, its head, and what may be done to it."""

from __future__ import annotations

from typing import Any

from litestar import MediaType, Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from user360 import ids
from user360.channels.email import recipients
from user360.conversations import reading, talk
from user360.conversations.talk import Conversation, Message
from user360.doors import gate
from user360.errors import NotFound
from user360.inbox import queue
from user360.pages import card_words, inbox_list, inbox_person, inbox_view, inbox_way, render
from user360.pages.inbox_way import Way
from user360.pages.render import Asked
from user360.pages.route import shown
from user360.storage.ledger import Connection

AT_ONCE = 60  # messages
# What a stranger wrote is shown without scripts, forms, or anything from elsewhere.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


async def talked(request: Asked, held: Conversation) -> dict[str, Any]:
    """All that is shown of a conversation that is open, the customer included."""
    platform = gate.platform_of(request)
    messages = await gate.read(platform, lambda c: reading.messages(c, held.id, AT_ONCE + 1))
    return {
        **await headed(request, held),
        **lines(request, held, messages),
        "last": ids.public_message_id(held.last_message) if held.last_message else "",
        "person": await inbox_person.given(request, held),
    }


async def headed(request: Asked, held: Conversation) -> dict[str, Any]:
    """What the head of a conversation shows, and what may be done to it."""
    platform, actor = gate.platform_of(request), gate.actor_of(request)
    workspace = actor.workspace

    def ask(connection: Connection) -> tuple[Any, int | None, Way | None, list[str]]:
        where = (connection, platform.ledger.dialect, workspace, [held.record])
        record, place = inbox_view.living(*where).get(held.record), queue.place_of(connection, held)
        way = inbox_way.of(connection, platform, workspace, held)
        others = recipients.offered(connection, workspace, held) if way else []
        return record, place, way, others

    record, place, way, others = await gate.read(platform, ask)
    row = inbox_view.row(platform, workspace, held, record)
    return {
        "held": held,
        "row": row,
        "public": row.id,
        "record": record,
        "place": place,
        "way": way,
        "others": others,
        "others_at": recipients.stamp(others),
        "stamp": inbox_view.stamp(held),
        "mine": held.assignee == inbox_view.me(request),
        "agents": inbox_list.agents(request),
        "groups": inbox_list.groups(request),
        "states": inbox_view.STATES,
        "reasons": inbox_view.REASONS,
        "priorities": talk.PRIORITIES,
        "bot": workspace.desk.bot_of(held.channel),
        "group": workspace.desk.groups.get(held.group) if held.group is not None else None,
    }


def lines(request: Asked, held: Conversation, messages: list[Message]) -> dict[str, Any]:
    """Messages as they are shown, and before which one earlier ones are to be asked for."""
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    more = len(messages) > AT_ONCE
    shown_ones = messages[1:] if more else messages
    told = [inbox_view.line(platform, workspace, each) for each in shown_ones]
    return {
        "held": held,
        "public": ids.public_conversation_id(held.id),
        "lines": told,
        "earlier": told[0].id if more else "",
    }


@shown("/inbox/{public:str}/head", may="inbox.read")
async def head(request: Asked, public: FromPath[str]) -> Response[str]:
    """The head of a conversation as it is now, and what can be said in it."""
    held = inbox_view.conversation(request, public)
    return render.page(request, "inbox/after.html", **await headed(request, held))


@shown("/inbox/{public:str}/earlier", may="inbox.read")
async def earlier(
    request: Asked, public: FromPath[str], before: FromQuery[str] = ""
) -> Response[str]:
    """The messages before one."""
    held = inbox_view.conversation(request, public)
    number = ids.parse_message_id(gate.actor_of(request).workspace.id, before)
    if number is None:
        raise NotFound("There is no such message")
    found = await gate.read(
        gate.platform_of(request),
        lambda c: reading.messages(c, held.id, AT_ONCE + 1, before=number),
    )
    record = inbox_person.record_of(request, held)
    customer = card_words.name_of(record) if record else ""
    told = lines(request, held, found)
    return render.page(request, "inbox/messages.html", customer=customer, **told)


@shown("/inbox/{public:str}/messages/{message_id:str}", may="inbox.read")
async def as_sent(
    request: Asked, public: FromPath[str], message_id: FromPath[str]
) -> Response[str]:
    """An e-mail as it was written: a page of its own, in which nothing runs and nothing loads."""
    held = inbox_view.conversation(request, public)
    platform, workspace = gate.platform_of(request), gate.actor_of(request).workspace
    number = ids.parse_message_id(workspace.id, message_id) or 0
    found = await gate.read(platform, lambda c: reading.message(c, workspace.id, number))
    text = None if found is None else found.detail.get("html")
    if found is None or found.conversation != held.id or not isinstance(text, str) or not text:
        raise NotFound("There is no such message with a form of its own")
    headers = {**render.HEADERS, "Content-Security-Policy": SANDBOX}
    return Response(text, media_type=MediaType.HTML, headers=headers)


ROUTES: list[HTTPRouteHandler] = [head, earlier, as_sent]
