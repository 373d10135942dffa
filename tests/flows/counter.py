"""A shop whose chat a flow answers: what a customer writes, and what is said to them."""

from __future__ import annotations

import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.stories.shop import Shop
from user360.access.change import Change
from user360.access.workspaces import Workspace
from user360.channels import settings
from user360.conversations import managing, store
from user360.conversations.talk import BOT_SAYS, Conversation, Said
from user360.flows import managing as flows
from user360.flows import store as flow_store
from user360.flows.attendant import Attendant
from user360.flows.carrying import NotCarried
from user360.ingest.call import Outcome, Session
from user360.observe import metrics
from user360.platform import Platform
from user360.storage.ledger import Connection

PATIENCE = 20.0  # seconds until a test that waits in vain fails


class Letters:
    """Carries codes by leaving them where a test finds them."""

    def __init__(self, ways: tuple[str, ...] = ("email", "whatsapp")) -> None:
        self.ways = ways
        self.sent: list[tuple[str, str, str]] = []
        self.broken = False

    def close(self) -> None:
        """There is nothing to let go of."""

    def ready(self, _workspace: Workspace, way: str) -> bool:
        return way in self.ways

    def carry(self, _workspace: Workspace, way: str, address: str, code: str) -> None:
        if self.broken:
            raise NotCarried("the peer does not answer")
        self.sent.append((way, address, code))

    @property
    def code(self) -> str:
        return self.sent[-1][2]


class Counter:
    """A channel of a fresh workspace with a flow behind it."""

    def __init__(self, platform: Platform, flow: str, channel: str = "web") -> None:
        self.platform = platform
        self.shop = Shop(platform)
        self.channel = channel
        self.letters = Letters()
        self._moved = threading.Condition()
        self.put(flow)
        self.change(lambda c: settings.change(c, platform.vault, channel, {"bot": "flow:bot"}))

    def change(self, job: Callable[[Change], Any]) -> Any:
        def run(connection: Connection) -> Any:
            return job(self.platform.change(connection, self.shop.workspace, "key:1"))

        return self.platform.write(run)

    def put(self, flow: str, name: str = "bot") -> None:
        text = textwrap.dedent(flow)
        self.change(lambda c: flows.put(c, self.platform.vault, name, text))

    def inbox(self, **given: Any) -> None:
        self.change(lambda c: managing.set_inbox(c, given))

    @contextmanager
    def attended(self) -> Iterator[Attendant]:
        """Somebody is there who runs the flows."""
        attendant = Attendant(self.platform, self.letters)
        leave = self.platform.exchange.hear(self._heard)
        attendant.start()
        try:
            yield attendant
        finally:
            attendant.close()
            leave()

    def _heard(self, _news: Any) -> None:
        with self._moved:
            self._moved.notify_all()

    def writes(self, text: str, session: str = "s", **known: Any) -> Outcome:
        """A customer writes; nobody waits for the answer."""
        outcome = self.platform.settle(
            [
                self.shop.call(
                    session=Session(self.channel, session),
                    said=Said(sender="customer", text=text),
                    source="conversation",
                    at=self.platform.now(),
                    **known,
                )
            ]
        )[0]
        assert outcome.problem is None, outcome.problem
        return outcome

    def hears(self, text: str, session: str = "s") -> list[str]:
        """A customer writes, and this is said to them until the bot waits or is done."""
        outcome = self.writes(text, session)
        message = outcome.message or 0
        self.until(lambda: self.answered(session, message))
        return self.said(session, message)

    def answered(self, session: str, message: int) -> bool:
        """Whether the bot has taken in a message and waits again, or has done."""
        held = self.held(session)
        if held.state != "bot":
            return True
        return f'"handled":{message}' in held.flow and '"turn"' not in held.flow

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, looking when a commit tells of conversations and between."""
        last = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < last, "nothing came of it"
            with self._moved:
                self._moved.wait(0.02)

    def counts(self, reason: str) -> Callable[[], int]:
        """How often flows gave up for a reason from now on."""
        counted = metrics.FLOW_HANDOVERS.labels(reason)._value
        before = counted.get()
        return lambda: int(counted.get() - before)

    def held(self, session: str = "s") -> Conversation:
        """The last conversation of a session."""
        with self.platform.ledger.read() as connection:
            found = store.latest(
                connection,
                self.platform.ledger.dialect,
                self.shop.workspace.id,
                [(self.channel, session)],
            )
        return found[self.channel, session]

    def said(self, session: str = "s", since: int = 0) -> list[str]:
        """What the bot said in a session's conversation after a message."""
        number = self.held(session).id
        with self.platform.ledger.read() as connection:
            said = flow_store.said_since(connection, number, since)
        return [m.text for m in said if m.sender == BOT_SAYS]

    def record(self, session: str = "s") -> dict[str, Any]:
        """The living record behind a session."""
        found = self.shop.visitor(f"{self.channel}:{session}")
        assert found is not None
        return found

    def knows(self, session: str = "s") -> dict[str, Any]:
        properties: dict[str, Any] = self.record(session)["properties"]
        return properties
