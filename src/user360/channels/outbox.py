"""Brings what was said to where it has to go: in order within a conversation, others beside it.

What is to be brought stands in the ledger since the message was kept, so nothing is lost when the
process ends. What was brought and could not be noted any more is brought again, at least once,
unless the peer reports meanwhile that it has it.
"""

from __future__ import annotations

import functools
import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from queue import SimpleQueue

import structlog

from user360.access.change import Change
from user360.channels import deliveries, health
from user360.channels.bringing import (
    Delivery,
    Holding,
    Locked,
    Permanent,
    Reporting,
    Sender,
    Temporary,
)
from user360.clock import SECOND
from user360.conversations import marks, store, talk
from user360.conversations.marks import Mark
from user360.conversations.news import News
from user360.conversations.talk import Conversation, Message
from user360.errors import Conflict, NotFound, Problem
from user360.observe import metrics
from user360.platform import Platform
from user360.storage.ledger import Connection

log = structlog.get_logger()
THREADS = 16
# Of one workspace at once, by one way and by all: peers that hang do not hold up all others.
SIDE_BY_SIDE, OF_WORKSPACE = 6, 10
FIRST_WAIT, LONGEST_WAIT = 5.0, 3_600.0  # seconds
JITTER = 0.2  # of a wait, either way
MOST_ATTEMPTS = 33  # about a day of them
LONGEST_SLEEP = 600.0
AFTER_TROUBLE = 5.0
CLOSE_SECONDS = 5.0
LONGEST_ERROR = 500
MEDIA = "media"

Made = Callable[[Platform], Sender]


class Outbox:
    """Brings the deliveries of a platform while it serves."""

    def __init__(self, platform: Platform, senders: Mapping[str, Made]) -> None:
        self._platform = platform
        self._senders = {kind: make(platform) for kind, make in senders.items()}
        self._signal = threading.Condition()
        self._woken = False
        self._closing = False
        self._under_way: dict[int, Delivery] = {}
        self._given: SimpleQueue[Delivery | None] = SimpleQueue()
        self._leave: Callable[[], None] = lambda: None
        self._threads = [
            threading.Thread(target=self._loop, name="outbox", daemon=True),
            *(
                threading.Thread(target=self._work, name=f"outbox-{n}", daemon=True)
                for n in range(THREADS)
            ),
        ]

    def start(self) -> None:
        now = self._platform.clock.now()
        for kind, sender in self._senders.items():
            if isinstance(sender, Reporting):
                until = now + int(sender.reports_within * SECOND)
                self._platform.write(functools.partial(deliveries.wait, kind=kind, until=until))
        self._leave = self._platform.exchange.hear(self._heard)
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Begin nothing more, and wait a little for what is under way; the rest is brought again
        after the next start.
        """
        self._leave()
        with self._signal:
            self._closing = True
            self._signal.notify_all()
            for _ in range(THREADS):
                self._given.put(None)
            self._signal.wait_for(lambda: not self._under_way, CLOSE_SECONDS)
        for sender in self._senders.values():
            if isinstance(sender, Holding):
                sender.close()

    def wake(self) -> None:
        """Look anew at what is due."""
        with self._signal:
            self._woken = True
            self._signal.notify_all()

    def _heard(self, news: Sequence[News]) -> None:
        """Called by the writer: wake when something was said that has to be brought."""
        for each in news:
            workspace = self._platform.workspaces.get(each.workspace)
            if workspace is None:
                continue
            channel, desk = each.conversation.channel, workspace.desk
            # A message with media says so in its detail: it has a way of its own.
            if any(MEDIA in m.detail or desk.ways(channel, m.sender) for m in each.messages):
                self.wake()
                return

    def _loop(self) -> None:
        while not self._closing:
            seconds = self._turned()
            with self._signal:
                self._signal.wait_for(lambda: self._woken or self._closing, seconds)
                self._woken = False

    def _turned(self) -> float:
        try:
            return self._turn()
        except Problem as problem:
            log.warning("deliveries wait", reason=problem.code)
        except Exception as error:
            log.error("deliveries failed", exc_info=error)
        return AFTER_TROUBLE

    def _turn(self) -> float:
        """Hand out what may be brought now; the seconds until more is due."""
        platform = self._platform
        while begun := self._due():
            with self._signal:
                for delivery in begun:
                    self._under_way[delivery.id] = delivery
                    self._given.put(delivery)
        with platform.ledger.read() as connection:
            at = deliveries.next_due(connection, platform.clock.now())
        if at is None:
            return LONGEST_SLEEP
        return min(LONGEST_SLEEP, max(0.0, (at - platform.clock.now()) / SECOND))

    def _due(self) -> list[Delivery]:
        """What may be begun now: as much as there are free threads, and as its ways allow."""
        platform = self._platform
        with self._signal:
            under_way = dict(self._under_way)
        room = THREADS - len(under_way)
        if room <= 0 or self._closing:
            return []
        load = Counter((d.workspace, d.way) for d in under_way.values())
        whole = Counter(d.workspace for d in under_way.values())
        found: list[Delivery] = []
        with platform.ledger.read() as connection:
            where = (connection, platform.ledger.dialect, platform.clock.now())
            for lane in deliveries.lanes(connection):
                workspace = lane[0]
                most = min(room, SIDE_BY_SIDE - load[lane], OF_WORKSPACE - whole[workspace])
                if most > 0:
                    more = deliveries.due(*where, lane, most, under_way)
                    whole[workspace] += len(more)
                    found += more
        return sorted(found, key=lambda each: (each.due_at, each.id))[:room]

    def _work(self) -> None:
        while (delivery := self._given.get()) is not None:
            try:
                if not self._closing:
                    self.bring(delivery)
            except Problem as problem:
                # Not noted, so it is brought again; not at once, for the storage has trouble.
                log.warning("delivery not noted", reason=problem.code)
                self._pause()
            except Exception as error:
                log.error("delivery failed", exc_info=error)
                self._pause()
            finally:
                with self._signal:
                    self._under_way.pop(delivery.id, None)
                    self._woken = True
                    self._signal.notify_all()

    def _pause(self) -> None:
        with self._signal:
            self._signal.wait_for(lambda: self._closing, AFTER_TROUBLE)

    def bring(self, delivery: Delivery) -> None:
        """Bring one and note what became of it. Raises the `Problem`s of the storage."""
        platform = self._platform
        found = self._look_up(delivery)
        sender = self._senders.get(delivery.kind)
        if found is None or sender is None:
            # Of people who are gone, or of a way there is no more.
            platform.write(lambda c: deliveries.done(c, delivery.id))
            return
        try:
            external = sender.send(delivery, *found)
        except Permanent as why:
            self._give_up(delivery, str(why))
        except Temporary as why:
            self._put_off(delivery, why)
        except Problem as problem:
            self._put_off(delivery, Temporary(problem.detail))
        except Exception as error:
            log.error("sender failed", way=delivery.kind, exc_info=error)
            self._put_off(delivery, Temporary("Something nobody foresaw; it has been logged"))
        else:
            self._brought(delivery, external)

    def _look_up(self, delivery: Delivery) -> tuple[Message, Conversation] | None:
        ledger = self._platform.ledger
        where = (ledger.dialect, delivery.workspace)
        with ledger.read() as connection:
            messages = marks.of(connection, *where, [delivery.message])
            conversations = store.load(connection, *where, [delivery.conversation])
        if not messages or not conversations:
            return None
        return messages[delivery.message], conversations[delivery.conversation]

    def _brought(self, delivery: Delivery, external: str) -> None:
        mark = Mark(message=delivery.message, delivery="sent", external=external)
        now = self._platform.clock.now()

        def done(connection: Connection) -> None:
            deliveries.done(connection, delivery.id)
            health.well(connection, delivery, now)

        self._note(delivery, mark, done)
        metrics.DELIVERIES.labels(delivery.kind, "sent").inc()

    def _put_off(self, delivery: Delivery, why: Temporary) -> None:
        attempts = delivery.attempts + 1
        if attempts >= MOST_ATTEMPTS:
            self._give_up(delivery, f"{why}. It was tried {attempts} times")
            return
        seconds = max(wait_after(attempts, random.uniform(-1, 1)), min(why.after, LONGEST_WAIT))
        now = self._platform.clock.now()
        due_at, reason = now + int(seconds * SECOND), str(why)[:LONGEST_ERROR]

        def put_off(connection: Connection) -> list[News]:
            deliveries.put_off(connection, delivery.id, due_at, reason)
            refused = isinstance(why, Locked) and health.note(connection, delivery, reason, now)
            return self._news_of(connection, delivery) if refused else []

        self._platform.tell(put_off)
        metrics.DELIVERIES.labels(delivery.kind, "put off").inc()

    def _news_of(self, connection: Connection, delivery: Delivery) -> list[News]:
        """Whoever looks at a conversation looks anew at how its channel does."""
        where = (connection, self._platform.ledger.dialect, delivery.workspace)
        messages = marks.of(*where, [delivery.message])
        held = store.load(*where, [delivery.conversation])
        changed = list(messages.values())
        return [News(delivery.workspace, each, changed=changed) for each in held.values()]

    def _give_up(self, delivery: Delivery, why: str) -> None:
        reason, now = why[:LONGEST_ERROR], self._platform.clock.now()
        mark = Mark(message=delivery.message, delivery=talk.FAILED, error=reason)
        self._note(delivery, mark, lambda c: deliveries.give_up(c, delivery.id, now, reason))
        metrics.DELIVERIES.labels(delivery.kind, "failed").inc()

    def _note(self, delivery: Delivery, mark: Mark, job: Callable[[Connection], None]) -> None:
        """Keep what became of a delivery, and of its message in one with it."""
        dialect = self._platform.ledger.dialect

        def run(connection: Connection) -> list[News]:
            job(connection)
            return marks.put(connection, dialect, delivery.workspace, [mark])

        self._platform.tell(run)


def wait_after(attempts: int, chance: float) -> float:
    """Seconds to wait after so many attempts: twice as long each time, give or take a fifth.

    `chance` lies between -1 and 1.
    """
    whole = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (attempts - 1))
    return whole * (1 + JITTER * chance)


def retry(change: Change, number: int) -> list[News]:
    """Have what was given up brought once more; wake the outbox afterwards.

    Raises `NotFound`, `Conflict` for one that still waits for its turn.
    """
    found = deliveries.one(change.connection, change.workspace.id, number)
    if found is None:
        raise NotFound("There is no such delivery")
    if found.failed_at is None:
        raise Conflict("This delivery still waits for its turn; it will be tried")
    deliveries.try_again(change.connection, number, change.now)
    change.audit("delivery.retry", f"delivery:{number}")
    return marks.again(change.connection, change.dialect, change.workspace.id, found.message)
