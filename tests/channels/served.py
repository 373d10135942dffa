"""A server with its channels at work, in this process: what is said in it, and what came of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.serving import served
from user360 import app
from user360.access.workspaces import Workspace
from user360.channels import deliveries, settings
from user360.channels.bringing import Delivery
from user360.channels.outbox import Outbox
from user360.conversations import kept, store
from user360.conversations.talk import Conversation, Message, Said
from user360.identity import people
from user360.ingest.call import Call, Outcome, Verb
from user360.platform import Platform
from user360.storage.ledger import Connection

PATIENCE = 20.0


class Served:
    """A running server: its address, its platform, its default workspace."""

    def __init__(self, platform: Platform, url: str, outbox: Outbox) -> None:
        self.platform = platform
        self.url = url
        self.outbox = outbox

    @property
    def workspace(self) -> Workspace:
        return self.platform.default

    def put(self, channel: str, /, **given: Any) -> dict[str, Any]:
        """Set a channel."""
        platform = self.platform

        def job(connection: Connection) -> dict[str, Any]:
            change = platform.change(connection, self.workspace, "key:1")
            return settings.change(change, platform.vault, channel, given)

        return platform.write(job)

    def answers(self, conversation: int, text: str, **more: Any) -> Outcome:
        """An agent answers."""
        said = Said(sender="agent", text=text, author="key:1", **more)
        now = self.platform.now()
        call = Call(
            workspace=self.workspace.id,
            source="conversation",
            ref="key:1",
            at=now,
            message_id=str(now),
            conversation=conversation,
            said=said,
        )
        outcome = self.platform.settle([call])[0]
        assert outcome.problem is None, outcome.problem
        return outcome

    def deleted(self, record: int) -> None:
        """Delete the person of a record."""
        now = self.platform.now()
        call = Call(
            workspace=self.workspace.id,
            source="api",
            ref="key:1",
            at=now,
            message_id=str(now),
            verb=Verb.DELETE,
            record=record,
        )
        outcome = self.platform.settle([call])[0]
        assert outcome.problem is None, outcome.problem

    def conversations(self, session: str, channel: str = "whatsapp") -> list[Conversation]:
        """Those of a session, the oldest first."""
        query = (
            f"SELECT {store.CONVERSATION} FROM conversations c WHERE c.workspace_id = ?"
            " AND c.channel = ? AND c.session_id = ? ORDER BY c.id"
        )
        with self.platform.ledger.read() as connection:
            rows = connection.exec_driver_sql(query, (self.workspace.id, channel, session))
            return [store.conversation(tuple(row)) for row in rows]

    def messages(self, session: str, channel: str = "whatsapp") -> list[Message]:
        """What was said in a session, in its order."""
        numbers = [c.id for c in self.conversations(session, channel)]
        with self.platform.ledger.read() as connection:
            return list(kept.messages_of(connection, self.platform.ledger.dialect, numbers))

    def record(self, session: str, channel: str = "whatsapp") -> dict[str, Any]:
        """The properties of who speaks in a session."""
        platform, found = self.platform, self.conversations(session, channel)[-1]
        with platform.ledger.read() as connection:
            where = (connection, platform.ledger.dialect, self.workspace)
            record = people.one(*where, found.record)
        assert record is not None
        properties: dict[str, Any] = record["properties"]
        return properties

    def left(self, *, failed: bool = False) -> list[Delivery]:
        """What is still to be brought, or was given up."""
        with self.platform.ledger.read() as connection:
            return deliveries.listed(connection, self.workspace.id, failed=failed)

    def until(self, told: Callable[[], bool]) -> None:
        """Wait until something holds, looking at each news and now and then."""
        heard = threading.Event()
        leave = self.platform.exchange.hear(lambda _: heard.set())
        try:
            for _ in range(int(PATIENCE / 0.05)):
                if told():
                    return
                heard.wait(0.05)
                heard.clear()
            pytest.fail("it did not come to hold")
        finally:
            leave()


@contextlib.contextmanager
def running() -> Iterator[Served]:
    """A server on a free port, until the block ends."""
    with Platform.temporary() as platform:
        made = app.create(platform)
        outbox = made.state.outbox
        with served(made, ending=platform.jobs.hearing.close) as url:
            outbox.start()
            try:
                yield Served(platform, url, outbox)
            finally:
                outbox.close()
