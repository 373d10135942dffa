"""A workspace where people write in and agents answer."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from user360.access import members
from user360.access.change import Change
from user360.clock import StillClock
from user360.conversations import managing, store
from user360.conversations.deeds import Deed
from user360.conversations.talk import Conversation, Said
from user360.ingest.call import Call, Outcome, Session
from user360.platform import Platform
from user360.storage.ledger import Connection

_numbers = itertools.count(1)


class Counter:
    """A fresh workspace; what is said and done in it happens at once."""

    def __init__(self, platform: Platform, clock: StillClock | None = None) -> None:
        self.platform = platform
        self.clock = clock
        self.workspace = platform.add_workspace(f"counter{next(_numbers)}")

    def call(self, **known: Any) -> Outcome:
        now = self.platform.now()
        given = {"workspace": self.workspace.id, "source": "conversation", "ref": "test"}
        call = Call(at=now, message_id=f"{now:020d}", **{**given, **known})
        outcome: Outcome = self.platform.settle([call])[0]
        assert outcome.problem is None, outcome.problem
        return outcome

    def says(self, session: str, text: str = "Hello", **how: Any) -> int:
        """Something is said in a web session; the number of its conversation."""
        said = Said(text=text, **{"sender": "customer", **how})
        number = self.call(session=Session("web", session), said=said).conversation
        assert number is not None
        return number

    def does(self, number: int, action: str, **how: Any) -> Outcome:
        return self.call(conversation=number, deed=Deed(action=action, **how))

    def held(self, number: int) -> Conversation:
        dialect = self.platform.ledger.dialect
        with self.platform.ledger.read() as connection:
            return store.load(connection, dialect, self.workspace.id, [number])[number]

    def change(self, job: Callable[[Change], Any]) -> Any:
        def run(connection: Connection) -> Any:
            return job(self.platform.change(connection, self.workspace, "key:1"))

        return self.platform.write(run)

    def inbox(self, **settings: Any) -> None:
        self.change(lambda c: managing.set_inbox(c, settings))

    def agent(self, role: str = "agent", **how: Any) -> int:
        """Somebody who answers and is there; their number."""

        def make(change: Change) -> int:
            number, _ = members.invite(change, f"m{next(_numbers)}@example.com", "Somebody", role)
            managing.set_agent(change, number, **{"availability": "available", **how})
            return number

        number: int = self.change(make)
        return number

    def set_agent(self, number: int, **how: Any) -> None:
        self.change(lambda c: managing.set_agent(c, number, **how))
