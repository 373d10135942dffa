"""Who looks on, and what has happened since: news gathered for a moment, then told to all at once.

What a commit brings is put into a batch of its workspace. A batch is closed a moment later, made
ready once for everybody, and kept for a while, so that whoever was away for less goes on from the
one they saw last. A viewer holds no news itself, only the number of a batch: so many viewers cost
little, and a slow one keeps nobody waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import structlog

from user360.conversations.news import News, Typing
from user360.conversations.talk import CUSTOMER, Conversation, Message
from user360.inbox.presence import Attendance, Back, Presence
from user360.platform import Platform

log = structlog.get_logger()
# Seconds: how long news are gathered, and after how long of silence at most something is said.
GATHER, QUIET = 0.2, 15.0
# Seconds: how often it is looked whether agents or settings are others, and at most it is counted.
GLANCE, COUNT = 0.5, 1.0
KEPT = 600  # batches of a workspace: at least two minutes of them
REMEMBERED = 20_000  # conversations of a workspace whose last state is remembered


class Batch(msgspec.Struct, gc=False):
    """What happened within a moment in one workspace.

    `before` is how the conversations were, where that is known; `fresh` are those in which the
    customer wrote, `here` those in which somebody came to look or left. `desk` says that agents or
    settings are others, `back` who is back after the system had set them away. With `count` it is
    to be counted how many stand in the lists. `ready` is what was made of it once for everybody.
    """

    number: int = 0
    conversations: dict[int, Conversation] = msgspec.field(default_factory=dict)
    before: dict[int, Conversation] = msgspec.field(default_factory=dict)
    messages: dict[int, dict[int, Message]] = msgspec.field(default_factory=dict)
    typing: dict[int, set[str]] = msgspec.field(default_factory=dict)
    fresh: set[int] = msgspec.field(default_factory=set)
    here: set[int] = msgspec.field(default_factory=set)
    desk: bool = False
    back: dict[int, Back] = msgspec.field(default_factory=dict)
    count: bool = False
    ready: dict[Any, Any] = msgspec.field(default_factory=dict)

    def take(self, news: News) -> None:
        """Put in what a commit brought; of one conversation the last counts."""
        conversation = news.conversation
        self.conversations[conversation.id] = conversation
        said = self.messages.setdefault(conversation.id, {})
        for message in (*news.changed, *news.messages):
            said[message.id] = message
        if any(message.sender == CUSTOMER for message in news.messages):
            self.fresh.add(conversation.id)


# Makes what all viewers of a workspace share of a batch, and puts it into `ready`.
Prepare = Callable[[int, Batch], Awaitable[None]]


class Viewer:
    """Somebody who looks on: at which conversation, and which batch they saw last."""

    def __init__(self, member: int, conversation: int | None, seen: int) -> None:
        self.member = member
        self.conversation = conversation
        self.seen = seen
        self.woken = asyncio.Event()

    async def wait(self) -> bool:
        """Wait until there is something to be told; False after a while of silence."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.woken.wait(), QUIET)
        told = self.woken.is_set()
        self.woken.clear()
        return told


class Room:
    """One workspace: its viewers, and the batches of the last minutes."""

    def __init__(self, prepare: Prepare, workspace: int, attendance: Attendance) -> None:
        self.workspace = workspace
        self.attendance = attendance
        self.viewers: set[Viewer] = set()
        self.closed = False
        self._prepare = prepare
        self._begun = os.urandom(4).hex()  # numbers of another process mean nothing here
        self._kept: deque[Batch] = deque(maxlen=KEPT)
        self._number = 0
        self._open: Batch | None = None
        self._known: OrderedDict[int, Conversation] = OrderedDict()
        self._closing: asyncio.Task[None] | None = None
        self._counted = -COUNT
        self._counting: asyncio.TimerHandle | None = None
        self._desk: object = None
        self._one = asyncio.Lock()  # batches are told in the order in which they were opened

    @property
    def seen(self) -> str:
        """What names the last batch that was told: whoever reads the ledger after this has it."""
        return f"{self._begun}-{self._number}"

    def named(self, batch: Batch) -> str:
        """What names a batch that was told."""
        return f"{self._begun}-{batch.number}"

    def enter(self, member: int, conversation: int | None, seen: str) -> tuple[Viewer, bool]:
        """Begin to look on after a batch; and whether all that came since is still known."""
        begun, _, number = seen.partition("-")
        first = self._kept[0].number if self._kept else self._number + 1
        known = (
            begun == self._begun
            and number.isdecimal()
            and len(number) < 19
            and first - 1 <= int(number) <= self._number
        )
        viewer = Viewer(member, conversation, int(number) if known else self._number)
        self.viewers.add(viewer)
        self.attendance.came(self.workspace, member)
        viewer.woken.set()
        self._moved(viewer)
        return viewer, known

    def leave(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)
        self.attendance.left(self.workspace, viewer.member)
        self._moved(viewer)

    def since(self, viewer: Viewer) -> list[Batch] | None:
        """What a viewer has not seen yet; None when some of it is forgotten."""
        behind = self._number - viewer.seen
        if behind > len(self._kept):
            viewer.seen = self._number
            return None
        found = list(self._kept)[len(self._kept) - behind :] if behind else []
        viewer.seen = self._number
        return found

    def here(self, conversation: int) -> set[int]:
        """The members who look at a conversation."""
        return {v.member for v in self.viewers if v.conversation == conversation}

    def take(self, news: News) -> None:
        self._gathered().take(news)
        self._count()

    def types(self, typing: Typing) -> None:
        if any(v.conversation == typing.conversation for v in self.viewers):
            self._gathered().typing.setdefault(typing.conversation, set()).add(typing.by)

    def back(self, told: Back) -> None:
        if any(v.member == told.member for v in self.viewers):
            self._gathered().back[told.member] = told

    def glance(self, desk: object) -> None:
        """Tell everybody when agents or settings are others than they were."""
        if self._desk is not None and self._desk is not desk and self.viewers:
            self._gathered().desk = True
            self._count()
        self._desk = desk

    def close(self) -> None:
        """Let everybody go."""
        self.closed = True
        if self._closing is not None:
            self._closing.cancel()
        if self._counting is not None:
            self._counting.cancel()
        for viewer in self.viewers:
            viewer.woken.set()

    def _moved(self, viewer: Viewer) -> None:
        if viewer.conversation is not None:
            self._gathered().here.add(viewer.conversation)

    def _gathered(self) -> Batch:
        """The batch that is open; the first to ask for it has it closed in a moment."""
        if self._open is None:
            self._open = Batch()
            self._closing = asyncio.get_running_loop().create_task(self._close_soon())
        return self._open

    async def _close_soon(self) -> None:
        await asyncio.sleep(GATHER)
        batch, self._open = self._open, None
        if batch is not None:
            async with self._one:
                await self._close(batch)

    def _count(self) -> None:
        """Have it counted how many stand in the lists, in time: now, or a moment after the last."""
        if self._counting is not None:
            return  # it will be
        loop = asyncio.get_running_loop()
        left = self._counted + COUNT - loop.time()
        if left <= 0:
            self._counted = loop.time()
            self._gathered().count = True
        else:
            self._counting = loop.call_later(left, self._count_now)

    def _count_now(self) -> None:
        self._counting = None
        self._count()

    async def _close(self, batch: Batch) -> None:
        self._remember(batch)
        if not self.viewers:
            self._kept.clear()
            self._number += 1
            return
        try:
            await self._prepare(self.workspace, batch)
        except Exception as error:
            # Nobody can be told of it: whoever looks on is made to read everything anew.
            log.error("news not told", exc_info=error)
            self._kept.clear()
            self._number += KEPT
        # Numbered after what is awaited: whoever came meanwhile has read the ledger without it.
        self._number += 1
        batch.number = self._number
        self._kept.append(batch)
        for viewer in self.viewers:
            viewer.woken.set()

    def _remember(self, batch: Batch) -> None:
        for number, conversation in batch.conversations.items():
            if (before := self._known.pop(number, None)) is not None:
                batch.before[number] = before
            self._known[number] = conversation
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


class Hub:
    """Brings the news of a platform into the loop that serves, room by room."""

    def __init__(self, platform: Platform, prepare: Prepare, presence: Presence) -> None:
        self._platform = platform
        self._prepare = prepare
        self._presence = presence
        self._rooms: dict[int, Room] = {}
        self._heard: deque[News | Typing | Back] = deque()
        self._awake = False
        self._leaves: list[Callable[[], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._glancing: asyncio.Task[None] | None = None

    @property
    def attendance(self) -> Attendance:
        """Who has the inbox open."""
        return self._presence.attendance

    def start(self) -> None:
        """Begin to hear, in the loop that is running."""
        self._loop = asyncio.get_running_loop()
        exchange, jobs = self._platform.exchange, self._platform.jobs
        self._leaves = [
            exchange.hear(self._hear),
            exchange.watch(lambda typing: self._hear((typing,))),
            jobs.hearing.listen(self._ending),
            self._presence.hear(lambda back: self._hear((back,))),
        ]
        self._glancing = self._loop.create_task(self._glance())

    def close(self) -> None:
        for leave in self._leaves:
            leave()
        if self._glancing is not None:
            self._glancing.cancel()
        self._close_rooms()

    def room(self, workspace: int) -> Room:
        """The room of a workspace."""
        if workspace not in self._rooms:
            self._rooms[workspace] = Room(self._prepare, workspace, self.attendance)
            self._rooms[workspace].closed = self._platform.jobs.hearing.closed
            self._look_at(self._rooms[workspace])
        return self._rooms[workspace]

    async def _glance(self) -> None:
        while True:
            for room in self._rooms.values():
                self._look_at(room)
            await asyncio.sleep(GLANCE)

    def _look_at(self, room: Room) -> None:
        """Whether agents or settings are others than a moment ago."""
        if (workspace := self._platform.workspaces.get(room.workspace)) is not None:
            room.glance(workspace.desk)

    def _hear(self, told: Sequence[News | Typing | Back]) -> None:
        """Called on the threads of those who tell: wakes the loop once for many."""
        self._heard.extend(told)
        if not self._awake and self._loop is not None:
            self._awake = True
            with contextlib.suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        # In this order: what is added from now on wakes the loop again.
        self._awake = False
        while self._heard:
            told = self._heard.popleft()
            room = self._rooms.get(told.workspace)
            if room is None:
                continue  # nobody has ever looked
            if isinstance(told, News):
                room.take(told)
            elif isinstance(told, Back):
                room.back(told)
            else:
                room.types(told)

    def _ending(self, job_id: str) -> None:
        """The process ends: whoever looks on is let go."""
        if not job_id and self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._close_rooms)

    def _close_rooms(self) -> None:
        for room in self._rooms.values():
            room.close()
