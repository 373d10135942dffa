"""What time and freed hands bring: places who waits, misses, ends, closes, gives up.

Everything it decides it decides from the ledger alone, so a restart loses nothing; and every deed
is refused by the rules of deeds where something happened meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

import structlog

from user360.access.workspaces import Workspace
from user360.clock import SECOND
from user360.conversations import desk as desks
from user360.conversations import store as kept
from user360.conversations import talk
from user360.conversations.deeds import Deed
from user360.conversations.desk import Desk
from user360.conversations.news import News
from user360.conversations.talk import Conversation
from user360.errors import Problem
from user360.inbox import store
from user360.ingest.call import Call
from user360.platform import Platform

log = structlog.get_logger()
REF = "inbox"  # who the events of a record name for what the inbox does by itself
MINUTE, DAY = 60 * SECOND, 86_400 * SECOND
AT_ONCE = 500  # conversations of one kind that one turn takes care of
# Seconds: how often it is looked whether time has come for something, whether who answers was
# set otherwise, and how long news are gathered.
EVERY, GLANCE, GATHER = 10.0, 1.0, 0.1
CLOSE_SECONDS = 10.0


class Caretaker:
    """Follows the inboxes of a platform while it serves."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._woken = threading.Event()
        self._closing = threading.Event()
        self._desks: dict[int, Desk] = {}
        self._thread = threading.Thread(target=self._loop, name="inbox", daemon=True)
        self._leave: Callable[[], None] = lambda: None

    def start(self) -> None:
        self._leave = self._platform.exchange.hear(self._heard)
        self._thread.start()

    def close(self) -> None:
        self._leave()
        self._closing.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def turn(self) -> None:
        """Take care of all that is due now."""
        for workspace in list(self._platform.workspaces.values()):
            self._desks[workspace.id] = workspace.desk
            if workspace.next_conversation > 1:
                self._care(workspace)

    def _heard(self, news: Sequence[News]) -> None:
        """Somebody may have room, or waits for it."""
        if any(_matters(each.conversation) for each in news):
            self._woken.set()

    def _loop(self) -> None:
        left = 0.0
        while not self._closing.is_set():
            if left <= 0 or self._woken.is_set() or self._others_answer():
                self._woken.clear()
                self._turned()
                left = EVERY
            self._woken.wait(GLANCE)
            left -= GLANCE
            self._closing.wait(GATHER)

    def _others_answer(self) -> bool:
        """Whether agents, groups or settings are others than they were; costs no question."""
        held = self._platform.workspaces.values()
        return any(self._desks.get(w.id) is not w.desk for w in list(held))

    def _turned(self) -> None:
        try:
            self.turn()
        except Problem as problem:
            log.warning("inbox waits", reason=problem.code)
        except Exception as error:
            log.error("inbox failed", exc_info=error)

    def _care(self, workspace: Workspace) -> None:
        self._settle(workspace, self._left(workspace))
        self._settle(workspace, self._deserted(workspace))
        self._settle(workspace, self._ended(workspace))
        self._settle(workspace, self._placed(workspace))

    def _settle(self, workspace: Workspace, todo: Iterable[tuple[Conversation, Deed]]) -> None:
        calls = []
        for conversation, deed in todo:
            now = self._platform.now()
            calls.append(
                Call(
                    workspace=workspace.id,
                    source="conversation",
                    ref=REF,
                    at=now,
                    message_id=f"{now:020d}",
                    conversation=conversation.id,
                    deed=deed,
                )
            )
        if calls:
            for outcome in self._platform.settle(calls):
                if outcome.problem is not None:
                    log.info("inbox too late", reason=outcome.problem.code)

    def _left(self, workspace: Workspace) -> list[tuple[Conversation, Deed]]:
        """What is still with somebody who may answer no more."""
        with self._platform.ledger.read() as connection:
            found = store.left_behind(
                connection,
                self._platform.ledger.dialect,
                workspace.id,
                workspace.desk.agents.keys(),
                AT_ONCE,
            )
        return [(each, Deed(action="leave", assignee=each.assignee)) for each in found]

    def _deserted(self, workspace: Workspace) -> list[tuple[Conversation, Deed]]:
        """Chats in which the customer waits for somebody who closed the inbox long ago."""
        minutes, now = workspace.desk.settings.reassign_after, self._platform.clock.now()
        gone = [
            agent.member
            for agent in workspace.desk.agents.values()
            if agent.left_at is not None and agent.left_at + minutes * MINUTE <= now
        ]
        if not minutes or not gone:
            return []
        with self._platform.ledger.read() as connection:
            where = (connection, self._platform.ledger.dialect, workspace.id)
            found = store.waiting_for(*where, gone, AT_ONCE)
        return [
            (each, Deed(action="leave", assignee=each.assignee, unless_since=each.updated_at))
            for each in found
        ]

    def _ended(self, workspace: Workspace) -> list[tuple[Conversation, Deed]]:
        """Who has waited too long, who has gone away from the bot, what was solved long ago."""
        settings, now = workspace.desk.settings, self._platform.clock.now()
        todo: list[tuple[Conversation, Deed]] = []
        with self._platform.ledger.read() as connection:
            where = (connection, workspace.id)
            if settings.queue_minutes:
                since = now - settings.queue_minutes * MINUTE
                for each in store.waited(*where, since, AT_ONCE):
                    todo.append((each, Deed(action="miss", reason="waitedTooLong")))
            if settings.idle_minutes:
                since = now - settings.idle_minutes * MINUTE
                for each in store.idle(*where, since, AT_ONCE):
                    deed = Deed(action="resolve", reason="idle", unless_since=each.updated_at)
                    todo.append((each, deed))
            since = now - settings.close_days * DAY
            for each in store.solved(*where, since, AT_ONCE):
                deed = Deed(action="state", state=talk.CLOSED, unless_since=each.updated_at)
                todo.append((each, deed))
        return todo

    def _placed(self, workspace: Workspace) -> list[tuple[Conversation, Deed]]:
        """Those for whom there is somebody now, or who wait otherwise than they did."""
        with self._platform.ledger.read() as connection:
            found = store.waiting(connection, workspace.id, AT_ONCE)
            if not found:
                return []
            loads = kept.loads(connection, workspace.id)
        room = _Room(workspace, self._platform.clock.now(), loads)
        return [(each, Deed(action="place")) for each in found if room.changes(each)]


def _matters(conversation: Conversation) -> bool:
    """Whether a change of this one may let another be placed, or itself."""
    return not conversation.active or conversation.state in talk.WAITING


class _Room:
    """Who has room as conversations are given out, the way placing them will."""

    def __init__(self, workspace: Workspace, now: int, loads: dict[int, int]) -> None:
        self._desk = workspace.desk
        self._there = desks.open_at(workspace.desk.settings, workspace.zone, now)
        self._now = now
        self._loads = loads
        self._given: dict[int, int] = {}

    def changes(self, conversation: Conversation) -> bool:
        """Whether placing it now changes anything; who would get it is counted as having it."""
        able = desks.fitting(self._desk, conversation.group, conversation.skills)
        chosen = None
        if self._there:
            chosen = desks.choose(self._desk, able, self._loads, self._given, None)
        if chosen is not None:
            self._given[chosen] = self._now
            if conversation.kind == talk.CHAT:
                self._loads[chosen] = self._loads.get(chosen, 0) + 1
            return True
        full = self._there and any(agent.availability != desks.AWAY for agent in able)
        waits = talk.QUEUED if full else talk.OPEN
        return conversation.kind == talk.CHAT and conversation.state != waits
