"""The inbox as it changes: server-sent events, made once for all who look on.

The stream tells rows of lists, messages of the conversation that is open, counts, who else looks
at it and who types. `seen` names the last batch a page has; `after` its last message. Whoever
comes back is told what they missed, or (`stale`) to read the lists anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery
from litestar.response import Stream

from user360 import ids
from user360.conversations import counting, reading, talk
from user360.conversations.talk import Conversation, Message
from user360.doors import gate, staying
from user360.errors import Forbidden, NotFound
from user360.inbox.live import Batch, Hub, Room, Viewer
from user360.inbox.presence import Back
from user360.pages import inbox_view, render
from user360.pages.render import Asked
from user360.pages.route import shown
from user360.platform import Platform
from user360.storage.ledger import Connection

MISSED = 500  # messages that somebody who was away is told of; more are read anew
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def hub(request: Asked) -> Hub:
    """Who looks on, in all workspaces."""
    found: Hub = request.app.state.inbox
    return found


class Preparer:
    """Makes what all viewers share of a batch: rows, messages and numbers."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def __call__(self, workspace: int, batch: Batch) -> None:
        """Put `rows`, `messages` and, where it is asked for, a `tally` into what is ready."""
        await asyncio.to_thread(self._prepare, workspace, batch)

    def _prepare(self, workspace: int, batch: Batch) -> None:
        platform = self._platform
        held = list(batch.conversations.values())
        with platform.ledger.read() as connection:
            where = (connection, platform.ledger.dialect, platform.workspaces[workspace])
            people = inbox_view.living(*where, {each.record for each in held})
            if batch.count:
                batch.ready["tally"] = counting.tally(connection, workspace)
        for each in held:
            row = inbox_view.row(platform, where[2], each, people.get(each.record))
            batch.ready["row", each.id] = _row(row, rings=each.id in batch.fresh)
            batch.ready["name", each.id] = row.name
            messages = batch.messages.get(each.id, {}).values()
            batch.ready["messages", each.id] = _messages(platform, where[2], messages, row.name)


def _row(row: inbox_view.Row, *, rings: bool) -> msgspec.Raw:
    """A row of a list; it `rings` where the customer wrote to more than a bot."""
    html = render.environment().get_template("inbox/row.html").render(row=row, address=row.id)
    told = {
        "id": row.id,
        "at": row.held.updated_at,
        "assignee": row.held.assignee,
        "lists": inbox_view.lists_of(row.held),
        "rings": rings and row.held.active and row.held.state != talk.BOT,
        "html": html,
    }
    return msgspec.Raw(msgspec.json.encode(told))


def _messages(
    platform: Platform, workspace: Any, messages: Iterable[Message], name: str
) -> list[msgspec.Raw]:
    template = render.environment().get_template("inbox/message.html")
    told = []
    for each in messages:
        line = inbox_view.line(platform, workspace, each)
        public = ids.public_conversation_id(each.conversation)
        html = template.render(line=line, name=name, public=public)
        told.append(msgspec.Raw(msgspec.json.encode({"id": line.id, "html": html})))
    return told


@shown("/inbox/live", may="inbox.read", kind="text/event-stream")
async def stream(
    request: Asked,
    open: FromQuery[str] = "",
    seen: FromQuery[str] = "",
    after: FromQuery[str] = "",
) -> Stream:
    """What happens from now on, and what happened since `seen` and the message `after`."""
    actor = gate.actor_of(request)
    held = inbox_view.conversation(request, open) if open else None
    number = ids.parse_message_id(actor.workspace.id, after) if after else 0
    if number is None:
        raise NotFound("There is no such message")
    staying.mark_stream(request)
    room = hub(request).room(actor.workspace.id)
    events = Viewing(request, room, held, number).events(seen)
    return Stream(events, media_type="text/event-stream", headers=HEADERS)


class Viewing:
    """One viewer's stream."""

    def __init__(self, request: Asked, room: Room, held: Conversation | None, after: int) -> None:
        self._request = request
        self._platform = gate.platform_of(request)
        self._room = room
        self._held = held
        self._after = after
        self._me = inbox_view.me(request)
        self._seen = inbox_view.scope_of(gate.actor_of(request))

    async def events(self, seen: str) -> AsyncIterator[bytes]:
        room = self._room
        viewer, known = room.enter(self._me, self._held.id if self._held else None, seen)
        try:
            hello = {"stale": not known, "seen": seen if known else room.seen}
            yield _event("hello", {**hello, "me": self._there(gate.actor_of(self._request))})
            if (missed := await self._missed()) is not None:
                yield missed
            while not room.closed:
                if not await viewer.wait():
                    yield b": still there\n\n"
                if (told := self._told(viewer)) is None:
                    yield _event("over", {})
                    return
                if told:
                    yield told
        finally:
            room.leave(viewer)

    def _told(self, viewer: Viewer) -> bytes | None:
        """What is new for this viewer; None when they may look on no more."""
        actor = gate.signed_in(self._request)
        if actor is None or actor.workspace.id != self._room.workspace:
            return None
        try:
            gate.permit(actor, "inbox.read")
        except Forbidden:
            return None
        batches = self._room.since(viewer)
        if batches is None:
            return _event("hello", {"stale": True, "seen": self._room.seen})
        told = [_event("batch", self._shown(actor, batch)) for batch in batches]
        return self._moved(actor) + b"".join(told)

    def _moved(self, actor: gate.Actor) -> bytes:
        """For who sees others than before: lists are to be read anew, and one may be lost."""
        seen = inbox_view.scope_of(actor)
        if seen == self._seen:
            return b""
        self._seen = seen
        told = _event("hello", {"stale": True, "seen": self._room.seen})
        if self._held is None or seen is None:
            return told
        where = (self._platform.ledger.dialect, actor.workspace.id, self._held.id)
        held = gate.glance(self._platform, lambda c: reading.one(c, *where))
        if held is None or not seen.sees(held):
            told += _event("batch", {"seen": self._room.seen, "rows": [], "gone": [], "lost": True})
        return told

    def _shown(self, actor: gate.Actor, batch: Batch) -> dict[str, Any]:
        """A batch as somebody may see it."""
        seen = inbox_view.scope_of(actor)
        rows, gone = [], []
        for number, held in batch.conversations.items():
            if seen is None or seen.sees(held):
                rows.append(batch.ready["row", number])
            elif (before := batch.before.get(number)) is None or seen.sees(before):
                gone.append(ids.public_conversation_id(number))
        told: dict[str, Any] = {"seen": self._room.named(batch), "rows": rows, "gone": gone}
        if (tally := batch.ready.get("tally")) is not None:
            counts = tally.counts(self._me, seen)
            told["counts"] = {name: f"{count:,}" for name, count in counts.items()}
        if batch.desk or self._me in batch.back:
            told["me"] = self._there(actor)
        if (back := batch.back.get(self._me)) is not None:
            told["back"] = self._welcome(actor, back)
        if self._held is not None:
            self._held = batch.conversations.get(self._held.id, self._held)
            # It may have been given away long before this batch, or she left its group.
            lost = seen is not None and not seen.sees(self._held)
            told |= {"lost": True} if lost else self._talk(batch, self._held)
        return told

    def _there(self, actor: gate.Actor) -> dict[str, Any] | None:
        """How whoever looks on is there; nothing for who does not answer."""
        agent = actor.workspace.desk.agents.get(self._me)
        if agent is None:
            return None
        return {"availability": agent.availability, "capacity": agent.capacity}

    def _welcome(self, actor: gate.Actor, back: Back) -> str:
        since = inbox_view.short(back.since, self._platform.clock.now(), actor.workspace.zone)
        how = inbox_view.AVAILABILITY[back.availability].lower()
        return f"Set away at {since}, for the inbox was closed. You are {how} again."

    def _talk(self, batch: Batch, held: Conversation) -> dict[str, Any]:
        told: dict[str, Any] = {}
        number = held.id
        if number in batch.conversations:
            told["messages"] = batch.ready["messages", number]
            told["stamp"] = inbox_view.stamp(held)
        if number in batch.typing:
            told["typing"] = [self._name(by) for by in sorted(batch.typing[number])]
        if number in batch.here:
            told["here"] = [
                {"id": member, "name": inbox_view.member_name(self._platform, member)}
                for member in sorted(self._room.here(number))
            ]
        return told

    def _name(self, by: str) -> dict[str, Any]:
        _, _, number = by.partition(":")
        if not number.isdigit():
            return {"id": 0, "name": ""}
        return {"id": int(number), "name": inbox_view.member_name(self._platform, int(number))}

    async def _missed(self) -> bytes | None:
        """What was said in the open conversation after the last message the page has."""
        held = self._held
        if held is None:
            return None
        workspace = gate.actor_of(self._request).workspace

        def ask(connection: Connection) -> tuple[list[Message], str]:
            found = reading.messages(connection, held.id, MISSED, after=self._after)
            where = (connection, self._platform.ledger.dialect, workspace, [held.record])
            person = inbox_view.living(*where).get(held.record)
            return found, inbox_view.row(self._platform, workspace, held, person).name

        messages, name = await gate.read(self._platform, ask)
        told = _messages(self._platform, workspace, messages, name)
        return _event("missed", {"messages": told, "stamp": inbox_view.stamp(held)})


def _event(name: str, told: Any) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(told) + b"\n\n"


@shown("/inbox/here", may="inbox.read")
async def here(request: Asked) -> Response[str]:
    """A page says that somebody is still there, or asks whether they may come back."""
    hub(request).attendance.seen(gate.actor_of(request).workspace.id, inbox_view.me(request))
    return Response("", status_code=204, headers=render.HEADERS)


ROUTES: list[HTTPRouteHandler] = [stream, here]
