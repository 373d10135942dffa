"""Whoever closes the inbox has left: set away after a while, and back when they open it again.

Who is there is known from the live connections of pages, and from whatever else a member does: who
answers by the API with no page open is back as well, until the last of it is long enough ago. An
agent who was never seen with a page, a program for example, is not set away.

What the system makes of agents is not in the audit, which tells what somebody decided: several
times a day for everybody, it would bury that.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from user360.access.change import Change
from user360.access.workspaces import Workspace
from user360.clock import SECOND, Clock
from user360.conversations import desk as desks
from user360.conversations import presence
from user360.conversations.desk import Agent
from user360.errors import Problem
from user360.platform import Platform
from user360.storage.ledger import Connection

log = structlog.get_logger()
REF = "inbox"
MINUTE = 60 * SECOND
# A page says once a minute that it is still there: a computer that was closed says nothing, and
# its connection is not known to be dead for a quarter of an hour.
SILENT = 150 * SECOND
EVERY, GATHER, CLOSE_SECONDS = 1.0, 0.1, 10.0


class Back(msgspec.Struct, frozen=True):
    """Somebody whom the system had set away is back."""

    workspace: int
    member: int
    since: int
    availability: str


class Attendance:
    """Who has the inbox open, and when somebody was seen last. Any thread may ask and tell."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._streams: Counter[tuple[int, int]] = Counter()
        self._seen: dict[tuple[int, int], int] = {}
        self._begun = clock.now()
        self.on_change: Callable[[], None] = lambda: None

    def came(self, workspace: int, member: int) -> None:
        """A page of theirs is connected."""
        with self._lock:
            self._streams[workspace, member] += 1
            self._seen[workspace, member] = self._clock.now()
        self.on_change()

    def left(self, workspace: int, member: int) -> None:
        """A page of theirs is connected no more."""
        with self._lock:
            there = self._there(workspace, member)
            self._streams[workspace, member] -= 1
            if self._streams[workspace, member] <= 0:
                del self._streams[workspace, member]
            if there:
                self._seen[workspace, member] = self._clock.now()

    def seen(self, workspace: int, member: int) -> None:
        """They did something."""
        with self._lock:
            self._seen[workspace, member] = self._clock.now()

    def there(self, workspace: int, member: int) -> bool:
        """Whether a page of theirs is open, and was heard of lately."""
        with self._lock:
            return self._there(workspace, member)

    def seen_since(self, workspace: int, member: int, moment: int) -> bool:
        """Whether they did something after a moment (microseconds)."""
        return self._seen.get((workspace, member), 0) > moment

    def gone_since(self, workspace: int, member: int) -> int:
        """When they were seen last; nobody was before this process began."""
        return max(self._begun, self._seen.get((workspace, member), 0))

    def _there(self, workspace: int, member: int) -> bool:
        who = (workspace, member)
        return who in self._streams and self._clock.now() - self._seen[who] <= SILENT


class Presence:
    """Sets agents away and back while a platform serves."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.attendance = Attendance(platform.clock)
        self._hearers: tuple[Callable[[Back], None], ...] = ()
        self._woken = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="presence", daemon=True)

    def start(self) -> None:
        self.attendance.on_change = self._woken.set
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def hear(self, hearer: Callable[[Back], None]) -> Callable[[], None]:
        """Call `hearer` for each who is back, on this thread, until the answer is called."""
        self._hearers = (*self._hearers, hearer)

        def leave() -> None:
            self._hearers = tuple(each for each in self._hearers if each is not hearer)

        return leave

    def turn(self) -> None:
        """Look who is there, who has left, and who is back, in all workspaces."""
        for workspace in list(self._platform.workspaces.values()):
            self._look(workspace)

    def _look(self, workspace: Workspace) -> None:
        attendance, desk = self.attendance, workspace.desk
        there = [a for a in desk.agents.values() if attendance.there(workspace.id, a.member)]
        came = {a.member for a in there if not a.watched and a.availability != desks.AWAY}
        back = {a.member for a in desk.agents.values() if self._is_back(workspace, a)}
        gone = {a.member for a in desk.agents.values() if self._has_left(workspace, a)}
        if came:
            self._change(workspace, lambda change: presence.notice(change, came))
        if gone:
            self._change(workspace, lambda change: presence.leave(change, gone))
            log.info("agents set away", agents=len(gone))
        for agent in self._change(workspace, lambda c: presence.come_back(c, back)) if back else ():
            assert agent.left_at is not None
            for hearer in self._hearers:
                hearer(Back(workspace.id, agent.member, agent.left_at, agent.returns))

    def _is_back(self, workspace: Workspace, agent: Agent) -> bool:
        """Whether somebody whom the system has set away has a page open, or did something since."""
        if agent.left_at is None:
            return False
        who = (workspace.id, agent.member)
        return self.attendance.there(*who) or self.attendance.seen_since(*who, agent.left_at)

    def _has_left(self, workspace: Workspace, agent: Agent) -> bool:
        minutes = workspace.desk.settings.away_after
        if not minutes or not agent.watched or agent.availability == desks.AWAY:
            return False
        if self.attendance.there(workspace.id, agent.member):
            return False
        since = self.attendance.gone_since(workspace.id, agent.member)
        return self._platform.clock.now() - since >= minutes * MINUTE

    def _change(self, workspace: Workspace, job: Callable[[Change], Any]) -> Any:
        def run(connection: Connection) -> Any:
            return job(self._platform.change(connection, workspace, REF))

        return self._platform.write(run)

    def _loop(self) -> None:
        while not self._closing.is_set():
            try:
                self.turn()
            except Problem as problem:
                log.warning("presence waits", reason=problem.code)
            except Exception as error:
                log.error("presence failed", exc_info=error)
            self._closing.wait(GATHER)  # of many who come at once, not each by itself
            self._woken.wait(EVERY)
            self._woken.clear()
