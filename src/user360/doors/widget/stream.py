"""The live connection of a browser: what it missed, then what is said from now on."""

from __future__ import annotations

import asyncio

from litestar import get
from litestar.types import ASGIApp, Receive, Scope, Send

from user360.access.workspaces import Workspace
from user360.channels.web import live, sessions, shown, store
from user360.channels.web.live import Listener, Live
from user360.channels.web.sessions import Visitor
from user360.conversations.talk import Conversation, Message
from user360.doors import gate, staying
from user360.doors.widget import asking
from user360.doors.widget.asking import Asked
from user360.ids import parse_message_id
from user360.platform import Platform

MISSED = 100  # messages that are read from the ledger at once
HEAD = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


@get("/channels/web/stream", include_in_schema=False)
async def stream(request: Asked) -> ASGIApp:
    """Server-sent events: `message`, `state`, `typing`; each message once, in their order.

    The first of all is `token`, where it is time for another one. A browser comes again before the
    one it has is good no more.
    """
    visitor, workspace, token = asking.session_of(request)
    asking.pace_of(request).of(visitor)
    staying.mark_stream(request)
    return Stream(
        gate.platform_of(request),
        request.app.state.web_live,
        visitor,
        since(request, workspace),
        token=token,
        lasts=sessions.life_of(workspace) // sessions.FRESH,
    )


def since(request: Asked, workspace: Workspace, name: str = "since") -> int:
    """The number of the message that a request names; 0 for none."""
    return parse_message_id(workspace.id, request.query_params.get(name, "")) or 0


class Stream:
    """The answer that goes on for as long as the browser listens."""

    def __init__(
        self,
        platform: Platform,
        live: Live,
        visitor: Visitor,
        seen: int,
        *,
        token: str,
        lasts: int,
    ) -> None:
        self.platform = platform
        self.live = live
        self.visitor = visitor
        self.seen = seen
        self.token = token
        self.lasts = lasts  # seconds

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        listener = self.live.enter(self.visitor, self.seen)
        loop = asyncio.get_running_loop()
        gone = loop.create_task(_until_gone(receive, listener))
        end = loop.call_later(self.lasts, listener.close)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEAD})
            if self.token:
                await _send(send, live.line("token", {"token": self.token}))
            await self._missed(listener, send)
            while not listener.closed:
                lines = await listener.take()
                if lines:
                    await _send(send, b"".join(lines))
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            end.cancel()
            gone.cancel()
            self.live.leave(self.visitor, listener)

    async def _missed(self, listener: Listener, send: Send) -> None:
        """What the ledger has after the last message the browser saw; then how things stand."""
        while True:
            held, messages = await asyncio.to_thread(self._read, listener.seen)
            lines = [self._line(each) for each in messages]
            if messages:
                listener.seen = messages[-1].id
            if len(messages) < MISSED:
                lines.append(live.line("state", self.live.state(self.visitor, held)))
            await _send(send, b"".join(lines))
            if len(messages) < MISSED:
                return

    def _read(self, after: int) -> tuple[Conversation | None, list[Message]]:
        with self.platform.ledger.read() as connection:
            return (
                store.conversation_of(connection, self.visitor),
                store.said_since(connection, self.visitor, after, MISSED),
            )

    def _line(self, held: Message) -> bytes:
        told = shown.message(self.platform, self.visitor.workspace, held)
        return live.line("message", told)


async def _send(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _until_gone(receive: Receive, listener: Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
    listener.close()


ROUTES = [stream]
