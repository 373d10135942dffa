"""What is said in the conversations of the widget, brought to the browsers that look on.

One queue a browser, bounded: whoever does not keep up is let go, comes again and reads the ledger
from the message they saw last. Nothing is made ready for whom nobody looks at.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import structlog

from user360.channels.web import shown
from user360.channels.web.sessions import CHANNEL, Visitor
from user360.conversations import talk
from user360.conversations.news import News, Typing
from user360.conversations.talk import Conversation
from user360.errors import Problem
from user360.inbox import queue
from user360.platform import Platform

log = structlog.get_logger()
MOST_WAITING = 200  # lines for one browser
MOST_STREAMS = 6  # of one session: more tabs than that share one
# Seconds: after how long of silence something is said, and how often places are told at most.
QUIET, PLACES = 20.0, 1.0
SILENCE = b":\n\n"


def line(kind: str, told: dict[str, Any]) -> bytes:
    """A server-sent event of ours."""
    return b"data: " + msgspec.json.encode({"type": kind, **told}) + b"\n\n"


class Listener:
    """One browser that looks on: what it has not been sent yet, and the last message it was."""

    __slots__ = ("closed", "lines", "seen", "woken")

    def __init__(self, seen: int) -> None:
        self.seen = seen
        self.lines: deque[tuple[int, bytes]] = deque()
        self.woken = asyncio.Event()
        self.closed = False

    def push(self, number: int, told: bytes) -> None:
        """Have a line sent: that of a message by its number, any other by 0."""
        if len(self.lines) >= MOST_WAITING:
            self.close()
        if not self.closed:
            self.lines.append((number, told))
            self.woken.set()

    def close(self) -> None:
        """Let it go; it comes again by itself."""
        self.closed = True
        self.woken.set()

    async def take(self) -> list[bytes]:
        """Wait for lines: each message once, in order. None of them when it was let go."""
        await self.woken.wait()
        self.woken.clear()
        taken = []
        while self.lines:
            number, told = self.lines.popleft()
            if number == 0 or number > self.seen:
                self.seen = max(self.seen, number)
                taken.append(told)
        return taken


class Watched:
    """A session that somebody looks at: their browsers, and what is known of its conversation.

    `queued` is the conversation while it stands in the queue, at `place` when that was told.
    """

    __slots__ = ("conversation", "listeners", "place", "queued")

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self.conversation = 0
        self.queued: Conversation | None = None
        self.place: int | None = None

    def tell(self, told: bytes, number: int = 0) -> None:
        for listener in self.listeners:
            listener.push(number, told)


class Live:
    """Brings the news of the channel `web` into the loop that serves, session by session."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._watched: dict[Visitor, Watched] = {}
        self._by_conversation: dict[int, Visitor] = {}
        self._queued: set[Visitor] = set()
        self._heard: deque[News | Typing] = deque()
        self._awake = False
        self._leaves: list[Callable[[], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._beating: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._stale = False

    async def start(self) -> None:
        """Begin to hear, in the loop that is running."""
        self._loop = asyncio.get_running_loop()
        exchange, jobs = self._platform.exchange, self._platform.jobs
        self._leaves = [
            exchange.hear(self._hear),
            exchange.watch(lambda typing: self._hear((typing,))),
            jobs.hearing.listen(self._ending),
        ]
        self._beating = self._loop.create_task(self._beat())

    async def close(self) -> None:
        """Hear no more, and let everybody go."""
        for leave in self._leaves:
            leave()
        for task in (self._beating, self._looking):
            if task is not None:
                task.cancel()
        self._let_go()

    @property
    def connected(self) -> int:
        """How many browsers look on."""
        return sum(len(watched.listeners) for watched in self._watched.values())

    def enter(self, visitor: Visitor, seen: int) -> Listener:
        """Begin to look on; `seen` is the last message that the browser has."""
        listener = Listener(seen)
        if self._platform.jobs.hearing.closed:
            listener.close()
        watched = self._watched.setdefault(visitor, Watched())
        watched.listeners.append(listener)
        if len(watched.listeners) > MOST_STREAMS:
            watched.listeners[0].close()
        return listener

    def leave(self, visitor: Visitor, listener: Listener) -> None:
        """The browser is gone."""
        watched = self._watched.get(visitor)
        if watched is None or listener not in watched.listeners:
            return
        watched.listeners.remove(listener)
        if not watched.listeners:
            del self._watched[visitor]
            self._by_conversation.pop(watched.conversation, None)
            self._queued.discard(visitor)

    def state(self, visitor: Visitor, held: Conversation | None) -> dict[str, Any]:
        """How the conversation of a session that is looked at stands; it is followed from here."""
        told = shown.conversation(self._platform, held)
        watched = self._watched.get(visitor)
        if held is None or watched is None:
            return told
        if watched.conversation != held.id:
            self._by_conversation.pop(watched.conversation, None)
            self._by_conversation[held.id] = visitor
            watched.conversation = held.id
        if held.state == talk.QUEUED:
            watched.queued = held
            self._queued.add(visitor)
            if watched.place is not None:
                told["place"] = watched.place
            self._look()
        else:
            watched.queued = watched.place = None
            self._queued.discard(visitor)
        return told

    def _hear(self, told: Sequence[News | Typing]) -> None:
        """Called on the threads of those who tell: wakes the loop once for many."""
        if not self._watched or self._loop is None:
            return
        self._heard.extend(told)
        if not self._awake:
            self._awake = True
            with contextlib.suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        # In this order: what is added from now on wakes the loop again.
        self._awake = False
        while self._heard:
            told = self._heard.popleft()
            if isinstance(told, News):
                self._news(told)
            else:
                self._typing(told)

    def _news(self, news: News) -> None:
        held = news.conversation
        if self._queued and held.kind == talk.CHAT and held.state != talk.QUEUED:
            self._look()  # perhaps one less stands before the others
        visitor = Visitor(news.workspace, held.session)
        watched = self._watched.get(visitor) if held.channel == CHANNEL else None
        if watched is None:
            return
        for each in news.messages:
            if each.sender != talk.NOTE:
                told = shown.message(self._platform, visitor.workspace, each)
                watched.tell(line("message", told), each.id)
        watched.tell(line("state", self.state(visitor, held)))

    def _typing(self, typing: Typing) -> None:
        visitor = self._by_conversation.get(typing.conversation)
        watched = None if visitor is None else self._watched.get(visitor)
        if watched is not None and typing.by.startswith("member:"):
            watched.tell(line("typing", {"name": shown.name_of(self._platform, typing.by)}))

    def _look(self) -> None:
        """Have the places in the queue looked up, once for what comes within a moment."""
        self._stale = True
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._tell_places())

    async def _tell_places(self) -> None:
        while self._stale:
            self._stale = False
            try:
                places = await asyncio.to_thread(self._find_places, self._standing())
            except Problem as problem:
                log.warning("places not told", reason=problem.detail)
                places = {}
            for visitor, place in places.items():
                watched = self._watched.get(visitor)
                if watched is None or watched.queued is None or watched.place == place:
                    continue
                watched.place = place
                told = {**shown.conversation(self._platform, watched.queued), "place": place}
                watched.tell(line("state", told))
            await asyncio.sleep(PLACES)

    def _standing(self) -> list[tuple[Visitor, Conversation]]:
        """Those who look on and stand in a queue."""
        found = [(visitor, self._watched[visitor].queued) for visitor in self._queued]
        return [(visitor, held) for visitor, held in found if held is not None]

    def _find_places(self, asked: list[tuple[Visitor, Conversation]]) -> dict[Visitor, int]:
        with self._platform.ledger.read() as connection:
            found = {visitor: queue.place_of(connection, held) for visitor, held in asked}
        return {visitor: place for visitor, place in found.items() if place is not None}

    async def _beat(self) -> None:
        """Say something now and then, so that nobody in between takes a connection for dead."""
        while True:
            await asyncio.sleep(QUIET)
            for watched in self._watched.values():
                watched.tell(SILENCE)

    def _ending(self, job_id: str) -> None:
        """The process ends: whoever looks on is let go."""
        if not job_id and self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._let_go)

    def _let_go(self) -> None:
        for watched in self._watched.values():
            for listener in watched.listeners:
                listener.close()
